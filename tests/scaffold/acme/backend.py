"""A django-simple-sms backend for Acme."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from djsms import IncomingText, OutgoingText, SendResult, Status, StatusReport, hookimpl
from djsms.exceptions import InvalidWebhook, OutcomeUnknown
from djsms.http import HTTPBackend, json_object

if TYPE_CHECKING:
    import requests
    from django.http import HttpRequest

__all__ = ["AcmeBackend"]


@dataclass(frozen=True, kw_only=True)
class AcmeBackend(HTTPBackend):
    """Sends through the API of Acme and reads its webhooks."""

    api_key: str = field(repr=False)
    """The API key of the account with Acme."""
    url: str = "https://api.example.com"
    """Where the API is; for tests and proxies."""

    def configure(self, session: requests.Session) -> None:
        session.headers["Authorization"] = f"Bearer {self.api_key}"

    # send: begin
    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        fields = {
            "from": message.frm,
            "to": message.to,
            "text": message.text,
            "reference": message.ref,
            "callback": message.callback_url,
        }
        response = self.post(f"{self.url}/messages", json=fields)
        return accepted(response)

    # send: end

    # parse_callback: begin
    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        values = json_object(request)
        word = text(values, "status")
        return [
            StatusReport(
                status=STATUSES.get(word, Status.UNKNOWN),
                provider_status=word,
                provider_id=text(values, "id"),
                ref=text(values, "reference"),
                occurred_on=moment(values, "time"),
                raw=values,
            )
        ]

    # parse_callback: end

    # parse_incoming: begin
    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        values = json_object(request)
        return [
            IncomingText(
                frm=text(values, "from"),
                to=text(values, "to"),
                text=text(values, "text"),
                provider_id=text(values, "id"),
                received_on=moment(values, "time"),
                raw=values,
            )
        ]

    # parse_incoming: end


# accepted: begin
def accepted(response: requests.Response) -> SendResult:
    """Return what the provider says of a message that it took."""
    try:
        answer = response.json()
        provider_id, price = answer["id"], Decimal(answer["price"])
    except (ValueError, LookupError, TypeError, RecursionError, InvalidOperation):
        raise OutcomeUnknown("The provider's answer cannot be read.") from None
    if not isinstance(provider_id, str) or not provider_id:
        raise OutcomeUnknown("The provider's answer has no id.")
    return SendResult.accepted(provider_id, price=price, currency="EUR", raw=answer)


# accepted: end


# reading: begin
STATUSES = {
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "undelivered": Status.FAILED,
    "expired": Status.EXPIRED,
}


def text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise InvalidWebhook(f"{name} is missing, or no text.")
    return value


def moment(values: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(values[name], UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        raise InvalidWebhook(f"{name} is missing, or no time.") from None


# reading: end
