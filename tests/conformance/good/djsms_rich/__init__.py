"""A backend for a provider with tokens, signed lists of reports, prices and questions."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import requests

from djsms import (
    Balance,
    IncomingText,
    OutgoingText,
    SendResult,
    SentText,
    Status,
    StatusReport,
    hookimpl,
)
from djsms.exceptions import Forged, InvalidOptions, InvalidWebhook, OutcomeUnknown, Refused
from djsms.http import BearerToken, HTTPBackend, json_object, read_each

if TYPE_CHECKING:
    from django.http import HttpRequest

STATUSES = {"delivered": Status.DELIVERED, "lost": Status.FAILED}
MILLICENTS = Decimal(100_000)
MAX_AGE = 300


@dataclass(frozen=True, kw_only=True)
class RichBackend(HTTPBackend):
    client_id: str
    client_secret: str = field(repr=False)
    webhook_secrets: Sequence[str] = field(default=(), repr=False)
    url: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.webhook_secrets, str):
            raise InvalidOptions("webhook_secrets is a text; it takes a list of texts.")

    @property
    def verifies_webhooks(self) -> bool:
        return any(secret.strip() for secret in self.webhook_secrets)

    @property
    def chooses_originator(self) -> bool:
        return True

    def configure(self, session: requests.Session) -> None:
        session.auth = BearerToken(self.fetch_token)

    def fetch_token(self) -> tuple[str, float]:
        credentials = (self.client_id, self.client_secret)
        answer = self.post(f"{self.url}/oauth/token", auth=credentials).json()
        return answer["access_token"], answer["expires_in"]

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return self.read(self.post(f"{self.url}/messages", json=self.fields(message)))

    def fields(self, message: OutgoingText) -> dict[str, Any]:
        fields = {"to": message.to, "text": message.text, "ref": message.ref}
        if message.frm:
            fields["from"] = message.frm
        if message.expires_on is not None:
            fields["until"] = message.expires_on.astimezone(UTC).isoformat()
        return {**fields, **message.extra}

    def read(self, response: requests.Response) -> SendResult:
        try:
            answer = response.json()
            [entry] = answer["messages"]
            price = Decimal(answer["cost"])
            provider_id, state = entry["id"], entry["state"]
        except (ValueError, LookupError, TypeError, RecursionError, InvalidOperation):
            raise OutcomeUnknown("The answer is not one.") from None
        if not isinstance(provider_id, str) or not provider_id:
            raise OutcomeUnknown("The answer has no id.")
        if state != "accepted":
            raise Refused(f"The message is {state}.")
        return SendResult.accepted(provider_id, price=price, currency="EUR", raw=answer)

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return read_each(entries(self.believed(request), "reports"), report_of)

    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        return [text_of(entry) for entry in entries(self.believed(request), "messages")]

    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        ids = [provider_id for message in messages for provider_id in message.provider_ids]
        if not ids:
            return []
        answer = self.asked(f"{self.url}/messages", params={"ids": ",".join(ids)})
        try:
            return [report_of(entry) for entry in entries(answer, "reports")]
        except InvalidWebhook as error:
            raise OutcomeUnknown(f"The answer is not one: {error}") from None

    @hookimpl
    def fetch_balance(self) -> Balance:
        answer = self.asked(f"{self.url}/balance")
        try:
            amount = Decimal(answer["balance"])
        except (LookupError, TypeError, ValueError, InvalidOperation):
            raise OutcomeUnknown("The answer is not one.") from None
        return Balance(amount=amount, currency="EUR", raw=answer)

    def asked(self, url: str, **request: Any) -> dict[str, Any]:
        try:
            answer = self.get(url, **request).json()
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise OutcomeUnknown("The answer is not one.")
        return answer

    def believed(self, request: HttpRequest) -> dict[str, Any]:
        if self.verifies_webhooks:
            self.verify(request)
        return json_object(request)

    def verify(self, request: HttpRequest) -> None:
        made, _, given = request.headers.get("X-Signature", "").partition(",v1=")
        made = made.removeprefix("t=")
        if not made.isdecimal() or not made.isascii() or len(made) > 12:
            raise Forged("The signature says no time.")
        self.refuse_stale(int(made))
        # All are tried: while a secret is exchanged either may have signed.
        fits = [
            hmac.compare_digest(signature(secret, made, request.body), given.encode())
            for secret in self.webhook_secrets
            if secret.strip()
        ]
        if not any(fits):
            raise Forged("The signature is wrong.")

    def refuse_stale(self, made: int) -> None:
        if abs(time.time() - made) > MAX_AGE:
            raise Forged("The signature is too old, or from the future.")


def signature(secret: str, made: str, body: bytes) -> bytes:
    signed = made.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()


def entries(values: dict[str, Any], name: str) -> list[Any]:
    found = values.get(name)
    if not isinstance(found, list):
        raise InvalidWebhook(f"{name} is no list.")
    return found


def report_of(entry: Any) -> StatusReport:
    return StatusReport(
        status=STATUSES.get(text(entry, "state"), Status.UNKNOWN),
        provider_status=text(entry, "state"),
        provider_id=text(entry, "id"),
        price=price_of(entry),
        currency="EUR",
        occurred_on=moment(entry),
        raw=entry,
    )


def text_of(entry: Any) -> IncomingText:
    return IncomingText(
        frm=text(entry, "from"),
        to=text(entry, "to"),
        text=text(entry, "text"),
        provider_id=text(entry, "id"),
        received_on=moment(entry),
        raw=entry,
    )


def price_of(entry: Any) -> Decimal:
    price = entry.get("price")
    if not isinstance(price, int) or isinstance(price, bool):
        raise InvalidWebhook("price is no whole number.")
    return Decimal(price) / MILLICENTS


def text(entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value:
        raise InvalidWebhook(f"{name} is no text.")
    return value


def moment(entry: Any) -> datetime:
    try:
        return datetime.fromisoformat(text(entry, "at")).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidWebhook("at is no time.") from None
