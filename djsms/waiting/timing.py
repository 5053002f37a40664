"""When a text that is to wait may go, and until when: what its caller asks for, and what holds."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from djsms import conf
from djsms.exceptions import InvalidMessage
from djsms.ledger import storable
from djsms.models import TextMessage
from djsms.sending.arguments import moment_or_span
from djsms.waiting.hours import hours
from djsms.waiting.schedule import LANES, lifetime

__all__ = ["Wishes", "time", "wishes"]

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What ``enqueue_text`` was told of the time; of the right types."""

    priority: str
    run_after: datetime | timedelta | None
    expires: datetime | timedelta | None
    window: str
    zone: str


def wishes(
    *, priority: object, run_after: object, expires: object, window: object, zone: object
) -> Wishes:
    """Return the arguments; raise for a slip in the program that calls.

    That is a ``TypeError`` for a wrong type, a ``ValueError`` for a priority or a zone that there
    is not and for a zone without a window, and ``InvalidOptions`` for a window that there is not.
    """
    found = Wishes(
        priority=_priority(priority),
        run_after=None if run_after is None else moment_or_span("run_after", run_after),
        expires=None if expires is None else moment_or_span("expires", expires),
        window="" if window is None else _text("window", window),
        zone="" if zone is None else _zone(zone),
    )
    if found.window:
        conf.window(found.window)
    elif found.zone:
        raise ValueError(
            "zone says by whose clock a window is meant, and there is no window: name one of "
            "DJSMS_WINDOWS by window, or leave zone out."
        )
    return found


def time(message: TextMessage, limits: conf.Account, wanted: Wishes, now: datetime) -> None:
    """Write into a new message when it is due and when it is over.

    Raises ``InvalidMessage`` if it could never go.
    """
    message.lane = LANES[wanted.priority]
    message.zone = wanted.zone
    if wanted.window:
        # What is urgent is so at any hour.
        message.window = "" if message.lane == TextMessage.Lane.URGENT else wanted.window
    run_after = now if wanted.run_after is None else max(now, _from(now, wanted.run_after))
    _stored("run_after", run_after)
    due_on, _ = hours(message, run_after)
    expires_on = _from(due_on, _life(message, limits, wanted))
    if expires_on <= due_on:
        raise InvalidMessage(_never(now, run_after, due_on, expires_on))
    stored = _stored("expires", expires_on)
    message.due_on, message.expires_on = _stored("run_after", due_on), stored


def _life(message: TextMessage, limits: conf.Account, wanted: Wishes) -> datetime | timedelta:
    if wanted.expires is not None:
        return wanted.expires
    return limits.lifetime or lifetime(message.lane)


def _never(now: datetime, run_after: datetime, due_on: datetime, expires_on: datetime) -> str:
    if expires_on <= now:
        return "expires is in the past: the text is worth nothing any more."
    if expires_on <= run_after:
        return "expires is not after run_after, so the text could never go."
    return f"expires is before the window opens, at {due_on:%Y-%m-%d %H:%M} UTC."


def _from(start: datetime, given: datetime | timedelta) -> datetime:
    if isinstance(given, datetime):
        return given.astimezone(UTC)
    try:
        return start + given
    except OverflowError:
        return FOREVER


def _stored(name: str, moment: datetime) -> datetime:
    stored = storable.moment(moment)
    if stored is None:
        raise InvalidMessage(f"{name} is too far in the future.")
    return stored


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, not {type(value).__name__}.")
    return value


def _priority(value: object) -> str:
    priority = _text("priority", value)
    if priority not in LANES:
        names = ", ".join(map(repr, LANES))
        raise ValueError(f"priority must be one of {names}, not {priority!r}.")
    return priority


def _zone(value: object) -> str:
    zone = _text("zone", value.key if isinstance(value, ZoneInfo) else value)
    if zone and conf.time_zone(zone) is None:
        raise ValueError(
            f"zone must be the name of a time zone, such as 'Europe/London', not {zone!r}."
            f"{_meant_zone(zone)}"
        )
    return zone


def _meant_zone(word: str) -> str:
    """Return a question for the zone that was probably meant, as people know them by their city."""
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(available_timezones())}
    city = word.rpartition("/")[2].strip().replace(" ", "_").casefold()
    guess = difflib.get_close_matches(city, cities, n=1, cutoff=0.9)
    return f" Did you mean {cities[guess[0]]!r}?" if guess else ""
