"""What is fine in development and a mistake in production."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

from djsms.accounts import gateways
from djsms.backends import DummyBackend, LocalBackend
from djsms.checks import accounts
from djsms.checks.labels import label

__all__ = ["check"]


def check() -> Iterator[CheckMessage]:
    yield from _plain_http()
    for alias in accounts.aliases():
        yield from _local(alias)


def _plain_http() -> Iterator[CheckMessage]:
    if str(getattr(settings, "DJSMS_BASE_URL", "")).lower().startswith("http:"):
        yield CheckWarning(
            "DJSMS_BASE_URL is a plain http address: providers would send texts, and the tokens "
            "that prove them, unencrypted.",
            hint="Use https.",
            id="djsms.W007",
        )


def _local(alias: str) -> Iterator[CheckMessage]:
    try:
        gateway = gateways.get(alias)
    except ImproperlyConfigured:
        return
    if isinstance(gateway.plugin, LocalBackend | DummyBackend):
        yield CheckWarning(
            f"The backend {gateway.backend!r} sends nothing to any phone.",
            hint="Choose the backend of a provider in the production settings.",
            obj=label(alias),
            id="djsms.W008",
        )
