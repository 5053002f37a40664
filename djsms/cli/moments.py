"""Times as a person gives them at the command line."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from django.utils import timezone

__all__ = ["moment", "seconds"]

SPAN = re.compile(r"([0-9]{1,5})(min|h|d)")
UNITS = {"min": "minutes", "h": "hours", "d": "days"}


def moment(value: str) -> datetime:
    """Return the time that is so long ago, as ``2h``, or that is written out; always aware.

    For ``argparse``, whose error it raises.
    """
    if span := SPAN.fullmatch(value):
        return datetime.now(UTC) - timedelta(**{UNITS[span[2]]: int(span[1])})
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise ArgumentTypeError(
            f"say 30min, 2h, 3d, or a time such as 2026-11-26T08:00, not {value!r}"
        ) from None
    if timezone.is_aware(when):
        return when
    return timezone.make_aware(when, timezone.get_default_timezone())


def seconds(value: str) -> float:
    """Return a number of seconds; raise the error of ``argparse`` for what is no number."""
    try:
        return float(value)
    except ValueError:
        raise ArgumentTypeError(
            f"say a number of seconds, such as 60 or 0.5, not {value!r}"
        ) from None
