"""Which settings a test overrides just now: with those it asks for what they name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

__all__ = ["asks_for"]

# How many overrides of these settings are in force; a set would forget that they can be nested.
_overridden: Counter[str] = Counter()


def asks_for(alias: str) -> bool:
    """Return whether a test's own settings say what is behind an account."""
    if alias == "default" and _overridden["DJSMS_BACKEND"] > 0:
        return True
    accounts = getattr(settings, "DJSMS_ACCOUNTS", None)
    defined = isinstance(accounts, Mapping) and alias in accounts
    return defined and _overridden["DJSMS_ACCOUNTS"] > 0


@receiver(setting_changed)
def _count(*, setting: str, enter: bool, **kwargs: Any) -> None:
    if setting in ("DJSMS_BACKEND", "DJSMS_ACCOUNTS"):
        _overridden[setting] += 1 if enter else -1
