"""A backend for Kannel, the SMS gateway that one runs oneself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from djsms import IncomingText, OutgoingText, SendResult, StatusReport, hookimpl
from djsms.exceptions import InvalidText
from djsms.http import HTTPBackend

from djsms_kannel import addresses, incoming, reports, sending
from djsms_kannel.checks import check_addresses, check_ca_file, check_secrecy
from djsms_kannel.options import require_credential, require_limit, require_path, require_url
from djsms_kannel.parts import Part, parts

if TYPE_CHECKING:
    import requests
    from django.core.checks import CheckMessage
    from django.http import HttpRequest

__all__ = ["KannelBackend"]


@dataclass(frozen=True, kw_only=True)
class KannelBackend(HTTPBackend):
    """Sends through the ``sendsms`` of a Kannel, and reads what it reports and receives."""

    url: str
    """Address of ``sendsms``: ``http://127.0.0.1:13013/cgi-bin/sendsms`` by Kannel's customs."""
    username: str
    """Name of the ``sendsms-user`` in Kannel's configuration."""
    password: str = field(repr=False)
    max_messages: int = 1
    """``max-messages`` of that ``sendsms-user``: into how many parts a text may fall.

    Kannel drops what is beyond it, and says that it accepted the message, so a longer text is
    refused before it gets there. The default of 1 is Kannel's own.
    """
    ca_file: str | os.PathLike[str] = ""
    """File with the certificates (PEM) of a private authority that signed the gateway's own; with
    none, the authorities that everybody trusts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_url(self.url)
        require_credential("username", self.username)
        require_credential("password", self.password)
        require_limit(self.max_messages)
        require_path("ca_file", self.ca_file)

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        if message.segments > self.max_messages:
            raise InvalidText(
                f"The text takes {message.segments} segments, and Kannel would cut it after "
                f"{self.max_messages}. Raise max-messages of the sendsms-user in Kannel's "
                "configuration, and the option max_messages to the same."
            )
        return sending.send_parts(parts(message), lambda part: self._send_part(message, part))

    def _send_part(self, message: OutgoingText, part: Part) -> str:
        response = self.post(
            self.url,
            data=part.text.encode(),
            headers=sending.headers(message, part, self.username, self.password),
            # Given with the request, because the session's own gives way to the environment.
            verify=os.fspath(self.ca_file) or None,
        )
        return sending.answer(response)

    def raise_for_status(self, response: requests.Response) -> None:
        sending.raise_for_answer(response)
        super().raise_for_status(response)

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return [reports.status_report(request)]

    @hookimpl
    def parse_incoming(self, request: HttpRequest) -> list[IncomingText]:
        return [incoming.incoming_text(request)]

    @hookimpl
    def webhook_addresses(self, callback_url: str, incoming_url: str) -> dict[str, str]:
        """Return the ``get-url`` for a ``sms-service``; the ``dlr-url`` goes with each message."""
        return {"get-url": addresses.get_url(incoming_url)} if incoming_url else {}

    @hookimpl
    def check(self, callback_url: str, incoming_url: str) -> list[CheckMessage]:
        return [
            *check_ca_file(self.ca_file),
            *check_secrecy(self.url),
            *check_addresses(callback_url),
        ]
