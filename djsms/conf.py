"""The project's settings, read when they are needed and never at import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from djsms.exceptions import AccountNotFound, InvalidOptions

__all__ = [
    "Account",
    "account",
    "accounts",
    "aliases",
    "allow_unverified_webhooks",
    "base_url",
    "extensions",
    "flat_option",
    "parts_timeout",
]

DEFAULT_ALIAS = "default"
MAX_PARTS_TIMEOUT = timedelta(days=366)
ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
BASE_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?", re.IGNORECASE)
MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One way to send: the name of a backend and the options to make it with."""

    alias: str
    backend: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


def aliases() -> list[str]:
    """Return the aliases of all accounts, also of those that are wrongly defined."""
    return list(_definitions())


def accounts() -> dict[str, Account]:
    """Return the accounts by alias; raise ``InvalidOptions`` if the settings are no such thing."""
    return {alias: _account(alias, definition) for alias, definition in _definitions().items()}


def account(alias: str) -> Account:
    """Return one account; raise ``AccountNotFound`` if there is none of this alias.

    What is wrong with other accounts does not matter here.
    """
    known = _definitions()
    if alias in known:
        return _account(alias, known[alias])
    if alias == DEFAULT_ALIAS:
        raise AccountNotFound(
            "There is no default account: set DJSMS_BACKEND to the name of an installed backend "
            "(djsms listbackends shows them)."
        )
    names = ", ".join(map(repr, known)) or "none"
    raise AccountNotFound(f"There is no account {alias!r} in DJSMS_ACCOUNTS (known: {names}).")


def flat_option(backend: str, option: str) -> Any:
    """Return the setting ``<BACKEND>_<OPTION>``, or ``MISSING``."""
    return getattr(settings, flat_name(backend, option), MISSING)


def flat_name(backend: str, option: str) -> str:
    """Return the name of the setting that an option falls back to."""
    return f"{backend}_{option}".replace("-", "_").upper()


def extensions() -> list[str]:
    """Return the dotted paths of the plugins around every account, the outermost first."""
    paths = getattr(settings, "DJSMS_EXTENSIONS", [])
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise InvalidOptions("DJSMS_EXTENSIONS must be a list of dotted paths.")
    for path in paths:
        if paths.count(path) > 1:
            raise InvalidOptions(f"DJSMS_EXTENSIONS lists {path!r} twice.")
    return list(paths)


def base_url() -> str:
    """Return the project's public address without a slash at its end; empty if not set."""
    url = getattr(settings, "DJSMS_BASE_URL", None) or ""
    if url and not (isinstance(url, str) and BASE_URL.fullmatch(url)):
        raise InvalidOptions(
            "DJSMS_BASE_URL must be the project's public address, such as 'https://example.com'."
        )
    return str(url).rstrip("/")


def allow_unverified_webhooks() -> bool:
    """Return whether webhook requests are believed that nothing proves."""
    return getattr(settings, "DJSMS_ALLOW_UNVERIFIED_WEBHOOKS", False) is True


def parts_timeout() -> timedelta:
    """Return how long the parts of an incoming text wait for the missing ones."""
    timeout = getattr(settings, "DJSMS_PARTS_TIMEOUT", timedelta(minutes=30))
    if not isinstance(timeout, timedelta):
        raise InvalidOptions(
            f"DJSMS_PARTS_TIMEOUT must be a timedelta, not {type(timeout).__name__}."
        )
    if not timedelta(0) <= timeout <= MAX_PARTS_TIMEOUT:
        raise InvalidOptions("DJSMS_PARTS_TIMEOUT must be a timedelta from nothing to a year.")
    return timeout


def _definitions() -> dict[str, object]:
    """Return what the settings say of each account, as it stands there."""
    found = dict(_mapping("DJSMS_ACCOUNTS"))
    backend = getattr(settings, "DJSMS_BACKEND", None)
    if backend is None:
        return found
    if DEFAULT_ALIAS in found:
        raise InvalidOptions(
            "The account 'default' is defined twice: by DJSMS_BACKEND and in DJSMS_ACCOUNTS."
        )
    if not isinstance(backend, str) or not backend:
        raise InvalidOptions(
            "DJSMS_BACKEND must be the name of a backend; djsms listbackends shows what is "
            "installed."
        )
    return {
        DEFAULT_ALIAS: {"BACKEND": backend, "OPTIONS": _mapping("DJSMS_OPTIONS")},
        **found,
    }


def _mapping(name: str) -> Mapping[str, Any]:
    value = getattr(settings, name, None)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidOptions(f"{name} must be a dictionary, not {type(value).__name__}.")
    return value


def _account(alias: str, definition: object) -> Account:
    if not isinstance(alias, str) or not ALIAS.fullmatch(alias):
        raise InvalidOptions(
            f"{alias!r} in DJSMS_ACCOUNTS is no alias: it stands in webhook addresses, so use up "
            "to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit."
        )
    shape = "must be a dictionary of BACKEND and, if need be, OPTIONS"
    if not isinstance(definition, Mapping):
        raise InvalidOptions(f"The account {alias!r} {shape}, not {type(definition).__name__}.")
    for name in definition:
        if name not in ("BACKEND", "OPTIONS"):
            raise InvalidOptions(f"The account {alias!r} {shape}; it has {name!r}.")
    backend, options = definition.get("BACKEND"), definition.get("OPTIONS", {})
    if not isinstance(backend, str) or not backend:
        raise InvalidOptions(
            f"The account {alias!r} names no backend; djsms listbackends shows what is installed."
        )
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        raise InvalidOptions(
            f"The options of the account {alias!r} must be a dictionary by their names."
        )
    return Account(alias=alias, backend=backend, options=options)
