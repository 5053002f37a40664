"""A django-simple-sms backend for Acme Cloud."""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from djsms import (
    Balance,
    IncomingText,
    OutgoingText,
    PartOf,
    SendResult,
    SentText,
    Status,
    StatusReport,
    hookimpl,
)
from djsms.exceptions import (
    Forged,
    InsufficientFunds,
    InvalidOptions,
    InvalidWebhook,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
)
from djsms.http import BearerToken, HTTPBackend, json_object, read_each

if TYPE_CHECKING:
    import requests
    from django.http import HttpRequest

__all__ = ["AcmeCloudBackend"]


@dataclass(frozen=True, kw_only=True)
class AcmeCloudBackend(HTTPBackend):
    """Sends through the API of Acme Cloud and reads its webhooks."""

    # options: begin
    client_id: str
    """The client id of the account with Acme Cloud."""
    client_secret: str = field(repr=False)
    """Its secret."""
    webhook_secrets: Sequence[str] = field(default=(), repr=False)
    """What Acme Cloud signs webhooks with; two while one is exchanged for the other."""
    url: str = "https://api.example.com"
    """Where the API is; for tests and proxies."""

    # options: end

    # token: begin
    def configure(self, session: requests.Session) -> None:
        session.auth = BearerToken(self._fetch_token)

    def _fetch_token(self) -> tuple[str, float | None]:
        """Return a new token and the seconds that it is good for."""
        credentials = (self.client_id, self.client_secret)
        fields = {"grant_type": "client_credentials"}
        answer = self.post(f"{self.url}/oauth/token", auth=credentials, data=fields).json()
        return answer["access_token"], answer.get("expires_in")

    # token: end

    # signature: begin
    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.webhook_secrets, str):
            raise InvalidOptions("webhook_secrets is a text; it takes a list of texts.")

    @property
    def verifies_webhooks(self) -> bool:
        return any(self.webhook_secrets)

    def _verify(self, request: HttpRequest) -> None:
        """Raise ``Forged`` unless one of the secrets has signed the request, a short while ago."""
        if not self.verifies_webhooks:
            return
        made = request.headers.get("X-Timestamp", "")
        if not (made.isascii() and made.isdigit() and abs(time.time() - int(made[:12])) < 300):
            raise Forged("The signature is not of now.")
        given = request.headers.get("X-Signature", "").encode()
        signed = made.encode() + b"." + request.body
        secrets = [secret.encode() for secret in self.webhook_secrets if secret]
        signatures = [hmac.digest(secret, signed, "sha256").hex() for secret in secrets]
        # Each is tried, since either may be in use while one is exchanged.
        fits = [hmac.compare_digest(signature.encode(), given) for signature in signatures]
        if not any(fits):
            raise Forged("The signature is missing or wrong.")

    # signature: end

    # send: begin
    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        fields = {
            "from": message.frm,
            "to": message.to,
            "text": message.text,
            "reference": message.ref,
        }
        if message.expires_on is not None:
            left = (message.expires_on - datetime.now(UTC)).total_seconds()
            fields["validity"] = str(min(max(int(left), MIN_VALIDITY), MAX_VALIDITY))
        # One of a batch of one: a batch that breaks off would leave each of its texts in doubt.
        return result(self.post(f"{self.url}/messages", json={"messages": [fields]}))

    # send: end

    # parse_callback: begin
    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        self._verify(request)
        return read_each(entries(json_object(request), "reports"), report)

    # parse_callback: end

    # parse_incoming: begin
    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        self._verify(request)
        return [incoming(entry) for entry in entries(json_object(request), "messages")]

    # parse_incoming: end

    # fetch_reports: begin
    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        ids = [provider_id for message in messages for provider_id in message.provider_ids]
        found: list[StatusReport] = []
        for start in range(0, len(ids), MOST_IDS):
            some = ",".join(ids[start : start + MOST_IDS])
            try:
                answer = answered(self.get(f"{self.url}/reports", params={"ids": some}))
                found += read_each(entries(answer, "reports"), report)
            except InvalidWebhook as error:
                raise OutcomeUnknown(f"The answer cannot be read: {error}") from None
            except SendError:
                if not found:
                    raise
                break
        return found

    # fetch_reports: end

    # fetch_balance: begin
    @hookimpl
    def fetch_balance(self) -> Balance:
        answer = answered(self.get(f"{self.url}/balance"))
        try:
            amount = Decimal(answer["credit"])
        except (LookupError, TypeError, ValueError, InvalidOperation):
            raise OutcomeUnknown("The answer tells of no credit.") from None
        return Balance(amount=amount, currency="EUR", raw=answer)

    # fetch_balance: end


