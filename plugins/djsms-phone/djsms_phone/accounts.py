"""Which accounts of the project have phones behind them, by its settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

__all__ = ["backends", "originators", "phone_accounts", "point_to_phones"]

BACKEND = "phone"


def backends() -> dict[str, str]:
    """Return the name of each account's backend, by its alias."""
    found = {alias: str(given.get("BACKEND", "")) for alias, given in _accounts().items()}
    if backend := getattr(settings, "DJSMS_BACKEND", None):
        found = {"default": str(backend), **found}
    return found


def phone_accounts() -> list[str]:
    return [alias for alias, backend in backends().items() if backend == BACKEND]


def originators() -> list[tuple[str, str]]:
    """Return who the phone accounts send from by themselves: account and originator."""
    named = {"default": getattr(settings, "DJSMS_FROM", "")}
    named |= {alias: given["FROM"] for alias, given in _accounts().items() if given.get("FROM")}
    return [(alias, str(named[alias])) for alias in phone_accounts() if named.get(alias)]


def point_to_phones(changed: Any) -> None:
    """Put phones behind every account, by assigning to the settings of a test.

    What else is said of an account, such as its originator, stays.
    """
    if "default" not in _accounts():
        changed.DJSMS_BACKEND, changed.DJSMS_OPTIONS = BACKEND, {}
    changed.DJSMS_ACCOUNTS = {
        alias: {**given, "BACKEND": BACKEND, "OPTIONS": {}} for alias, given in _accounts().items()
    }


def _accounts() -> dict[str, Mapping[str, Any]]:
    given = getattr(settings, "DJSMS_ACCOUNTS", None)
    if not isinstance(given, Mapping):
        # Told by the core's checks, if it is anything at all.
        return {}
    return {alias: account for alias, account in given.items() if isinstance(account, Mapping)}
