"""Sending what is due, in the calling thread, one text after the other."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError

from djsms import conf
from djsms.accounts import gateways
from djsms.accounts.gateways import Gateway
from djsms.calling.interruptions import is_interruption
from djsms.waiting import fallback, gates, leaving
from djsms.waiting.units import Unit, claim_units

__all__ = ["Drained", "drain", "sending_gateways", "work_off"]

logger = logging.getLogger("djsms")

PATIENCE = 10.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What a drain did."""

    calls: int
    has_waited: bool
    """Whether a rate held it back."""


def drain(
    account: str | None = None, *, limit: int | None = None, seconds: float | None = None
) -> int:
    """Send the texts that are due, and return for how many the provider was called.

    ``account`` is the alias of one account; without it all take turns. It ends after ``limit``
    calls, after ``seconds``, or when nothing is left that may go: a rate is waited for some
    seconds, an account that is paused or closed is not. There is one call at a time, so whoever is
    killed leaves one text of unknown outcome at the most.

    It works inside a transaction, as in a ``TestCase``; a rollback then takes away what it stored,
    and the texts are out. Raises the errors of the one account's configuration; of all accounts,
    those that are wrong are logged and left out.
    """
    return work_off(account, limit=limit, seconds=seconds).calls


def work_off(
    account: str | None = None, *, limit: int | None = None, seconds: float | None = None
) -> Drained:
    """Do as ``drain``, and tell more of it."""
    end = float("inf") if seconds is None else time.monotonic() + seconds
    most = float("inf") if limit is None else limit
    chosen = [gateways.get(account)] if account is not None else list(sending_gateways())
    for gateway in chosen:
        gates.align(gateway.alias, by_originator=gateway.limits.originator_rate is not None)
    worker = uuid.uuid4().hex
    calls, has_waited = 0, False
    while calls < most and time.monotonic() < end:
        turns = [_Turn(gateway) for gateway in chosen]
        for turn in turns:
            if calls < most and time.monotonic() < end:
                calls += turn.take(worker)
        if any(turn.has_done_something for turn in turns):
            continue
        waits = [turn.wait for turn in turns if turn.wait]
        if not waits:
            break
        has_waited = True
        time.sleep(max(0, min(*waits, end - time.monotonic())))
    return Drained(calls=calls, has_waited=has_waited)


def sending_gateways() -> Iterator[Gateway]:
    """Yield the gateways of all accounts that can send; what is wrong with others is logged."""
    for alias in conf.aliases():
        try:
            gateway = gateways.get(alias)
        except ImproperlyConfigured as error:
            logger.error("The account %s sends nothing of what waits: %s", alias, error)
            continue
        if gateway.supports("send"):
            yield gateway


class _Turn:
    """One account's turn: one text."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.has_done_something = False
        self.wait = 0.0

    def take(self, worker: str) -> int:
        alias = self.gateway.alias
        claimed, units = claim_units(self.gateway, worker, 1)
        for unit in units:
            _work_off(unit)
        others = 0
        if claimed.has_spoiled:
            others = leaving.sweep(alias)
        elif claimed.is_shut:
            others = fallback.relieve(alias, claimed.moment)
        self.has_done_something = bool(units or others or claimed.has_missed)
        # An hour's wait for a slow rate is not for those who want to end soon.
        self.wait = claimed.wait if 0 < claimed.wait <= PATIENCE else 0.0
        return sum(unit.outcome is not None for unit in units)


def _work_off(unit: Unit) -> None:
    unit.call()
    try:
        unit.settle()
    except BaseException as error:
        if is_interruption(error):
            # What breaks off the storing of an answer must not cost the answer.
            unit.settle()
            raise
        # A database that fails would fail the next text too, after its call.
        if isinstance(error, DatabaseError):
            raise
        logger.exception("Text %s: what its receivers did failed", unit.message.ref)
    if unit.outcome is not None and unit.outcome.interruption is not None:
        raise unit.outcome.interruption
