"""The webhook addresses of an account, and the token in them that proves a request."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any, Literal, TypeAlias

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.urls import NoReverseMatch, URLResolver, get_resolver, get_script_prefix, reverse
from django.utils import translation
from django.utils.crypto import constant_time_compare, salted_hmac

from djsms import conf
from djsms.exceptions import InvalidOptions

__all__ = ["bears_token", "is_of_today", "namespace", "token", "webhook_path", "webhook_url"]

APP_NAME = "djsms"
TOKEN_BYTES = 16

Kind: TypeAlias = Literal["callback", "incoming"]


def token(alias: str) -> str:
    """Return the account's token: 128 bits of an HMAC of its alias under ``SECRET_KEY``."""
    return _token(alias, settings.SECRET_KEY)


def bears_token(alias: str, given: str) -> bool:
    """Return whether this is the account's token, by ``SECRET_KEY`` or one of its fallbacks."""
    # An empty key is none: everybody knows it.
    keys = [key for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS) if key]
    # Every key is tried, so that the time taken does not tell which of them fits.
    fits = [constant_time_compare(given, _token(alias, key)) for key in keys]
    return any(fits)


def is_of_today(alias: str, given: str) -> bool:
    """Return whether this is the account's token by ``SECRET_KEY`` itself."""
    return constant_time_compare(given, token(alias))


def webhook_url(alias: str, kind: Kind) -> str:
    """Return the full address for an account's status reports or incoming texts, with its token.

    Empty if ``DJSMS_BASE_URL`` is not set or ``webhook_path`` finds none. Raises
    ``ImproperlyConfigured`` if the settings that it is made of are wrong.
    """
    base = conf.base_url()
    if not base:
        return ""
    try:
        path = webhook_path(alias, kind)
    except NoReverseMatch:
        return ""
    except ImproperlyConfigured:
        raise
    except Exception as error:
        # It is the project's own, and what it raises when it is loaded may be anything.
        raise InvalidOptions(
            f"The webhook addresses of the account {alias!r} cannot be made, since the URLconf of "
            f"ROOT_URLCONF ({settings.ROOT_URLCONF}) cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
    # Only within a request does the path begin with the script's, and the base has it already.
    return f"{base}/{path.removeprefix(get_script_prefix())}"


def webhook_path(alias: str, kind: Kind) -> str:
    """Return the path of an account's address, the same whoever asks for it and when.

    Raises ``NoReverseMatch`` if the URLconf of ``ROOT_URLCONF`` does not include ``djsms.urls``, or
    includes it below a path with a variable part.
    """
    # A request may have a URLconf and a language of its own; providers call one and the same path.
    with translation.override(None):
        return reverse(
            f"{namespace() or APP_NAME}:{kind}",
            urlconf=settings.ROOT_URLCONF,
            kwargs={"account": alias, "token": token(alias)},
        )


def namespace() -> str | None:
    """Return the namespace that ``djsms.urls`` has in the settings' URLconf, None if it has none.

    ``djsms``, or ``outer:djsms`` where it is included below another namespace.
    """
    return _namespace(get_resolver(settings.ROOT_URLCONF))


def _namespace(resolver: URLResolver) -> str | None:
    if APP_NAME in resolver.app_dict:
        return APP_NAME
    for outer, (_, inner) in resolver.namespace_dict.items():
        found = _namespace(inner)
        if found is not None:
            return f"{outer}:{found}"
    return None


@cache
def _token(alias: str, key: str | bytes) -> str:
    digest = salted_hmac("djsms.webhooks", alias, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode("ascii").rstrip("=")


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting.startswith("SECRET_KEY"):
        _token.cache_clear()
