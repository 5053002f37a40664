"""When a text that is to wait may go, and until when: what its caller asks for, and what holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from djsms import conf
from djsms.exceptions import InvalidMessage
from djsms.ledger import storable
from djsms.models import TextMessage
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
    """Return the arguments; raise a ``TypeError`` that names the first one of a wrong type."""
    return Wishes(
        priority=_text("priority", priority),
        run_after=_moment("run_after", run_after),
        expires=_moment("expires", expires),
        window="" if window is None else _text("window", window),
        zone="" if zone is None else _text("zone", _key_of(zone)),
    )


def time(message: TextMessage, limits: conf.Account, wanted: Wishes, now: datetime) -> None:
    """Write into a new message when it is due and when it is over.

    Raises ``InvalidMessage`` if it could never go, and ``InvalidOptions`` for an unknown window.
    """
    if wanted.priority not in LANES:
        names = ", ".join(map(repr, LANES))
        raise InvalidMessage(f"priority must be one of {names}, not {wanted.priority!r}.")
    if wanted.zone and conf.time_zone(wanted.zone) is None:
        raise InvalidMessage(
            f"zone must be a time zone such as 'Europe/London', not {wanted.zone!r}."
        )
    message.lane = LANES[wanted.priority]
    message.zone = wanted.zone
    if wanted.window:
        conf.window(wanted.window)
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
        raise TypeError(f"{name} must be a text, not a {type(value).__name__}.")
    return value


def _key_of(zone: Any) -> Any:
    return zone.key if isinstance(zone, ZoneInfo) else zone


def _moment(name: str, value: Any) -> datetime | timedelta | None:
    if value is None or isinstance(value, timedelta):
        return value
    if not isinstance(value, datetime):
        raise TypeError(
            f"{name} must be an aware datetime or a timedelta, not a {type(value).__name__}."
        )
    if value.utcoffset() is None:
        raise TypeError(
            f"{name} must be an aware datetime or a timedelta; this datetime has no time zone."
        )
    return value
