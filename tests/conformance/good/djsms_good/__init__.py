"""A backend for a provider that does not exist, without a fault as far as the kit can tell."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from django.core import checks

from djsms import IncomingText, OutgoingText, SendResult, Status, StatusReport, hookimpl
from djsms.exceptions import Forged, InvalidWebhook, OutcomeUnknown
from djsms.http import HTTPBackend, json_object

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from django.http import HttpRequest

STATUSES = {"delivered": Status.DELIVERED, "lost": Status.FAILED}


@dataclass(frozen=True, kw_only=True)
class GoodBackend(HTTPBackend):
    token: str = field(repr=False)
    url: str

    @property
    def verifies_webhooks(self) -> bool:
        return bool(self.token)

    def configure(self, session: requests.Session) -> None:
        session.headers["Authorization"] = f"Bearer {self.token}"

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        fields = {"from": message.frm, "to": message.to, "text": message.text, "ref": message.ref}
        return self.read(self.post(f"{self.url}/messages", json=fields))

    def read(self, response: requests.Response) -> SendResult:
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            raise OutcomeUnknown("The answer is no JSON.") from None
        if (
            not isinstance(answer, dict)
            or not isinstance(answer.get("id"), str)
            or not answer["id"]
        ):
            raise OutcomeUnknown("The answer has no id.")
        return SendResult.accepted(answer["id"], raw=answer)

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        values = self.believed(request)
        return [
            StatusReport(
                status=STATUSES.get(text(values, "status"), Status.UNKNOWN),
                provider_status=text(values, "status"),
                provider_id=text(values, "id"),
                occurred_on=moment(values),
                raw=values,
            )
        ]

    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        values = self.believed(request)
        return [
            IncomingText(
                frm=text(values, "from"),
                to=text(values, "to"),
                text=text(values, "text"),
                provider_id=text(values, "id"),
                received_on=moment(values),
                raw=values,
            )
        ]

    @hookimpl
    def webhook_addresses(self, callback_url: str, incoming_url: str) -> Mapping[str, str]:
        return {"Webhook for receipts": callback_url, "Webhook for replies": incoming_url}

    @hookimpl
    def check(self, callback_url: str, incoming_url: str) -> list[CheckMessage]:
        if callback_url.startswith("https:"):
            return []
        return [checks.Warning("The webhooks need https.", id=f"{type(self).__module__}.W001")]

    def believed(self, request: HttpRequest) -> dict[str, Any]:
        values = json_object(request)
        expected = hmac.new(self.token.encode(), request.body, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Signature", "")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Forged("The signature is missing or wrong.")
        return values


def text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise InvalidWebhook(f"{name} is no text.")
    return value


def moment(values: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(values["time"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise InvalidWebhook("time is none.") from None
