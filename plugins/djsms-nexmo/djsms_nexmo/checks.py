"""What ``manage.py check`` says of an account and of the addresses that Vonage is to call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core import checks

from djsms_nexmo.sending import MAX_CALLBACK_LENGTH, address_problem

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

    from djsms_nexmo import NexmoBackend

__all__ = ["problems"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
STRONG_METHODS = frozenset({"sha256", "sha512"})


def problems(backend: NexmoBackend, callback_url: str, incoming_url: str) -> Iterator[CheckMessage]:
    """Yield what is wrong; an empty address is not looked at."""
    for purpose, address in (("status reports", callback_url), ("incoming texts", incoming_url)):
        if not address:
            continue
        if problem := address_problem(address):
            yield checks.Error(
                f"Vonage cannot call the address for {purpose}: it {problem}.",
                hint="Correct DJSMS_BASE_URL.",
                id="djsms_nexmo.E001",
            )
        elif _is_clear_text(address) and not backend.verifies_webhooks:
            yield checks.Warning(
                f"Nothing protects the webhooks for {purpose}: they are not signed, and the token "
                "in their address travels in clear text.",
                hint="Use https in DJSMS_BASE_URL, or let Vonage sign the webhooks.",
                id="djsms_nexmo.W001",
            )
    if len(callback_url) > MAX_CALLBACK_LENGTH:
        yield checks.Warning(
            f"The address for status reports has {len(callback_url)} characters. Vonage takes "
            f"{MAX_CALLBACK_LENGTH} in a request, so it is left out of the requests.",
            hint=(
                "Paste it into the settings of the Vonage account, "
                "or shorten DJSMS_BASE_URL or the account's alias."
            ),
            id="djsms_nexmo.W002",
        )
    if _is_clear_text(backend.base_url):
        yield checks.Warning(
            "Texts and credentials go to Vonage in clear text.",
            hint="Use https in base_url.",
            id="djsms_nexmo.W003",
        )
    if backend.signature_secret and backend.signature_method not in STRONG_METHODS:
        yield checks.Warning(
            f"The signature method {backend.signature_method} is a weak one.",
            hint=(
                "Choose SHA-256 HMAC or SHA-512 HMAC in the settings of the Vonage account, "
                "and set signature_method to sha256 or sha512."
            ),
            id="djsms_nexmo.W004",
        )


def _is_clear_text(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK
