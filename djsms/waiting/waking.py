"""Waking the engine once texts that are due are stored for good."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from djsms.accounts import engines
from djsms.ledger.transactions import database

__all__ = ["wake_after_commit"]


def wake_after_commit(aliases: Iterable[str]) -> None:
    """Wake the engine for some accounts after the commit: for each once, however often it is asked.

    Robust, since what is stored is stored, whatever becomes of those who are told.
    """
    using = database()
    calls = _calls.setdefault(connections[using], {})
    for alias in aliases:
        call = calls.get(alias)
        if call is None or call.is_done:
            calls[alias] = call = _Call(alias)
        # Each asks by itself, since a savepoint may take away what another asked for.
        transaction.on_commit(call.make, using=using, robust=True)


class _Call:
    """What those who ask in one transaction have in common: the first makes it, at the commit."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.is_done = False

    def make(self) -> None:
        if not self.is_done:
            self.is_done = True
            engines.bell().ring(self.alias)


# A connection belongs to one thread.
_calls: WeakKeyDictionary[BaseDatabaseWrapper, dict[str, _Call]] = WeakKeyDictionary()
