"""The arguments of a send, each of its right type; what they say is not looked at here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.views.decorators.debug import sensitive_variables

from djsms.numbers import written
from djsms.segments import plain

__all__ = ["Arguments", "moment_or_span", "typed"]

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What ``send_text`` was called with; error reports may show its repr."""

    text: str = field(repr=False)
    frm: str | None = field(repr=False)
    """None stands for the account's own sender."""
    to: str = field(repr=False)
    fail_silently: bool
    status_report: bool
    using: str
    extra: Mapping[str, Any] = field(repr=False)
    key: str | None
    expires_on: datetime | None
    """Aware."""


@sensitive_variables()
def typed(
    *,
    text: object,
    frm: object,
    to: object,
    fail_silently: object,
    status_report: object,
    using: object,
    extra: object,
    key: object,
    expires: object,
) -> Arguments:
    """Return the arguments; raise a ``TypeError`` that names the first one of a wrong type.

    Lazy translations are texts, and the numbers of ``phonenumbers`` are numbers.
    """
    return Arguments(
        text=plain(text, "text"),
        frm=None if frm is None else written(frm, "frm"),
        to=written(to, "to"),
        fail_silently=_of_type("fail_silently", fail_silently, bool),
        status_report=_of_type("status_report", status_report, bool),
        using=_of_type("using", using, str),
        extra={} if extra is None else _of_type("extra", extra, Mapping),
        key=None if key is None else plain(_of_type("key", key, str), "key"),
        expires_on=None if expires is None else _moment("expires", expires),
    )


def _of_type(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}.")
    return value


def _moment(name: str, value: object) -> datetime:
    given = moment_or_span(name, value)
    if isinstance(given, datetime):
        return given
    try:
        return datetime.now(UTC) + given
    except OverflowError:
        return FOREVER


def moment_or_span(name: str, value: object) -> datetime | timedelta:
    """Return an aware moment, or a time from now; raise ``TypeError`` if it is neither."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, datetime):
        raise TypeError(
            f"{name} must be an aware datetime or a timedelta, not {type(value).__name__}."
        )
    if value.utcoffset() is None:
        raise TypeError(
            f"{name} must be an aware datetime or a timedelta; this datetime has no time zone. "
            "Begin with datetime.now(UTC), give it one by django.utils.timezone.make_aware(), or "
            "say how long from now, as timedelta(hours=2)."
        )
    return value
