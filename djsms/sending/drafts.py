"""A message whose arguments were checked, and the row that it becomes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from djsms import conf, numbers, segments
from djsms.accounts import addresses, gateways
from djsms.accounts.gateways import Gateway
from djsms.exceptions import (
    InvalidMessage,
    InvalidNumber,
    InvalidOptions,
    InvalidText,
    NotSupported,
    TextMessageError,
)
from djsms.ledger import storable
from djsms.ledger.statuses import kind_of
from djsms.models import BACKEND_LENGTH, KEY_LENGTH, NUMBER_LENGTH, TextMessage
from djsms.sending.arguments import Arguments
from djsms.types import Encoding, Status

__all__ = ["Draft", "draft"]

# Of a text that is refused; more than any message carries, and no more than databases take at once.
MAX_KEPT = 64 * 1024


logger = logging.getLogger("djsms")


@dataclass(slots=True)
class Draft:
    """A message that is not stored yet, and the gateway that is to send it."""

    gateway: Gateway
    message: TextMessage
    fail_silently: bool
    error: TextMessageError | None = None
    """Why it is refused: then the row says so, and is all that comes of it."""

    def refuse(self, error: TextMessageError) -> None:
        """Make it one that is stored, and not sent; without silence the error is raised."""
        if not self.fail_silently:
            raise error
        self.error = error
        kind = kind_of(error)
        # Whatever it was made for, it neither waits nor is attempted.
        self.message.due_on, self.message.slot = None, ""
        self.message.attempted_on, self.message.attempts = None, 0
        self.message.status = Status.REFUSED
        self.message.error_kind = kind
        self.message.error_text = storable.clean_text(str(error))
        # Not what it says: numbers and texts are quoted in it.
        logger.warning("Text %s: refused before any call, by %s", self.message.ref, kind)


@sensitive_variables()
def draft(given: Arguments, **fields: Any) -> Draft:
    """Return the message that the arguments make, with further ``fields`` of its row.

    One that cannot be sent as it is given is refused, see ``Draft.refuse``. Raises the errors of
    configuration always.
    """
    gateway = gateways.get(given.using)
    if given.status_report:
        # Made again for the call; what is wrong with it is to be told before there is a row.
        addresses.webhook_url(gateway.alias, "callback")
    frm = _own_sender(gateway) if given.frm is None else given.frm
    try:
        message = _message(given, frm, gateway)
    except TextMessageError as error:
        refused = Draft(gateway, _as_given(given, frm), given.fail_silently)
        refused.refuse(error)
        found = refused
    else:
        found = Draft(gateway, message, given.fail_silently)
    found.message.backend = storable.fit(gateway.backend, BACKEND_LENGTH)
    for name, value in fields.items():
        setattr(found.message, name, value)
    return found


def _own_sender(gateway: Gateway) -> str:
    if not (gateway.limits.frm or gateway.chooses_originator):
        raise InvalidOptions(
            f"The account {gateway.alias!r} has no sender of its own, which frm=None asks for: "
            f"set {conf.place(gateway.alias, 'FROM')}, or give the message a sender."
        )
    return gateway.limits.frm


def _message(given: Arguments, frm: str, gateway: Gateway) -> TextMessage:
    """Return the message as it is sent; raise a ``TextMessageError`` if it cannot be."""
    if not gateway.supports("send"):
        raise NotSupported(f"The backend {gateway.backend!r} cannot send.")
    encoding, count = _measured(given.text, gateway.limits.max_segments)
    return TextMessage(
        account=given.using,
        # None and still empty: the provider chooses.
        frm="" if given.frm is None and not frm else numbers.originator(frm),
        to=numbers.recipient(given.to),
        text=given.text,
        encoding=encoding.value,
        segments=count,
        status_report=given.status_report,
        extra=_extras(given.extra) if given.extra else {},
        key=_checked_key(given.key),
        expires_on=_expiry(given.expires_on),
    )


def _as_given(given: Arguments, frm: str) -> TextMessage:
    """Return the message for the records alone, cut to what its columns take.

    Its numbers are as they are sent, so that they are found, and forgotten, by them; one that
    cannot be read is as somebody wrote it.
    """
    text = storable.clean_text(given.text[:MAX_KEPT])
    encoding, count = segments.count(text)
    return TextMessage(
        account=given.using,
        frm=_read(numbers.originator, frm),
        to=_read(numbers.recipient, given.to),
        text=text,
        encoding=encoding.value,
        segments=count,
        status_report=given.status_report,
        extra=storable.as_given(given.extra),
        key=given.key if _is_key(given.key) else None,
        expires_on=storable.moment(given.expires_on),
    )


def _read(reading: Callable[[str], str], number: str) -> str:
    try:
        return reading(number)
    except InvalidNumber:
        return storable.clean_text(number)[:NUMBER_LENGTH]


def _measured(text: str, most: int) -> tuple[Encoding, int]:
    if not text.strip():
        raise InvalidText(
            "The text holds nothing but white space." if text else "The text is empty."
        )
    if "\0" in text:
        raise InvalidText("The text holds a NUL character, which no text message can carry.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidText(
            f"The text holds half a surrogate pair at index {error.start}; it was cut in the "
            "middle of a character."
        ) from None
    encoding, count = segments.count(text)
    if count > most:
        raise InvalidText(
            f"The text of {len(text)} characters falls into {count} segments; "
            f"a message of this account can have {most}. Shorten it."
        )
    return encoding, count


def _extras(extra: Mapping[str, Any]) -> Any:
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"extra must hold plain JSON values: {error}.") from None
    return storable.json_values(extra)


def _checked_key(key: str | None) -> str | None:
    if key is not None and not _is_key(key):
        raise InvalidMessage(f"key must be a text of 1 to {KEY_LENGTH} characters.")
    return key


def _is_key(key: str | None) -> bool:
    return key is not None and key != "" and storable.fit(key, KEY_LENGTH) == key


def _expiry(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment <= datetime.now(UTC):
        raise InvalidMessage("expires is in the past: the text was worth nothing any more.")
    stored = storable.moment(moment)
    if stored is None:
        raise InvalidMessage("expires is too far in the future.")
    return stored
