"""What became of the calls of the last hour, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncMinute

from djsms.ledger import clock
from djsms.ledger.said import said_since
from djsms.models import StatusEvent
from djsms.types import Status

__all__ = ["MINUTES", "Minute", "last_hour", "unknown_of_last_hour"]

MINUTES = 60

TAKEN = (Status.SENDING, Status.SENT, Status.DELIVERED)


@dataclass(slots=True)
class Minute:
    """How many calls for texts of one account ended in a minute, and how."""

    taken: int = 0
    failed: int = 0
    """Those that the provider did not take, also if they wait for another try."""
    unknown: int = 0

    @property
    def total(self) -> int:
        return self.taken + self.failed + self.unknown

    def add(self, status: Status, count: int) -> None:
        if status in TAKEN:
            self.taken += count
        elif status is Status.UNKNOWN:
            self.unknown += count
        else:
            self.failed += count


def last_hour(moment: datetime) -> dict[str, list[Minute]]:
    """Return the sixty minutes up to this one, the oldest first, of each account that had calls.

    One query, which reads what was said in that time and nothing older.
    """
    first = moment.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
    answers = Q(source=StatusEvent.Source.ANSWER, number__lte=1)
    events = said_since(first).filter(answers | Q(source=StatusEvent.Source.ATTEMPT))
    counts = (
        events.annotate(minute=TruncMinute("created_on", tzinfo=UTC))
        .values_list("account", "minute", "status")
        .annotate(count=Count("pk"))
        .order_by()
    )
    hours: dict[str, list[Minute]] = {}
    for account, minute, status, count in counts:
        place = round((clock.aware(minute) - first).total_seconds()) // 60
        if 0 <= place < MINUTES:
            hour = hours.setdefault(account, [Minute() for _ in range(MINUTES)])
            hour[place].add(status, count)
    return hours


def unknown_of_last_hour(moment: datetime) -> int:
    """Return of how many texts it came out in the last hour that nobody knows, and is still so."""
    said = said_since(moment - timedelta(minutes=MINUTES))
    lost = said.filter(status=Status.UNKNOWN, message__status=Status.UNKNOWN)
    return lost.values("message").distinct().count()