# answers: begin
def answered(response: requests.Response) -> dict[str, Any]:
    """Return the JSON object in an answer."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise OutcomeUnknown("The answer is no JSON object.")
    return answer


def result(response: requests.Response) -> SendResult:
    """Return what became of the one message in a batch; the HTTP status speaks of the batch."""
    answer = answered(response)
    try:
        [entry] = answer["results"]
        outcome, provider_id = entry["outcome"], entry["id"]
    except (LookupError, TypeError, ValueError):
        raise OutcomeUnknown("The answer tells of no message.") from None
    if isinstance(outcome, str) and outcome in REFUSALS:
        raise REFUSALS[outcome](f"The message is {outcome}.", code=outcome)
    if outcome != "queued" or not isinstance(provider_id, str) or not provider_id:
        raise OutcomeUnknown("The answer does not say what became of the message.")
    return SendResult.accepted(provider_id, raw=answer)


# answers: end


# reading: begin
STATUSES = {
    "queued": Status.SENDING,
    # A message that waits for a look at its words has neither gone out nor failed.
    "held": Status.SENDING,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "undelivered": Status.FAILED,
    "expired": Status.EXPIRED,
    "blocked": Status.REJECTED,
}
REFUSALS = {"invalid": Refused, "opted_out": RecipientBlocked, "no_credit": InsufficientFunds}
MILLICENTS = 100_000
MIN_VALIDITY, MAX_VALIDITY = 60, 48 * 60 * 60
MOST_IDS = 100


def report(entry: Any) -> StatusReport:
    word = text(entry, "status")
    return StatusReport(
        status=STATUSES.get(word, Status.UNKNOWN),
        provider_status=word,
        provider_id=text(entry, "id"),
        ref=text(entry, "reference"),
        price=price(entry),
        currency="EUR",
        occurred_on=moment(entry, "at"),
        raw=entry,
    )


def incoming(entry: Any) -> IncomingText:
    return IncomingText(
        frm=text(entry, "from"),
        to=text(entry, "to"),
        text=decoded(text(entry, "ucs2")),
        provider_id=text(entry, "id"),
        received_on=moment(entry, "at"),
        part=part(entry),
        # Addresses of media and the flag of an opt-out are here for those who look for them.
        raw=entry,
    )


def text(entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, str):
        raise InvalidWebhook(f"{name} is missing, or no text.")
    return value


def entries(values: dict[str, Any], name: str) -> list[Any]:
    value = values.get(name)
    if not isinstance(value, list):
        raise InvalidWebhook(f"{name} is missing, or no list.")
    return value


def price(entry: dict[str, Any]) -> Decimal | None:
    """Return the price of the whole message so far: 0 once it has been refunded."""
    value = entry.get("millicents")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidWebhook("millicents is no whole number.")
    return Decimal(value) / MILLICENTS


def moment(entry: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.strptime(text(entry, name), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidWebhook(f"{name} is no time.") from None


def decoded(digits: str) -> str:
    """Return the text in hexadecimal UTF-16; half of a pair may be in another part."""
    try:
        return bytes.fromhex(digits).decode("utf-16-be", "surrogatepass")
    except ValueError:
        raise InvalidWebhook("ucs2 is no UTF-16 in hexadecimal digits.") from None


def part(entry: dict[str, Any]) -> PartOf | None:
    values = entry.get("part")
    if values is None:
        return None
    if not isinstance(values, dict):
        raise InvalidWebhook("part is no object.")
    return PartOf(ref=values.get("group"), number=values.get("number"), total=values.get("of"))


# reading: end
