"""The database that holds the messages, and short transactions that all workers get through."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    router,
    transaction,
)
from django.db.models import Model, QuerySet

from djsms.models import IncomingPart, TextMessage

__all__ = ["database", "in_transaction", "insert_once", "read_afresh", "rows_of"]

T = TypeVar("T")
Row = TypeVar("Row", bound=Model)

TRIES = 5
PAUSE = 0.05  # seconds, at most, and more with each try


def database() -> str:
    """Return the alias of the database that messages are written to."""
    return router.db_for_write(TextMessage)


def rows_of(model: type[Row]) -> QuerySet[Row]:
    """Return all rows of a model, read where they are written: a replica may lag behind."""
    return model._default_manager.using(database())


def read_afresh(row: Model) -> None:
    """Read a row again where it is written."""
    row.refresh_from_db(using=database())


def in_transaction(work: Callable[[], T], *rows: Model) -> T:
    """Run the work in a transaction, anew if the database gave way to another worker.

    Databases end one of two transactions that wait for each other, and count on it to come again; a
    connection may have died while a provider took its time. ``rows`` are what the work changes, and
    are read afresh before another try. Inside a transaction of the caller's none of this can be
    done, and the error is the caller's.
    """
    using = database()
    tries = 1 if connections[using].in_atomic_block else TRIES
    for number in range(1, tries):
        try:
            with transaction.atomic(using=using):
                return work()
        except (OperationalError, InterfaceError):
            _recover(using, number, rows)
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
        same = rows_of(type(row)).filter(fingerprint=row.fingerprint)
        if row.fingerprint is None or not same.exists():
            raise
        return False
    return True


def _recover(using: str, number: int, rows: tuple[Model, ...]) -> None:
    connection = connections[using]
    connection.errors_occurred = True
    connection.close_if_unusable_or_obsolete()
    # Workers that run into each other in step would do so again.
    time.sleep(random.uniform(0, PAUSE * number))
    for row in rows:
        read_afresh(row)
