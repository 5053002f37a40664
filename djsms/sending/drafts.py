"""A message whose arguments have proved right, and the row that it becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from djsms import numbers, segments
from djsms.accounts import gateways
from djsms.exceptions import InvalidMessage, InvalidText, NotSupported
from djsms.ledger import storable
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import BACKEND_LENGTH, KEY_LENGTH, TextMessage
from djsms.types import MAX_PARTS, Encoding, Status

__all__ = ["Draft"]


class Draft:
    """A message whose arguments have proved right, with the gateway that is to send it."""

    def __init__(
        self,
        text: str,
        frm: str,
        to: str,
        *,
        status_report: bool,
        using: str,
        extra: Mapping[str, Any] | None,
        key: str | None,
        fail_silently: bool = True,
    ) -> None:
        self.gateway = gateways.get(using)
        if not self.gateway.supports("send"):
            raise NotSupported(f"The backend {self.gateway.backend!r} cannot send.")
        self.fail_silently = fail_silently
        encoding, count = _measured(text)
        self.message = TextMessage(
            account=using,
            backend=storable.fit(self.gateway.backend, BACKEND_LENGTH),
            frm=numbers.originator(frm),
            to=numbers.recipient(to),
            text=text,
            encoding=encoding.value,
            segments=count,
            status=Status.CREATED,
            status_report=status_report,
            extra=_extras(extra),
            key=_checked_key(key),
        )

    def store(self, *, attempted: bool) -> tuple[TextMessage, bool]:
        """Store the row; return it, or the one that has its key already, and whether it is new.

        ``attempted`` marks the row as handed to the provider: from then on it is not known what
        became of it until the answer is stored.
        """
        if attempted:
            self.message.attempted_on = timezone.now()
        try:
            in_transaction(self._insert)
        except IntegrityError:
            key = self.message.key
            first = rows_of(TextMessage).filter(key=key).first() if key else None
            if first is None:
                raise
            return first, False
        return self.message, True

    def _insert(self) -> None:
        self.message.pk = None
        self.message.save(force_insert=True)


def _measured(text: str) -> tuple[Encoding, int]:
    if not isinstance(text, str):
        raise InvalidText(f"The text is not a text, but a {type(text).__name__}.")
    if not text:
        raise InvalidText("The text is empty.")
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
    if count > MAX_PARTS:
        raise InvalidText(
            f"The text of {len(text)} characters falls into {count} segments; "
            f"a message can have {MAX_PARTS}. Shorten it."
        )
    return encoding, count


def _extras(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        raise InvalidMessage(f"extra must be a dictionary, not a {type(extra).__name__}.")
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"extra must hold plain JSON values: {error}.") from None
    values: dict[str, Any] = storable.json_values(extra)
    return values


def _checked_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or not key or storable.fit(key, KEY_LENGTH) != key:
        raise InvalidMessage(f"key must be a text of 1 to {KEY_LENGTH} characters.")
    return key
