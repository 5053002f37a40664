"""The sums of the last hours and days, read from those of each hour."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import HourlyRollup
from djsms.rollups.figures import Figures

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
    accounts: dict[str, Figures] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)
    """Of the account that was asked for, or of all."""


@dataclass(slots=True, kw_only=True)
class Overview:
    """What the messages of a period come to."""

    moment: datetime
    """When it was read, by the database's clock."""
    slices: list[Slice]
    counted_on: datetime | None = None
    """When hours were last counted; None if none were."""
    stale: int = 0
    """How many of its hours are to be counted anew, since something has changed."""
    total: Figures = field(default_factory=Figures)
    """Of the account that was asked for, or of all."""
    accounts: dict[str, Figures] = field(default_factory=dict)
    """Of each account that has any."""


def overview(period: Period, account: str = "") -> Overview:
    """Return the sums of a period, up to now. One query, which reads a row for each hour."""
    moment = clock.now()
    found = Overview(moment=moment, slices=_slices(clock.hour_of(moment), period))
    _read(found)
    for part in found.slices:
        for name, figures in part.accounts.items():
            found.accounts.setdefault(name, Figures()).add(figures)
            if account in ("", name):
                part.figures.add(figures)
        found.total.add(part.figures)
    return found


def _read(found: Overview) -> None:
    starts = [part.start for part in found.slices]
    rows = rows_of(HourlyRollup).filter(hour__gte=clock.stored(starts[0]))
    columns = ("hour", "figures", "counted_on", "is_stale")
    for hour, accounts, counted_on, is_stale in rows.values_list(*columns):
        counted = clock.aware(counted_on)
        if found.counted_on is None or found.counted_on < counted:
            found.counted_on = counted
        found.stale += is_stale
        part = found.slices[bisect_right(starts, clock.aware(hour)) - 1]
        for name, stored in accounts.items():
            part.accounts.setdefault(name, Figures()).add_stored(stored)


def _slices(now: datetime, period: Period) -> list[Slice]:
    """Return the empty slices of a period; they begin with hours, or days, of the local time."""
    length = timedelta(hours=period.slice_hours)
    # By the clock on the wall: a day of 25 hours is one slice.
    wall = timezone.localtime(now).replace(tzinfo=None)
    last = wall.replace(hour=wall.hour // period.slice_hours * period.slice_hours, minute=0)
    count = period.hours // period.slice_hours
    starts = [last - length * number for number in reversed(range(count))]
    return [Slice(start=timezone.make_aware(moment)) for moment in starts]
