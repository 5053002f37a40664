"""The outbox of the whole process, there as soon as its name is imported.

As Django does it for mail: from the first import on, in a test environment of Django's, no account
reaches a provider. A test that overrides the settings of an account gets what these ask for. The
outbox is emptied before each test: for Django's test cases by their own ``__call__``, which every
runner uses, in whichever process; for pytest's functions by a fixture of our pytest plugin.
"""

from __future__ import annotations

import functools
from typing import Any

from django.test import SimpleTestCase

from djsms.accounts import gateways, overrides, rehearsing
from djsms.testing.outboxes import Outbox

__all__ = ["outbox"]

outbox = Outbox()


def _stand_in(alias: str) -> object | None:
    # A program that happens to import this, and is no test, sends as ever.
    if not rehearsing.is_under_test() or overrides.asks_for(alias):
        return None
    return outbox.stand_in(alias)


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
