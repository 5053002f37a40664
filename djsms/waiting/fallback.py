"""Handing a text that surely did not go out to the account that takes over."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured

from djsms import conf, numbers
from djsms.accounts import gateways
from djsms.accounts.gateways import Gateway
from djsms.accounts.originators import is_own_originator
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
)
from djsms.ledger import clock, storable
from djsms.ledger.announcements import announce
from djsms.ledger.statuses import pass_over
from djsms.ledger.transactions import in_transaction, persist, rows_of
from djsms.models import BACKEND_LENGTH, Gate, StatusEvent, TextMessage
from djsms.sending.attempts import Outcome, release
from djsms.waiting import gates
from djsms.waiting.hours import is_over
from djsms.waiting.leaving import move
from djsms.waiting.queued import is_any_due, waiting
from djsms.waiting.waking import wake_after_commit

__all__ = ["concerns_account", "hand_over", "next_account", "pass_on", "relieve"]

logger = logging.getLogger("djsms")

LOT = 10


def concerns_account(error: TextMessageError | None) -> bool:
    """Return whether a text was surely not taken, for a reason that is the account's."""
    return isinstance(error, TemporarilyUnavailable | AuthenticationFailed | InsufficientFunds)


def next_account(message: TextMessage) -> str:
    """Return the account that is to try a text next; empty if all have that may.

    Those have that put it back after an attempt.
    """
    others = list(conf.fallbacks(message.account))
    if not others:
        return ""
    tried = _tried(message)
    return next((alias for alias in others if alias not in tried and _can_send(alias, message)), "")


def pass_on(message: TextMessage, outcome: Outcome) -> Gateway | None:
    """Claim a text that was called for in vain for the account that takes over; return its gateway.

    None if nobody does, or may: then the outcome is what became of the text.
    """
    error = outcome.error
    if not isinstance(error, SendError) or not concerns_account(error):
        return None
    if outcome.interruption is not None or is_over(message, datetime.now(UTC)):
        return None
    alias = next_account(message)
    if not alias:
        return None
    gateway = gateways.get(alias)
    fields = {
        "account": alias,
        "backend": storable.fit(gateway.backend, BACKEND_LENGTH),
        "frm": _originator(message, gateway),
    }
    if not pass_over(message, error, **fields):
        return None
    try:
        announce(message, fields)
    except BaseException:
        # A receiver's; nobody is called, so it should not look as if somebody had been.
        release(message)
        raise
    return gateway


def hand_over(message: TextMessage, alias: str) -> bool:
    """Let a text that waits wait for another account, and go at once; False if it waits no more."""
    now = clock.stored(clock.now())
    gateway = gateways.get(alias)
    frm = _originator(message, gateway)
    slot = gates.slot_of(frm, gateway.limits)
    fields = {"account": alias, "frm": frm, "slot": slot, "due_on": now}
    has_changed = bool(move([(message, fields)]))
    if has_changed:
        if slot:
            # Nobody looks into a slot that has no gate.
            in_transaction(lambda: gates.make(alias, slot))
        wake_after_commit([alias])
    return has_changed


def relieve(alias: str, moment: datetime) -> int:
    """Hand over some texts that are due, since their account has closed; return how many.

    Few at a time, and only to accounts that have nothing else to do: this one may soon be back.
    """
    others = {alias for alias in conf.fallbacks(alias) if _is_idle(alias, moment)}
    if not others:
        return 0
    texts = waiting(alias).filter(due_on__lte=clock.stored(moment)).order_by("lane", "due_on")
    handed = [
        hand_over(text, other) for text in texts[:LOT] if (other := next_account(text)) in others
    ]
    return sum(handed)


def _tried(message: TextMessage) -> set[str]:
    """Return the accounts that have put a text back after an attempt."""
    attempts = rows_of(StatusEvent).filter(message=message, source=StatusEvent.Source.ATTEMPT)
    # Right after a call, during which the connection may have died.
    return persist(lambda: set(attempts.values_list("account", flat=True)))


def _is_idle(alias: str, moment: datetime) -> bool:
    gate = rows_of(Gate).filter(account=alias, slot="").first()
    is_open = gate is None or gates.is_open(gate, moment)
    return is_open and not is_any_due(alias, moment)


def _can_send(alias: str, message: TextMessage) -> bool:
    try:
        gateway = gateways.get(alias)
    except ImproperlyConfigured as error:
        logger.error("The account %s cannot take over: %s", alias, error)
        return False
    has_originator = message.frm or gateway.limits.frm or gateway.chooses_originator
    return gateway.supports("send") and bool(has_originator)


def _originator(message: TextMessage, gateway: Gateway) -> str:
    """Return whom a text comes from by this account.

    That is the account's own originator in the place of another's own, or where another's provider
    was to choose; a provider sends under no number of another one.
    """
    own = gateway.limits.frm
    if own and (not message.frm or _is_anothers(message)):
        return numbers.originator(own)
    return message.frm


def _is_anothers(message: TextMessage) -> bool:
    """Return whether the originator is the own one of an account that had the text so far."""
    return is_own_originator(message.account, message.frm) or any(
        is_own_originator(alias, message.frm) for alias in _tried(message)
    )
