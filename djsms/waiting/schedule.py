"""When a text goes again, and until when it is worth sending."""

from __future__ import annotations

import random
from datetime import timedelta

from djsms.models import TextMessage

__all__ = ["LANES", "lifetime", "pause_before", "seconds_asked_for"]

FIRST = 30.0
FACTOR = 3
# With its jitter it makes an hour.
LONGEST = 3000.0
JITTER = 0.2
# What a provider asks for beyond this is a slip of its clock or of its units.
MOST_ASKED_FOR = 86_400.0

Lane = TextMessage.Lane

LANES = {"urgent": Lane.URGENT, "normal": Lane.NORMAL, "bulk": Lane.BULK}
"""The priorities that a caller may name."""

_LIFETIMES = {
    Lane.URGENT: timedelta(minutes=10),
    Lane.NORMAL: timedelta(hours=4),
    Lane.BULK: timedelta(hours=24),
}


def lifetime(lane: int) -> timedelta:
    """Return how long a text of this lane is worth sending, if nobody says otherwise."""
    return _LIFETIMES[Lane(lane)]


def pause_before(attempts: int) -> timedelta:
    """Return how long a text waits that was surely not taken, after so many attempts.

    30 seconds × 3ⁿ with a jitter of 20 %, at most an hour.
    """
    # Beyond a few the power would only outgrow what a float can hold.
    growth = FACTOR ** min(max(attempts - 1, 0), 10)
    seconds = min(FIRST * growth, LONGEST) * random.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=seconds)


def seconds_asked_for(retry_after: float | None) -> float | None:
    """Return what a backend says that the provider asked for, from nothing to a day.

    None if it is no time at all.
    """
    if isinstance(retry_after, bool) or not isinstance(retry_after, int | float):
        return None
    if not retry_after >= 0:  # so that "not a number" is none either
        return None
    return float(min(retry_after, MOST_ASKED_FOR))
