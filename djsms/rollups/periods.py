"""The sums of the last hours and days, read from those of each hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import HourlyRollup
from djsms.rollups.counting import HOUR
from djsms.rollups.figures import Figures
from djsms.rollups.keeping import hour_of

__all__ = ["PERIODS", "Overview", "Period", "Slice", "overview"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """How far to look back, and in what slices."""

    hours: int
    slice_hours: int


PERIODS = {
    "day": Period(hours=24, slice_hours=1),
    "week": Period(hours=7 * 24, slice_hours=6),
    "month": Period(hours=30 * 24, slice_hours=24),
}


@dataclass(slots=True, kw_only=True)
class Slice:
    """Some hours of a period, in the current time zone."""

    start: datetime
    figures: Figures = field(default_factory=Figures)


@dataclass(slots=True, kw_only=True)
class Overview:
    """What the messages of a period come to."""

    moment: datetime
    """When it was read, by the database's clock."""
    counted_on: datetime | None
    """When hours were last counted; None if none were."""
    stale: int
    """How many of its hours are to be counted anew, since something has changed."""
    total: Figures
    """Of the account that was asked for, or of all."""
    slices: list[Slice]
    accounts: dict[str, Figures]
    """Of each account that has any."""


def overview(period: Period, account: str = "") -> Overview:
    """Return the sums of a period, up to now. One query, which reads a row for each hour."""
    moment = clock.now()
    end = hour_of(moment) + HOUR
    slices = _slices(end, period)
    found = Overview(
        moment=moment,
        counted_on=None,
        stale=0,
        total=Figures(),
        slices=slices,
        accounts={},
    )
    rows = rows_of(HourlyRollup).filter(hour__gte=clock.stored(slices[0].start))
    place = _finder(slices)
    for rollup in rows.order_by("hour"):
        found.stale += rollup.is_stale
        found.counted_on = max(filter(None, (found.counted_on, clock.aware(rollup.counted_on))))
        for name, stored in rollup.figures.items():
            figures = Figures.from_json(stored)
            found.accounts.setdefault(name, Figures()).add(figures)
            if account in ("", name):
                found.total.add(figures)
                place(clock.aware(rollup.hour)).figures.add(figures)
    return found


def _slices(end: datetime, period: Period) -> list[Slice]:
    """Return the empty slices of a period; they begin with hours, or days, of the local time."""
    length = timedelta(hours=period.slice_hours)
    local = timezone.localtime(end - HOUR)
    start = local.replace(hour=local.hour // period.slice_hours * period.slice_hours, minute=0)
    count = period.hours // period.slice_hours
    # By the clock on the wall: a day of 25 hours is one slice.
    wall = start.replace(tzinfo=None)
    starts = [wall - length * number for number in reversed(range(count))]
    return [Slice(start=timezone.make_aware(moment)) for moment in starts]


def _finder(slices: list[Slice]) -> Callable[[datetime], Slice]:
    def place(hour: datetime) -> Slice:
        # Their hours come in order, but few enough not to need it.
        return next((s for s in reversed(slices) if s.start <= hour), slices[0])

    return place
