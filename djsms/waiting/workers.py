"""A process that sends what waits: one loop that claims, and threads that call."""

from __future__ import annotations

import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import Error as DatabaseError
from django.db import connections

from djsms.accounts.gateways import Gateway
from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import Gate
from djsms.waiting import fallback, gates, leaving, queued
from djsms.waiting.crews import Crew
from djsms.waiting.drains import PATIENCE
from djsms.waiting.presence import Presence
from djsms.waiting.recycling import Recycler
from djsms.waiting.units import claim_units

__all__ = ["Work"]

logger = logging.getLogger("djsms")

JITTER = 0.2
# Between two tries of a database that is not there.
LONGEST_PAUSE = 30.0
# For what is still to be stored at the end.
LAST_TRIES = 30.0


@dataclass(slots=True)
class _Account:
    gateway: Gateway
    is_busy: bool = False
    """Whether the last look at it found texts to send, so that the next need not look first."""
    not_before: float = 0.0
    """When its rate lets the next text go, by the process's own clock."""


class Work:
    """The texts of some accounts, sent as they become due, until it is told to stop.

    ``once`` stops it as soon as nothing is due that may go, ``max_texts`` after so many calls.
    """

    def __init__(
        self,
        gateways: Sequence[Gateway],
        *,
        threads: int,
        poll: float,
        once: bool = False,
        max_texts: int | None = None,
    ) -> None:
        self.crew = Crew(threads)
        self._accounts = deque(_Account(gateway) for gateway in gateways)
        self._presence = Presence()
        self._poll = poll
        self._once = once
        self._max_texts = max_texts
        self._is_stopped = False
        self._pause = 0.0
        self._recycler = Recycler()

    def stop(self) -> None:
        """Claim nothing more, and end when the calls under way have ended; for signal handlers."""
        self._is_stopped = True
        self.crew.nudge()

    def run(self) -> bool:
        """Work until stopped; return whether all went well.

        False if a thread died, or if outcomes could not be stored: then the log has them.
        """
        for account in self._accounts:
            limits = account.gateway.limits
            gates.align(account.gateway.alias, by_originator=limits.originator_rate is not None)
        self._presence.begin()
        self.crew.start()
        try:
            while not self._is_over():
                self._turn()
        finally:
            is_sound = self.crew.is_sound
            self._end()
        return is_sound and not self.crew.unsettled

    def _is_over(self) -> bool:
        done = self._max_texts is not None and self.crew.calls >= self._max_texts
        return self._is_stopped or done or not self.crew.is_sound

    def _turn(self) -> None:
        self._recycler.recycle()
        try:
            # An answer that is not stored is lost with this process. So is nothing that waits.
            self.crew.settle()
            has_given = self._give_all()
            self._pause = 0.0
        except DatabaseError as error:
            self._rest(error)
            return
        if self._once and not (has_given or self.crew.busy or self._is_held_up()):
            self._is_stopped = True
        else:
            self.crew.wait(self._seconds_to_wait())

    def _rest(self, error: Exception) -> None:
        if not self._pause:
            logger.error("The database is not there, nothing is claimed: %s", error)
        self._pause = min(max(1.0, self._pause * 2), LONGEST_PAUSE)
        connections.close_all()
        self.crew.wait(self._pause)

    def _give_all(self) -> bool:
        """Let each account give what may go now, in turns; return whether there was any."""
        moment = clock.now()
        has_given = False
        for left in range(len(self._accounts), 0, -1):
            account = self._accounts[0]
            self._accounts.rotate(-1)
            share = self._share(left)
            if share > 0 and not self._is_stopped:
                has_given |= self._give(account, share, moment)
        # So that another account is the first next time.
        self._accounts.rotate(-1)
        return has_given

    def _share(self, accounts: int) -> int:
        free = self.crew.free
        if self._max_texts is not None:
            free = min(free, self._max_texts - self.crew.calls - self.crew.busy)
        return -(-free // accounts)

    def _give(self, account: _Account, share: int, moment: datetime) -> bool:
        if time.monotonic() < account.not_before:
            return False
        if not account.is_busy and not self._is_worth_a_turn(account.gateway.alias, moment):
            return False
        bulk = min(share, self.crew.free_for_bulk)
        claimed, units = claim_units(account.gateway, self._presence.id, share, bulk_limit=bulk)
        self.crew.give(units)
        others = leaving.sweep(account.gateway.alias) if claimed.has_spoiled else 0
        account.is_busy = bool(units or others or claimed.has_missed)
        account.not_before = time.monotonic() + claimed.wait
        return account.is_busy

    def _is_worth_a_turn(self, alias: str, moment: datetime) -> bool:
        """Return whether a claim may find anything; writes nothing if there is nothing to do."""
        gate = rows_of(Gate).filter(account=alias, slot="").first()
        if gate is not None and gate.paused_on is not None:
            return False
        if gate is not None and gates.is_shut(gate, moment):
            fallback.relieve(alias, moment)
            return False
        return queued.is_any_due(alias, moment)

    def _is_held_up(self) -> bool:
        """Return whether a rate lets texts go soon that are due."""
        now = time.monotonic()
        return any(now < account.not_before <= now + PATIENCE for account in self._accounts)

    def _seconds_to_wait(self) -> float:
        poll = self._poll * random.uniform(1 - JITTER, 1 + JITTER)
        if not self.crew.free:
            return poll
        now = time.monotonic()
        waits = [
            account.not_before - now
            for account in self._accounts
            if account.is_busy or account.not_before > now
        ]
        return max(0.0, min([poll, *waits]))

    def _end(self) -> None:
        try:
            self._presence.stopping()
        except DatabaseError:
            logger.exception("The worker's row could not be written")
        self.crew.stop()
        self._settle_the_last()
        try:
            self._presence.end()
        except DatabaseError:
            logger.exception("The worker's row could not be taken away")

    def _settle_the_last(self) -> None:
        end = time.monotonic() + LAST_TRIES
        while self.crew.unsettled:
            try:
                self.crew.settle()
            except DatabaseError:
                if time.monotonic() > end:
                    break
                connections.close_all()
                time.sleep(1)
        for unit in self.crew.unsettled:
            logger.critical("Text %s: its outcome is lost: %s", unit.message.ref, unit.summary)
