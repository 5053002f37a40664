"""A django-simple-sms backend for Twilio Programmable Messaging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from djsms import (
    Balance,
    IncomingText,
    OutgoingText,
    SendResult,
    SentText,
    StatusReport,
    hookimpl,
)
from djsms.exceptions import Forged
from djsms.http import HTTPBackend

from djsms_twilio import answers, asking, checks, errors, incoming, options, reports, sending
from djsms_twilio.addresses import repeated
from djsms_twilio.payload import Fields, fields, single
from djsms_twilio.signatures import Keys, verify

if TYPE_CHECKING:
    import requests
    from django.core.checks import CheckMessage
    from django.http import HttpRequest

__all__ = ["TwilioBackend"]


@dataclass(frozen=True, kw_only=True)
class TwilioBackend(HTTPBackend):
    """Sends through the Messages resource of Twilio's API; reads its webhooks."""

    account_sid: str
    """The account's SID, ``AC`` and 32 hexadecimal digits; also if an API key is used."""
    auth_token: str = field(default="", repr=False)
    """The account's primary auth token. It proves webhooks; without an API key it sends, too."""
    api_key: str = ""
    """SID of an API key (``SK…``) to send with in place of the auth token."""
    api_key_secret: str = field(default="", repr=False)
    auth_tokens: Sequence[str] = field(default=(), repr=False, hash=False)
    """Further auth tokens that webhooks may be signed with: the old or the coming one while the
    primary is being changed."""
    shared_keys: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    """Secrets of shared keys for webhooks by their ids, if the account signs with such."""
    messaging_service_sid: str = ""
    """SID of a messaging service (``MG…``) that chooses the sender of every message."""
    region: str = ""
    """Where the account's data is processed, such as ``ie1``; empty for ``us1``."""
    edge: str = ""
    """By which of Twilio's edge locations the requests enter, such as ``dublin``."""
    base_url: str = options.BASE_URL
    """Where the API is, for tests and proxies; in place of ``region`` and ``edge``."""

    def __post_init__(self) -> None:
        super().__post_init__()
        options.require_credentials(self)
        options.require_keys(self)
        options.require_place(self)

    @property
    def verifies_webhooks(self) -> bool:
        return bool(self.keys)

    @property
    def chooses_originator(self) -> bool:
        return bool(self.messaging_service_sid)

    @property
    def webhook_answer(self) -> tuple[str, str]:
        # Any other text would be sent to the phone that wrote, and an empty one is logged as a
        # mistake. This says: no reply.
        return "text/xml", "<Response/>"

    @property
    def keys(self) -> Keys:
        """What a webhook may be signed with."""
        tokens = (self.auth_token, *self.auth_tokens)
        return Keys(tokens=tuple(filter(None, tokens)), shared=self.shared_keys)

    def configure(self, session: requests.Session) -> None:
        session.headers["Accept"] = "application/json"
        session.auth = (
            (self.api_key, self.api_key_secret)
            if self.api_key
            else (self.account_sid, self.auth_token)
        )

    def raise_for_status(self, response: requests.Response) -> None:
        if error := errors.told(response):
            raise error
        super().raise_for_status(response)

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        parameters = sending.parameters(message, self.messaging_service_sid)
        response = self.post(self._url("Messages"), data=parameters)
        result = answers.result(response.content)
        sending.warn_of_test_credentials(parameters)
        return result

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return reports.of_webhook(self._believed(request), request.META.get("QUERY_STRING", ""))

    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        return incoming.texts(self._believed(request))

    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        return asking.reports(messages, lambda sid: self.get(self._url("Messages", sid)))

    @hookimpl
    def fetch_balance(self) -> Balance:
        return answers.balance(self.get(self._url("Balance")).content)

    @hookimpl
    def webhook_addresses(self, callback_url: str, incoming_url: str) -> Mapping[str, str]:
        return {
            "A message comes in": repeated(incoming_url),
            "Delivery Status Callback": repeated(callback_url),
        }

    @hookimpl
    def check(self, callback_url: str, incoming_url: str, frm: str) -> list[CheckMessage]:
        return list(checks.problems(self, callback_url, incoming_url, frm))

    def _url(self, *path: str) -> str:
        base = options.base_url(self)
        return f"{base}/2010-04-01/Accounts/{self.account_sid}/{'/'.join(path)}.json"

    def _believed(self, request: HttpRequest) -> Fields:
        if self.verifies_webhooks:
            verify(request, self.keys)
        found = fields(request)
        if (single(found, "AccountSid") or self.account_sid) != self.account_sid:
            raise Forged("The request belongs to another Twilio account than account_sid.")
        return found
