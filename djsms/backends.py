"""Bases that make a backend easy to write, and the backends that need no provider."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterable, Set
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn

from djsms.exceptions import InvalidWebhook
from djsms.hookspecs import hookimpl
from djsms.types import IncomingText, OutgoingText, PartOf, SendResult, Status, StatusReport
from djsms.webhooks import json_object

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["BaseBackend", "DummyBackend", "LocalBackend", "MemoryBackend"]


class BaseBackend:
    """What most backends want; a class that does not inherit from it is as good."""

    @property
    def verifies_webhooks(self) -> bool | Set[str]:
        """Whether the backend itself proves that a webhook request is the provider's.

        True, False, or the names of the hooks whose requests it proves, by raising ``Forged``. For
        those an address without a token will do; a wrong token is refused all the same. Leave it
        False if the signature covers less than the whole request, and raise ``Forged`` besides.
        """
        return False

    @property
    def shares_address(self) -> bool:
        """Whether the provider has one address for status reports and incoming texts.

        Then it is no mistake of its settings if one comes at the address of the other.
        """
        return False

    @property
    def webhook_answer(self) -> tuple[str, str]:
        """What a webhook that was taken is answered with: a content type and a body.

        For providers that make something of it. Two empty texts, the default, are an empty answer.
        """
        return "", ""

    @property
    def chooses_originator(self) -> bool:
        """Whether the provider chooses the originator of a text for which nobody names one.

        Then an account needs no ``FROM`` for ``frm=None``, and ``OutgoingText.frm`` may be empty.
        """
        return False

    @property
    def splits_texts(self) -> bool:
        """Whether the provider reports on each part of a long text by itself, under an id each.

        Then a long text whose answer never came waits for reports on as many parts as it has
        segments, and one failed part fails it. Else the first report is taken for the whole text's.
        """
        return False

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds credentials and is not pickled; "
            "pass the account's alias instead."
        )


class DummyBackend(BaseBackend):
    """Accepts every message and does nothing."""

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return SendResult.accepted(message.ref)


_REPORTED = {status.value: status for status in Status if status.is_reportable}


class LocalBackend(BaseBackend):
    """Base of backends with no provider behind them: webhooks in plain JSON, to try with curl.

    A status report is ``{"ref": "…", "status": "delivered"}``, an incoming text is
    ``{"frm": "+447700900001", "to": "+447700900000", "text": "Hi"}``. Further names are those of
    ``StatusReport`` and ``IncomingText``.
    """

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        given = _Fields(json_object(request))
        given.refuse_slips(StatusReport)
        word = given.text("status", required=True)
        if word not in _REPORTED:
            _refuse_slip("status", word, _REPORTED)
        report = StatusReport(
            status=_REPORTED.get(word, Status.UNKNOWN),
            provider_status=word,
            ref=given.text("ref"),
            provider_id=given.text("provider_id"),
            error_code=given.text("error_code"),
            error_text=given.text("error_text"),
            price=given.money("price"),
            currency=given.text("currency"),
            occurred_on=given.moment("occurred_on"),
            raw=given.values,
        )
        if not (report.ref or report.provider_id):
            raise InvalidWebhook('The report names no message: give "ref" or "provider_id".')
        return [report]

    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        given = _Fields(json_object(request))
        given.refuse_slips(IncomingText)
        return [
            IncomingText(
                frm=given.text("frm", required=True),
                to=given.text("to", required=True),
                text=given.text("text"),
                provider_id=given.text("provider_id"),
                received_on=given.moment("received_on"),
                part=given.part("part"),
                raw=given.values,
            )
        ]


@dataclass(kw_only=True)
class MemoryBackend(LocalBackend):
    """Keeps what it is given in ``messages``, in order: for tests."""

    messages: list[OutgoingText] = field(default_factory=list, init=False)

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        self.messages.append(message)
        return SendResult.accepted(f"memory-{uuid.uuid4().hex}")


def _refuse_slip(what: str, word: str, known: Iterable[str]) -> None:
    # As typed for curl. What looks like nothing of ours may be meant, to see what becomes of it.
    if guess := difflib.get_close_matches(word, known, n=1, cutoff=0.8):
        raise InvalidWebhook(f'There is no {what} "{word[:40]}". Did you mean "{guess[0]}"?')


class _Fields:
    """The values of a JSON object, each checked for its type."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def refuse_slips(self, kind: type) -> None:
        """Refuse a name that is nearly one of those that are read; any other is kept unread."""
        known = {field.name for field in fields(kind)}
        for name in self.values.keys() - known:
            _refuse_slip("name", name, known - self.values.keys())

    def text(self, name: str, *, required: bool = False) -> str:
        value = self.values.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value):
            raise InvalidWebhook(f'"{name}" must be a text, not {type(value).__name__}.')
        return value

    def money(self, name: str) -> Decimal | None:
        value = self.text(name)
        try:
            amount = Decimal(value) if value else None
        except InvalidOperation:
            raise InvalidWebhook(f'"{name}" must be a decimal number in quotes.') from None
        if amount is not None and not amount.is_finite():
            raise InvalidWebhook(f'"{name}" must be a finite number.')
        return amount

    def moment(self, name: str) -> datetime | None:
        value = self.text(name)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidWebhook(f'"{name}" must be a time as in ISO 8601.') from None

    def part(self, name: str) -> PartOf | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise InvalidWebhook(f'"{name}" must be an object with ref, number and total.')
        given = _Fields(value)
        given.refuse_slips(PartOf)
        return PartOf(
            ref=given.text("ref", required=True),
            number=given.number("number"),
            total=given.number("total"),
        )

    def number(self, name: str) -> int:
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidWebhook(f'"{name}" must be a whole number.')
        return value
