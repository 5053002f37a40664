"""Reading single values as Vonage writes them; what makes no sense is None, never an error."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

__all__ = ["carrier_time", "moment", "money", "unix_time"]

# JSON numbers below a thousandth may come with an exponent.
_MONEY = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,20})?(?:[eE]-[0-9]{1,2})?")
_CARRIER_TIME = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
_UNIX_TIME = re.compile(r"[0-9]{1,11}")

# Outside of these years a time is nonsense; near the ends of the calendar it cannot be converted.
_YEARS = range(2000, 2100)


def money(text: str) -> Decimal | None:
    """Return an amount such as ``0.03330000``."""
    return Decimal(text) if _MONEY.fullmatch(text) else None


def moment(text: str) -> datetime | None:
    """Return a time such as ``2020-01-01 12:00:00``, which is UTC, or one with its own offset."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _in_utc(time)


def carrier_time(text: str) -> datetime | None:
    """Return a time written as ``YYMMDDHHMM``, taken for UTC.

    Some carriers mean their local time, and nothing in the value tells.
    """
    found = _CARRIER_TIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute = map(int, found.groups())
    try:
        return datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def unix_time(text: str) -> datetime | None:
    """Return a time given in seconds since 1970 began."""
    if not _UNIX_TIME.fullmatch(text):
        return None
    return _in_utc(datetime.fromtimestamp(int(text), UTC))


def _in_utc(time: datetime) -> datetime | None:
    if time.year not in _YEARS:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
