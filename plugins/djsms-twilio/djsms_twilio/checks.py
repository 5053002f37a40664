"""What ``manage.py check`` says of an account and of the addresses that Twilio is to call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from djsms_twilio import addresses, options
from djsms_twilio.sending import MAGIC_SENDERS

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

    from djsms_twilio import TwilioBackend

__all__ = ["problems"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PREFIXES = {"account_sid": "AC", "api_key": "SK", "messaging_service_sid": "MG"}
NAMES = {"AC": "an account", "SK": "an API key", "MG": "a messaging service"}


def problems(
    backend: TwilioBackend, callback_url: str, incoming_url: str, frm: str
) -> Iterator[CheckMessage]:
    """Yield what is wrong; an empty address is not looked at."""
    yield from _sids(backend)
    yield from _sender(backend, frm)
    for purpose, address in (("status reports", callback_url), ("incoming texts", incoming_url)):
        if address:
            yield from _address(backend, purpose, address)
    if _is_clear_text(options.base_url(backend)):
        yield checks.Warning(
            "Texts and credentials go to Twilio in clear text.",
            hint="Use https in base_url.",
            id="djsms_twilio.W002",
        )
    if not backend.verifies_webhooks:
        yield checks.Warning(
            "Webhooks are not checked for Twilio's signature: an API key does not sign, the "
            "account's auth token does.",
            hint="Set auth_token as well; the API key goes on sending.",
            id="djsms_twilio.W003",
        )


def _sids(backend: TwilioBackend) -> Iterator[CheckMessage]:
    for name, prefix in PREFIXES.items():
        value = getattr(backend, name)
        if not value:
            continue
        if not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value):
            other = NAMES.get(value[:2], "")
            yield checks.Error(
                f"The option {name} is no SID of {NAMES[prefix]}"
                + (f", but of {other}." if other and value[:2] != prefix else "."),
                hint=f"It is {prefix} and 32 hexadecimal digits.",
                id="djsms_twilio.E001",
            )
        elif len(set(value[2:].lower())) == 1:
            yield checks.Warning(
                f"The option {name} looks like the placeholder of an example.",
                hint="Copy yours from Twilio's console.",
                id="djsms_twilio.W004",
            )


def _sender(backend: TwilioBackend, frm: str) -> Iterator[CheckMessage]:
    if frm in MAGIC_SENDERS and not settings.DEBUG:
        yield checks.Warning(
            f"The account's FROM is {frm}, which Twilio knows with the account's test credentials "
            "only: with them nothing is sent, and nothing reported.",
            hint="In production give the live credentials, and a number of the account.",
            id="djsms_twilio.W005",
        )
    elif frm and backend.messaging_service_sid:
        yield checks.Warning(
            "The account has a FROM, which stands in the records, and a messaging service, which "
            "chooses another sender.",
            hint="Take out FROM: with a messaging service texts need none. To send from FROM, take "
            "out messaging_service_sid.",
            id="djsms_twilio.W006",
        )


def _address(backend: TwilioBackend, purpose: str, address: str) -> Iterator[CheckMessage]:
    if problem := addresses.problem(address):
        yield checks.Error(
            f"Twilio cannot call the address for {purpose}: it {problem}.",
            hint="Correct DJSMS_BASE_URL.",
            id="djsms_twilio.E002",
        )
    elif _is_clear_text(address) and not backend.verifies_webhooks:
        yield checks.Warning(
            f"Nothing protects the webhooks for {purpose}: their signature is not checked, and the "
            "token in their address travels in clear text.",
            hint="Use https in DJSMS_BASE_URL, or set auth_token.",
            id="djsms_twilio.W001",
        )


def _is_clear_text(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK
