"""What the options of an account may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from djsms.exceptions import InvalidOptions

if TYPE_CHECKING:
    from djsms_twilio import TwilioBackend

__all__ = ["BASE_URL", "base_url", "require_credentials", "require_keys", "require_place"]

BASE_URL = "https://api.twilio.com"
DOMAIN = "twilio.com"
DEFAULT_REGION = "us1"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SID = re.compile(r"[A-Za-z0-9]+")


def base_url(backend: TwilioBackend) -> str:
    """Return the address that the API's paths come after."""
    if not (backend.region or backend.edge):
        return backend.base_url.rstrip("/")
    # An edge alone leads to the region where accounts are unless they say otherwise.
    region = backend.region or DEFAULT_REGION
    return f"https://{'.'.join(filter(None, ('api', backend.edge, region, DOMAIN)))}"


def require_credentials(backend: TwilioBackend) -> None:
    """Raise ``InvalidOptions`` unless the account can send."""
    for name in ("account_sid", "api_key", "messaging_service_sid"):
        value = getattr(backend, name)
        if not isinstance(value, str) or (value and not _SID.fullmatch(value)):
            raise InvalidOptions(f"{name} is no SID; it has two letters and 32 digits.")
    for name in ("auth_token", "api_key_secret"):
        _require_secret(name, getattr(backend, name))
    if not backend.account_sid:
        raise InvalidOptions("account_sid is missing; it begins with AC, also with an API key.")
    if bool(backend.api_key) != bool(backend.api_key_secret):
        raise InvalidOptions("api_key and api_key_secret go together: give both or none.")
    if not (backend.auth_token or backend.api_key):
        raise InvalidOptions("auth_token is missing; or give api_key and api_key_secret.")


def require_keys(backend: TwilioBackend) -> None:
    """Raise ``InvalidOptions`` for further keys of webhooks that are none."""
    tokens: Any = backend.auth_tokens
    shared: Any = backend.shared_keys
    if not isinstance(tokens, list | tuple):
        raise InvalidOptions(
            f"auth_tokens is of type {type(tokens).__name__}; it takes a list of texts."
        )
    for token in tokens:
        _require_secret("auth_tokens", token)
    if not isinstance(shared, Mapping):
        raise InvalidOptions(
            f"shared_keys is of type {type(shared).__name__}; it takes a dictionary of secrets "
            "by the keys' ids."
        )
    for key, secret in shared.items():
        if not isinstance(key, str) or not key:
            raise InvalidOptions("shared_keys has an id that is none.")
        _require_secret("shared_keys", secret)
        if not secret:
            raise InvalidOptions("shared_keys has an empty secret, which would prove nothing.")


def require_place(backend: TwilioBackend) -> None:
    """Raise ``InvalidOptions`` unless the options say where the API is, and say it once."""
    for name in ("region", "edge"):
        value: Any = getattr(backend, name)
        if not isinstance(value, str) or (value and not _LABEL.fullmatch(value)):
            raise InvalidOptions(f"{name} is {value!r}; it takes a name such as ie1 or dublin.")
    if not _is_base(backend.base_url):
        raise InvalidOptions(
            f"base_url is no address; it takes a scheme, a host and perhaps a path: {BASE_URL}."
        )
    if (backend.region or backend.edge) and backend.base_url != BASE_URL:
        raise InvalidOptions("base_url is in place of region and edge: give it, or them.")


def _require_secret(name: str, value: object) -> None:
    # The value is a secret, so the message must not hold it.
    if not isinstance(value, str):
        raise InvalidOptions(f"{name} is of type {type(value).__name__}; it takes a str.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise InvalidOptions(f"{name} has a space, a line break or another foreign character.")


def _is_base(value: object) -> bool:
    if not isinstance(value, str) or set(value) & set("@?# "):
        return False
    try:
        parts = urlsplit(value)
        # A port that is no number shows when it is asked for.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
