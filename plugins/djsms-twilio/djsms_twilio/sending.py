"""A message as parameters of a request to the Messages resource."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TypeAlias

from djsms import OutgoingText
from djsms.exceptions import InvalidMessage, InvalidText

from djsms_twilio import extras
from djsms_twilio.addresses import problem, status_callback

__all__ = [
    "MAGIC_SENDERS",
    "MAX_TEXT_LENGTH",
    "MAX_VALIDITY",
    "Parameters",
    "parameters",
    "warn_of_test_credentials",
]

MAX_TEXT_LENGTH = 1600
MAX_VALIDITY = 36_000
# That of which test credentials accept texts, and those that they refuse in Twilio's several ways.
MAGIC_SENDER = "+15005550006"
MAGIC_SENDERS = frozenset({MAGIC_SENDER, "+15005550001", "+15005550007", "+15005550008"})

Parameters: TypeAlias = dict[str, str | list[str]]

logger = logging.getLogger("djsms.twilio")


def parameters(message: OutgoingText, messaging_service_sid: str = "") -> Parameters:
    """Return the parameters of the message.

    With a messaging service, of the account or by the extra of that name, this chooses the sender.
    Raises ``InvalidText`` for more than 1600 characters, ``InvalidMessage`` for extras that Twilio
    does not have, or not in this way.
    """
    if len(message.text) > MAX_TEXT_LENGTH:
        raise InvalidText(
            f"The text has {len(message.text)} characters; Twilio takes {MAX_TEXT_LENGTH}."
        )
    given = extras.read(message.extra)
    service = given.pop("MessagingServiceSid", messaging_service_sid)
    sender = {"MessagingServiceSid": service} if service else {"From": message.frm}
    fields: Parameters = {"To": message.to, **sender, "Body": message.text, **given}
    if not service:
        _require_service(given)
    if message.status_report and _is_callable(message.callback_url):
        fields["StatusCallback"] = status_callback(message.callback_url, message.ref)
    if message.expires_on is not None:
        start = extras.send_at(message.extra) or datetime.now(UTC)
        left = int((message.expires_on - start).total_seconds())
        longest = int(str(given.get("ValidityPeriod", MAX_VALIDITY)))
        fields["ValidityPeriod"] = str(max(1, min(left, longest)))
    return fields


def warn_of_test_credentials(fields: Parameters) -> None:
    """Say in the log, once, that what was accepted from this sender went to nobody."""
    if fields.get("From") == MAGIC_SENDER:
        _warn_of_test_credentials()


@cache
def _warn_of_test_credentials() -> None:
    logger.warning(
        "Twilio accepted a text from %s, which it does with the account's test credentials only: "
        "nothing is sent with them, and nothing reported.",
        MAGIC_SENDER,
    )


def _require_service(given: Parameters) -> None:
    for name in ("SendAt", "ScheduleType", "ShortenUrls", "FallbackFrom"):
        if name in given:
            raise InvalidMessage(
                f"The extra {name} needs a messaging service: set messaging_service_sid."
            )


# The address of an account stays the same, so it is warned of once and not for each message.
@lru_cache(maxsize=64)
def _is_callable(address: str) -> bool:
    if not address:
        return False
    wrong = problem(address)
    if wrong:
        logger.warning(
            "The address for status reports %s, so it is left out of the requests, which Twilio "
            "would refuse.",
            wrong,
        )
    return not wrong
