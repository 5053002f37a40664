"""The parameters of Twilio's that a caller may add to one message."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from djsms.exceptions import InvalidMessage

__all__ = ["NAMES", "read", "send_at"]

Write = Callable[[str, Any], str | list[str]]


def read(extra: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the extras as parameters: ``SmartEncoded`` and ``smart_encoded`` are the same.

    Raises ``InvalidMessage`` for what Twilio does not have, and for values that do not fit.
    """
    parameters: dict[str, str | list[str]] = {}
    for key, value in extra.items():
        name = _BY_KEY.get(_key(key))
        if name is None:
            raise InvalidMessage(
                f"Twilio has no extra {str(key)[:40]!r}; it has {', '.join(NAMES)}."
            )
        if name in parameters:
            raise InvalidMessage(f"The extra {name} is given twice.")
        parameters[name] = NAMES[name](name, value)
    if "SendAt" in parameters:
        parameters.setdefault("ScheduleType", "fixed")
    return parameters


def send_at(extra: Mapping[str, Any]) -> datetime | None:
    """Return when Twilio is to send the message, if not at once."""
    for key, value in extra.items():
        if _key(key) == "sendat" and isinstance(value, datetime):
            return value
    return None


def _key(name: object) -> str:
    return str(name).replace("_", "").lower()


def _flag(name: str, value: Any) -> str:
    if not isinstance(value, bool):
        raise InvalidMessage(f"The extra {name} takes True or False.")
    return "true" if value else "false"


def _integer(low: int, high: int) -> Write:
    def write(name: str, value: Any) -> str:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidMessage(f"The extra {name} takes a whole number, {low} to {high}.")
        return str(value)

    return write


def _choice(*words: str) -> Write:
    def write(name: str, value: Any) -> str:
        if value not in words:
            raise InvalidMessage(f"The extra {name} takes one of {', '.join(words)}.")
        return str(value)

    return write


def _sid(prefix: str) -> Write:
    pattern = re.compile(rf"{prefix}[0-9a-fA-F]{{32}}")

    def write(name: str, value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise InvalidMessage(f"The extra {name} takes a SID: {prefix} and 32 digits.")
        return value

    return write


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidMessage(f"The extra {name} takes a text, of printable characters.")
    return value


def _amount(name: str, value: Any) -> str:
    amount = Decimal(value) if isinstance(value, int | Decimal) else Decimal("NaN")
    # Comparing what is no number is an error of its own.
    if isinstance(value, bool) or not amount.is_finite() or not 0 < amount < 10**6:
        raise InvalidMessage(f"The extra {name} takes a Decimal above 0.")
    return f"{amount:f}"


def _moment(name: str, value: Any) -> str:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidMessage(f"The extra {name} takes a datetime with its time zone.")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _addresses(name: str, value: Any) -> list[str]:
    urls = [value] if isinstance(value, str) else value
    if not isinstance(urls, list | tuple) or not 1 <= len(urls) <= 10:
        raise InvalidMessage(f"The extra {name} takes an address, or a list of up to 10.")
    for url in urls:
        if not isinstance(url, str) or not re.match(r"https?://\S+$", url):
            raise InvalidMessage(f"The extra {name} takes addresses that begin with https://.")
    return list(urls)


def _variables(name: str, value: Any) -> str:
    if not isinstance(value, Mapping) or not all(
        isinstance(word, str) for pair in value.items() for word in pair
    ):
        raise InvalidMessage(f"The extra {name} takes a dictionary of texts.")
    return json.dumps(dict(value), ensure_ascii=False)


NAMES: Mapping[str, Write] = {
    "AddressRetention": _choice("retain", "obfuscate"),
    "ApplicationSid": _sid("AP"),
    "Attempt": _integer(1, 1000),
    "ContentRetention": _choice("retain", "discard"),
    "ContentSid": _sid("HX"),
    "ContentVariables": _variables,
    "FallbackFrom": _text,
    "ForceDelivery": _flag,
    "MaxPrice": _amount,
    "MediaUrl": _addresses,
    # Twilio adds purposes, so the list is left to it.
    "MessageIntent": _text,
    "MessagingServiceSid": _sid("MG"),
    "ProvideFeedback": _flag,
    "RiskCheck": _choice("enable", "disable"),
    "ScheduleType": _choice("fixed"),
    "SendAsMms": _flag,
    "SendAt": _moment,
    "ShortenUrls": _flag,
    "SmartEncoded": _flag,
    "TrafficType": _choice("free"),
    "ValidityPeriod": _integer(1, 36_000),
}
"""The parameters by Twilio's names, each with what writes and refuses its values."""

_BY_KEY = {_key(name): name for name in NAMES}
