"""A message as parameters of a request to the SMS API."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from djsms import Encoding, OutgoingText
from djsms.exceptions import InvalidMessage, InvalidNumber, InvalidText

__all__ = ["MAX_CALLBACK_LENGTH", "address_problem", "host_of", "parameters"]

MAX_TEXT_LENGTH = 3200
MAX_CALLBACK_LENGTH = 100
# Milliseconds for which delivery may be tried.
SHORTEST, LONGEST = 20_000, 604_800_000

logger = logging.getLogger("djsms.nexmo")


def parameters(message: OutgoingText) -> dict[str, str]:
    """Return the parameters of the message, without credentials.

    Raises ``InvalidText`` for more than 3200 characters, ``InvalidNumber`` for a recipient of fewer
    than 7 or more than 15 digits, ``InvalidMessage`` for extras that Vonage does not have.
    """
    if len(message.text) > MAX_TEXT_LENGTH:
        raise InvalidText(
            f"The text has {len(message.text)} characters; Vonage takes {MAX_TEXT_LENGTH}."
        )
    fields = {
        "from": message.frm.removeprefix("+"),
        "to": message.to.removeprefix("+"),
        "text": message.text,
        # Vonage does not look which alphabet a text needs.
        "type": "unicode" if message.encoding == Encoding.UCS2 else "text",
        "client-ref": message.ref,
        # Always told, since Vonage's documents disagree about the default.
        "status-report-req": _boolean(message.status_report),
    }
    if not re.fullmatch(r"[0-9]{7,15}", fields["to"]):
        raise InvalidNumber("The recipient is not a number of 7 to 15 digits.")
    if message.status_report and _usable_callback(message.callback_url):
        fields["callback"] = message.callback_url
    if message.expires_on is not None:
        fields["ttl"] = _time_to_live(message.expires_on)
    return fields | _extras(message.extra)


def address_problem(address: str) -> str:
    """Return why Vonage cannot call a webhook address; empty if it can, as far as one can see."""
    host = host_of(address)
    if not host:
        return "does not begin with https:// and a host"
    return "has an underscore in its host" if "_" in host else ""


def host_of(address: str) -> str:
    """Return the host of an http or https address; empty if it is none."""
    try:
        parts = urlsplit(address)
        # A port that is no number shows when it is asked for.
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    return host if parts.scheme in ("http", "https") and port != 0 else ""


# The address of an account stays the same, so it is warned of once and not for each message.
@lru_cache(maxsize=64)
def _usable_callback(address: str) -> bool:
    if not address:
        return False
    problem = address_problem(address)
    if len(address) > MAX_CALLBACK_LENGTH:
        problem = f"has {len(address)} characters, more than {MAX_CALLBACK_LENGTH}"
    if problem:
        logger.warning(
            "The address for status reports %s, so it is left out of the requests, "
            "and reports go where the settings of the Vonage account say.",
            problem,
        )
    return not problem


def _extras(extra: Mapping[str, Any]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for key, value in extra.items():
        name = str(key).replace("_", "-")
        if name not in _EXTRAS:
            raise InvalidMessage(
                f"Vonage has no extra {str(key)[:40]!r}; it has {', '.join(_EXTRAS)}."
            )
        if name in fields:
            raise InvalidMessage(f"The extra {name} is given twice.")
        fields[name] = _EXTRAS[name](name, value)
    return fields


def _integer(low: int, high: int, unit: str = "") -> Callable[[str, Any], str]:
    def write(name: str, value: Any) -> str:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidMessage(f"The extra {name} takes a whole number{unit}, {low} to {high}.")
        return str(value)

    return write


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidMessage(f"The extra {name} takes a text, of printable characters.")
    return value


def _flag(name: str, value: Any) -> str:
    if not isinstance(value, bool):
        raise InvalidMessage(f"The extra {name} takes True or False.")
    return _boolean(value)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _time_to_live(expires_on: datetime) -> str:
    """Return the milliseconds that are left, cut to what Vonage takes."""
    left = int((expires_on - datetime.now(UTC)).total_seconds() * 1000)
    return str(min(max(left, SHORTEST), LONGEST))


_EXTRAS: Mapping[str, Callable[[str, Any], str]] = {
    "ttl": _integer(SHORTEST, LONGEST, " of milliseconds"),
    "message-class": _integer(0, 3),
    "account-ref": _text,
    "entity-id": _text,
    "content-id": _text,
    "pool-id": _text,
    "trusted-number": _flag,
}
