"""One claimed text: called for if it is still time, and settled."""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from djsms.accounts.gateways import Gateway
from djsms.ledger import clock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import TextMessage
from djsms.sending.attempts import Outcome, attempt
from djsms.types import Status
from djsms.waiting import breaker, gates, hours
from djsms.waiting.claims import Claim, claim
from djsms.waiting.settling import settle

__all__ = ["Unit", "boot_time", "claim_units"]

logger = logging.getLogger("djsms")

# Between claim and call lie microseconds. If it is longer, the process was frozen: whoever looked
# at the text meanwhile may have taken it for lost, and sent it again.
STALE = 30.0


def boot_time() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, and is never set."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True, eq=False)
class Unit:
    """A claimed text on its way: to be called for once, and then settled until that is stored."""

    gateway: Gateway
    message: TextMessage
    claimed: Claim
    claimed_at: float
    """In ``boot_time``, before the claim began."""
    outcome: Outcome | None = None

    @property
    def summary(self) -> str:
        """What is known of the outcome, for a log that is all that is left of it."""
        if self.outcome is None:
            return "not called for"
        if self.outcome.answer is None:
            return type(self.outcome.error).__name__
        ids = [part.provider_id for part in self.outcome.answer.parts]
        return f"answered, with the provider's ids {ids!r}"

    def call(self) -> None:
        """Call the provider, unless it has become too late to; touches no database."""
        age = boot_time() - self.claimed_at
        moment = self.claimed.moment + timedelta(seconds=age)
        if age > STALE or not hours.may_go(self.message, moment):
            return
        self.outcome = attempt(self.gateway, _bounded(self.message, moment))

    def settle(self) -> bool:
        """Store what came of it; return whether the account's gate has no failures after it."""
        if self.outcome is None:
            self._give_back()
            return self.claimed.is_clean
        return settle(
            self.message,
            self.outcome,
            is_probe=self.claimed.is_probe,
            is_clean=self.claimed.is_clean,
        )

    def _give_back(self) -> None:
        """Let a text wait on that was claimed and not called for, if it is still ours."""
        ours = rows_of(TextMessage).filter(
            pk=self.message.pk,
            status=Status.CREATED,
            due_on=None,
            worker=self.message.worker,
            # Not by the number of the attempt, which comes again with the next claim.
            attempted_on=self.message.attempted_on,
        )
        waits = {
            "due_on": clock.stored(clock.now()),
            "slot": gates.slot_of(self.message.frm, self.gateway.limits),
            "attempted_on": None,
            "attempts": F("attempts") - 1,
        }
        in_transaction(lambda: ours.update(**waits))
        if self.claimed.is_probe:
            breaker.untried(self.message.account)
        logger.warning("Text %s: not called for in time, it waits on", self.message.ref)


def claim_units(
    gateway: Gateway, worker: str, limit: int, *, bulk_limit: int | None = None
) -> tuple[Claim, list[Unit]]:
    """Claim, and return what to call for besides."""
    claimed_at = boot_time()
    claimed = claim(gateway, worker, limit, bulk_limit=bulk_limit)
    return claimed, [Unit(gateway, text, claimed, claimed_at) for text in claimed.texts]


def _bounded(message: TextMessage, moment: datetime) -> TextMessage:
    """Return the message as the provider is to see it: over when its window closes, or before."""
    if not message.window:
        return message
    _, closes = hours.hours(message, moment)
    shown = copy.copy(message)
    if message.expires_on is None or clock.aware(message.expires_on) > closes:
        shown.expires_on = clock.stored(closes)
    return shown
