"""A django-simple-sms backend for the Vonage (formerly Nexmo) SMS API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from djsms import IncomingText, OutgoingText, SendResult, StatusReport, hookimpl
from djsms.exceptions import Forged, InsufficientFunds, InvalidOptions, Refused, Throttled
from djsms.http import HTTPBackend

from djsms_nexmo import (
    answers,
    checks,
    incoming,
    messages_api,
    payload,
    receipts,
    sending,
    signatures,
)

if TYPE_CHECKING:
    import requests
    from django.core.checks import CheckMessage
    from django.http import HttpRequest

__all__ = ["NexmoBackend"]


@dataclass(frozen=True, kw_only=True)
class NexmoBackend(HTTPBackend):
    """Sends through the SMS API; reads the webhooks of the SMS API and of the Messages API."""

    api_key: str
    """The account's API key, 8 characters."""
    api_secret: str = field(default="", repr=False)
    """The account's API secret; not needed if requests are signed."""
    signature_secret: str = field(default="", repr=False)
    """The account's signature secret, another value than the API secret. With it requests are
    signed in place of bearing the API secret, and webhooks must be signed too."""
    signature_method: str = "md5hash"
    """As the account's settings have it: ``md5hash``, ``md5``, ``sha1``, ``sha256``, ``sha512``.
    The default is theirs; the last two are the strong ones."""
    signed_webhooks: bool = True
    """False as long as Vonage's support has not made the account sign its webhooks, although there
    is a signature secret: then the token in their address protects them."""
    webhook_max_age: float | None = None
    """Seconds that a signed webhook may be old. None, the default, accepts any age: Vonage repeats
    failed webhooks for up to three days, and whether with a new time is not documented. What comes
    twice counts once in any case."""
    base_url: str = "https://rest.nexmo.com"
    """Where the SMS API is; for tests and proxies."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("api_key", "api_secret", "signature_secret"):
            _require_plain(name, getattr(self, name))
        if not self.api_key or ":" in self.api_key:
            raise InvalidOptions("api_key is missing or wrong; it has 8 letters and digits.")
        if not (self.api_secret or self.signature_secret):
            raise InvalidOptions("api_secret is missing; or give a signature_secret.")
        if self.signature_method not in list(signatures.METHODS):
            raise InvalidOptions(
                f"signature_method is {self.signature_method!r}; "
                f"it takes one of {', '.join(signatures.METHODS)}."
            )
        if not isinstance(self.signed_webhooks, bool):
            raise InvalidOptions(f"signed_webhooks is {self.signed_webhooks!r}; it takes a bool.")
        _require_age(self.webhook_max_age, verified=self.verifies_webhooks)
        _require_base(self.base_url)

    @property
    def splits_texts(self) -> bool:
        """True: each part of a long text has an id and a delivery receipt of its own."""
        return True

    @property
    def verifies_webhooks(self) -> bool:
        return bool(self.signature_secret) and self.signed_webhooks

    def configure(self, session: requests.Session) -> None:
        session.headers["Accept"] = "application/json"
        # Vonage refuses a signed request with credentials in its header, and requests would take
        # some from a netrc file if it had no authentication at all.
        session.auth = _unchanged if self.signature_secret else (self.api_key, self.api_secret)

    def raise_for_status(self, response: requests.Response) -> None:
        try:
            super().raise_for_status(response)
        except (Refused, Throttled) as error:
            if response.status_code == 402:
                error = InsufficientFunds(error.text, code=error.code)
            raise answers.refusal(error, response.content) from None

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        url = f"{self.base_url.rstrip('/')}/sms/json"
        # Kept in no variable: error reports show those of a call that fails.
        return answers.read(self.post(url, data=self._fields(message)).content)

    def _fields(self, message: OutgoingText) -> dict[str, str]:
        fields = sending.parameters(message)
        if self.signature_secret:
            fields |= {"api_key": self.api_key, "timestamp": signatures.now()}
            fields["sig"] = signatures.sign(fields, self.signature_secret, self.signature_method)
        return fields

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        event = messages_api.event(request)
        if event is None:
            return receipts.reports(self._believed(payload.fields(request)))
        self._believe_event(request)
        return messages_api.reports(event)

    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        event = messages_api.event(request)
        if event is None:
            return incoming.texts(self._believed(payload.fields(request)))
        self._believe_event(request)
        return messages_api.texts(event)

    @hookimpl
    def webhook_addresses(self, callback_url: str, incoming_url: str) -> Mapping[str, str]:
        return {
            "Delivery receipts (DLR) webhooks": callback_url,
            "Inbound SMS webhooks": incoming_url,
        }

    @hookimpl
    def check(self, callback_url: str, incoming_url: str) -> list[CheckMessage]:
        return list(checks.problems(self, callback_url, incoming_url))

    def _believed(self, fields: dict[str, str]) -> dict[str, str]:
        if self.verifies_webhooks:
            fields = signatures.verify(fields, self.signature_secret, self.signature_method)
            if self.webhook_max_age is not None:
                signatures.refuse_stale(fields.get("timestamp"), self.webhook_max_age)
        if (fields.get("api-key") or self.api_key) != self.api_key:
            raise Forged("The request belongs to another Vonage account than api_key.")
        # What is kept should not be fit to be sent again by somebody else.
        return {name: value for name, value in fields.items() if name != "sig"}

    def _believe_event(self, request: HttpRequest) -> None:
        if not self.verifies_webhooks:
            return
        claims = messages_api.verify(request, secret=self.signature_secret, api_key=self.api_key)
        if self.webhook_max_age is not None:
            signatures.refuse_stale(claims.get("iat"), self.webhook_max_age)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _require_plain(name: str, value: object) -> None:
    # The value is a secret, so the message must not hold it.
    if not isinstance(value, str):
        raise InvalidOptions(f"{name} is of type {type(value).__name__}; it takes a str.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise InvalidOptions(f"{name} has a space, a line break or another foreign character.")


def _require_age(value: object, *, verified: bool) -> None:
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise InvalidOptions(f"webhook_max_age is {value!r}; it takes seconds, or None.")
    if not verified:
        raise InvalidOptions("webhook_max_age needs a signature_secret, and signed_webhooks.")


def _require_base(value: object) -> None:
    if not isinstance(value, str) or not sending.host_of(value):
        raise InvalidOptions("base_url is no address; it takes one such as https://rest.nexmo.com.")
    if set(value) & set("@?# "):
        raise InvalidOptions("base_url takes a scheme, a host and a path, and nothing else.")
