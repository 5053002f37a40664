"""When a window is open: for a text only while it is open in every zone its number may lie in.

All is worked out by the wall clock of the zone and compared in UTC. Where clocks change, a window
stays closed in doubt: of an hour that comes twice it takes the later to open and the earlier to
close, and of an hour that does not come it opens after the gap and closes before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from djsms import conf

__all__ = ["opening", "zones_of"]

Interval = tuple[datetime, datetime]

DAY = timedelta(days=1)
# Every day of the week, and those that the zones of the world are apart from each other.
HORIZON = 9


def opening(window: conf.Window, zones: Sequence[ZoneInfo], after: datetime) -> Interval:
    """Return when the window is next open, from ``after`` on, and when it closes then; in UTC.

    If it is open already, that is at once. Without zones, and where it is never open in all of them
    at the same time, the window's own zone decides.
    """
    after = after.astimezone(UTC)
    for candidates in (tuple(zones), (window.zone,)):
        for opens, closes in _intervals(window, candidates, after.date()):
            if after < closes:
                return max(opens, after), closes
    # It has a day of the week in its own zone at the least; but a change of clocks may swallow it.
    return after + HORIZON * DAY, after + (HORIZON + 1) * DAY


def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """Return all time zones that a phone number may lie in; none if nothing is known of it."""
    # Their tables are large, and only who has windows pays for them.
    import phonenumbers
    from phonenumbers import timezone

    try:
        names = timezone.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    found = [conf.time_zone(name) for name in names if name != timezone.UNKNOWN_TIMEZONE]
    return tuple(zone for zone in found if zone is not None)


@lru_cache(maxsize=256)
def _intervals(window: conf.Window, zones: tuple[ZoneInfo, ...], day: date) -> tuple[Interval, ...]:
    """Return when the window is open in all zones, from this day (UTC) on, in order."""
    if not zones:
        return ()
    # Places of the same hours are one: 42 zones of North America have nine of them.
    each = {_joined(_openings(window, zone, day)) for zone in zones}
    common, *others = each
    for intervals in others:
        common = tuple(_overlaps(common, intervals))
    return common


def _openings(window: conf.Window, zone: ZoneInfo, day: date) -> Iterator[Interval]:
    overnight = window.closes <= window.opens
    # From two days before: one may have opened yesterday, in a zone a day ahead of UTC.
    for offset in range(-2, HORIZON):
        start = day + offset * DAY
        if start.weekday() not in window.days:
            continue
        opens = max(_moments(start, window.opens, zone))
        closes = min(_moments(start + DAY if overnight else start, window.closes, zone))
        if opens < closes:
            yield opens, closes


def _moments(day: date, hour: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the two moments that a wall clock's time may mean; nearly always the same."""
    first, second = (
        datetime.combine(day, hour, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for fold in (0, 1)
    )
    return first, second


def _joined(intervals: Iterator[Interval]) -> tuple[Interval, ...]:
    """Join those that touch, as the days of a window that never closes do."""
    found: list[Interval] = []
    for opens, closes in intervals:
        if found and opens <= found[-1][1]:
            found[-1] = found[-1][0], max(closes, found[-1][1])
        else:
            found.append((opens, closes))
    return tuple(found)


def _overlaps(ones: tuple[Interval, ...], others: tuple[Interval, ...]) -> Iterator[Interval]:
    for opens, closes in ones:
        for other_opens, other_closes in others:
            start, end = max(opens, other_opens), min(closes, other_closes)
            if start < end:
                yield start, end
