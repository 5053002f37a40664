"""Short transactions that two workers on the same rows can both get through."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connections, router, transaction
from django.db.models import Model

from djsms.models import IncomingPart, TextMessage

__all__ = ["database", "in_transaction", "insert_once"]

T = TypeVar("T")

TRIES = 3


def database() -> str:
    """Return the alias of the database that holds the messages."""
    return router.db_for_write(TextMessage)


def in_transaction(work: Callable[[], T], *rows: Model) -> T:
    """Run the work in a transaction, anew if the database gave way to another worker.

    Databases end one of two transactions that wait for each other, and count on it to come again;
    ``rows`` are what the work changes, and read afresh before it does. Inside a transaction of the
    caller's this cannot be done, and the error is the caller's.
    """
    using = database()
    tries = 1 if connections[using].in_atomic_block else TRIES
    for _ in range(tries - 1):
        try:
            with transaction.atomic(using=using):
                return work()
        except OperationalError:
            for row in rows:
                row.refresh_from_db()
    with transaction.atomic(using=using):
        return work()


def insert_once(row: TextMessage | IncomingPart) -> bool:
    """Insert a row; return False if there is one with its fingerprint already."""

    def insert() -> None:
        row.pk = None
        row.save(force_insert=True)

    try:
        in_transaction(insert)
    except IntegrityError:
        # A receiver may have raised it, and then the row is not there.
        same = type(row)._default_manager.filter(fingerprint=row.fingerprint)
        if row.fingerprint is None or not same.exists():
            raise
        return False
    return True
