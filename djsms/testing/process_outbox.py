"""The outbox of the whole process, there as soon as its name is imported.

As Django does it for mail: from the first import on, in a test environment of Django's, no account
reaches a provider. A test that overrides the settings of an account gets what these ask for. The
outbox is emptied before each test: for Django's test cases by their own ``__call__``, which every
runner uses, in whichever process; for pytest's functions by a fixture of our pytest plugin.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.core import mail
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.test import SimpleTestCase

from djsms import conf
from djsms.accounts import gateways
from djsms.testing.outboxes import Outbox

__all__ = ["outbox"]

outbox = Outbox()

# How many overrides of these settings are in force; a set would forget that they can be nested.
_overridden: Counter[str] = Counter()


@receiver(setting_changed)
def _count(*, setting: str, enter: bool, **kwargs: Any) -> None:
    if setting in ("DJSMS_BACKEND", "DJSMS_ACCOUNTS"):
        _overridden[setting] += 1 if enter else -1


def _stand_in(alias: str) -> object | None:
    # A program that happens to import this, and is no test, sends as ever.
    if not hasattr(mail, "outbox") or _is_asked_for(alias):
        return None
    return outbox.stand_in(alias)


def _is_asked_for(alias: str) -> bool:
    """Return whether a test's own settings say what is behind an account."""
    from django.conf import settings

    if alias == conf.DEFAULT_ALIAS and _overridden["DJSMS_BACKEND"] > 0:
        return True
    accounts = getattr(settings, "DJSMS_ACCOUNTS", None)
    defined = isinstance(accounts, Mapping) and alias in accounts
    return defined and _overridden["DJSMS_ACCOUNTS"] > 0


def _emptying(method: Any) -> Any:
    @functools.wraps(method)
    def emptied(self: SimpleTestCase, *args: Any, **kwargs: Any) -> Any:
        outbox.clear()
        return method(self, *args, **kwargs)

    return emptied


# Kept, since a context manager that is collected as garbage ends what it began.
_standing_in = gateways.replaced(_stand_in)
_standing_in.__enter__()
for _name in ("__call__", "debug"):
    setattr(SimpleTestCase, _name, _emptying(getattr(SimpleTestCase, _name)))
