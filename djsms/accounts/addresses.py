"""The webhook addresses of an account, and the token in them that proves a request."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any, Literal

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from djsms import conf

__all__ = ["bears_token", "token", "webhook_url"]

TOKEN_BYTES = 16


def token(alias: str) -> str:
    """Return the account's token: 128 bits of an HMAC of its alias under ``SECRET_KEY``."""
    return _token(alias, settings.SECRET_KEY)


def bears_token(alias: str, given: str) -> bool:
    """Return whether this is the account's token, by ``SECRET_KEY`` or one of its fallbacks."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    # Every key is tried, so that the time taken does not tell which of them fits.
    fits = [constant_time_compare(given, _token(alias, key)) for key in keys]
    return any(fits)


def webhook_url(alias: str, kind: Literal["callback", "incoming"]) -> str:
    """Return the full address for an account's status reports or incoming texts, with its token.

    Empty if ``DJSMS_BASE_URL`` is not set or the project does not include ``djsms.urls``.
    """
    base = conf.base_url()
    if not base:
        return ""
    try:
        path = reverse(f"djsms:{kind}", args=[alias, token(alias)])
    except NoReverseMatch:
        return ""
    # Only within a request does the path begin with the script's, and the base has it already.
    return f"{base}/{path.removeprefix(get_script_prefix())}"


@cache
def _token(alias: str, key: str | bytes) -> str:
    digest = salted_hmac("djsms.webhooks", alias, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode("ascii").rstrip("=")


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("SECRET_KEY"):
        _token.cache_clear()
