"""What messages come to, added up: how many, how they ended, how fast and for how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from djsms.rollups.delays import median
from djsms.types import Status

__all__ = ["Failure", "Figures"]


class Failure(NamedTuple):
    """One way of not arriving: the status, the provider's code, or ours, and its words."""

    status: str
    code: str
    words: str


@dataclass(slots=True)
class Figures:
    """Sums over messages. A text that is sent again counts as two."""

    statuses: Counter[str] = field(default_factory=Counter)
    """How many outgoing messages stand so."""
    called: int = 0
    """For how many of them the provider was called."""
    received: int = 0
    """How many messages came in."""
    segments: int = 0
    """Of how many segments those are that the provider was called for."""
    spend: dict[str, Decimal] = field(default_factory=dict)
    """The prices that providers told, by currency."""
    failures: Counter[Failure] = field(default_factory=Counter)
    delays: Counter[int] = field(default_factory=Counter)
    """How long from the call to the report that a part was delivered, by steps."""

    def add(self, other: Figures) -> None:
        """Add other sums to these."""
        self.statuses.update(other.statuses)
        self.called += other.called
        self.received += other.received
        self.segments += other.segments
        for currency, amount in other.spend.items():
            self.pay(currency, amount)
        self.failures.update(other.failures)
        self.delays.update(other.delays)

    def add_stored(self, stored: Mapping[str, Any]) -> None:
        """Add sums as they are stored; a page does so for each of many hours."""
        self.statuses.update(stored["statuses"])
        self.called += stored["called"]
        self.received += stored["received"]
        self.segments += stored["segments"]
        for currency, amount in stored["spend"].items():
            self.pay(currency, Decimal(amount))
        for status, code, words, count in stored["failures"]:
            self.failures[Failure(status, code, words)] += count
        for step, count in stored["delays"].items():
            self.delays[int(step)] += count

    def pay(self, currency: str, amount: Decimal) -> None:
        """Add to what was spent."""
        self.spend[currency] = self.spend.get(currency, Decimal(0)) + amount

    def drop_words(self) -> None:
        """Keep of the failures no more than how many there were of each status and code."""
        failures, self.failures = self.failures, Counter()
        for failure, count in failures.items():
            self.failures[Failure(failure.status, failure.code, "")] += count

    @property
    def delivered(self) -> int:
        return self.statuses[Status.DELIVERED.value]

    @property
    def under_way(self) -> int:
        """How many the provider has taken and said no more of."""
        return self.statuses[Status.SENDING.value] + self.statuses[Status.SENT.value]

    @property
    def failed(self) -> int:
        """How many ended without reaching the handset, called for or not."""
        return sum(n for status, n in self.statuses.items() if Status(status).is_failure)

    @property
    def never_called(self) -> int:
        """How many of the failed ended before a provider was called for them.

        The others, with those delivered, under way and unknown, are all that were called for.
        """
        ended = self.statuses.total() - self.waiting - self.statuses[Status.CANCELLED.value]
        return min(max(ended - self.called, 0), self.failed)

    @property
    def unknown(self) -> int:
        return self.statuses[Status.UNKNOWN.value]

    @property
    def waiting(self) -> int:
        """How many the provider was not called for yet, or is being called for."""
        return self.statuses[Status.CREATED.value]

    @property
    def share(self) -> float | None:
        """Which part of those called for was delivered, if their end is known; None if of none."""
        ended = self.delivered + self.failed - self.never_called
        return self.delivered / ended if ended else None

    @property
    def median_delay(self) -> timedelta | None:
        """How long half of those that were delivered took at most."""
        return median(self.delays)

    def as_json(self) -> dict[str, Any]:
        """Return these sums as they are stored."""
        return {
            "statuses": dict(sorted(self.statuses.items())),
            "called": self.called,
            "received": self.received,
            "segments": self.segments,
            "spend": {currency: str(amount) for currency, amount in sorted(self.spend.items())},
            "failures": [[*failure, count] for failure, count in sorted(self.failures.items())],
            "delays": {str(step): count for step, count in sorted(self.delays.items())},
        }
