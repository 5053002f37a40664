"""Transactions on the database that messages are written to, which may be anyone's."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    router,
    transaction,
)
from django.db.models import Model, QuerySet

from djsms.ledger import told
from djsms.models import IncomingPart, TextMessage

__all__ = ["database", "in_transaction", "insert_once", "persist", "read_afresh", "rows_of"]

T = TypeVar("T")
Row = TypeVar("Row", bound=Model)

TRIES = 10
PAUSE = 0.05  # seconds, at most, and more with each try
PATIENCE = 20  # seconds; after them there is no other try

SERIALIZATION_FAILURE = "40001"  # SQLSTATE, as PostgreSQL gives it
DEADLOCK, CHANGED_SINCE = 1213, 1020  # error numbers of MySQL and MariaDB

OUTDATED = (
    "What was to be changed has been changed by others since this transaction began, or is being "
    "changed by them, and at its isolation level the database takes no change on top of theirs. "
    "End the transaction and run it again, or call djsms outside of it, as by "
    "transaction.on_commit()."
)


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
    """Run the work in a transaction, as often as ``persist`` finds right."""

    def run() -> T:
        with transaction.atomic(using=database()):
            return work()

    return persist(run, *rows)


def persist(work: Callable[[], T], *rows: Model) -> T:
    """Run the work, anew on a sound connection if the database gave way.

    Databases end one of two transactions that wait for each other, and count on it to come again; a
    connection may have died since it was last used. So the work must begin anew by itself, as a
    transaction does. ``rows`` are what it changes, and are read afresh before another try.

    Once receivers have been told of a change there is no other try, since it would tell them again;
    unless the database itself has undone all, theirs too, because it could not put transactions in
    an order, and demands that they be run again.

    Inside a transaction of the caller's none of this can be done, and the error is the caller's.
    """
    using = database()
    if connections[using].in_atomic_block:
        return _once(work)
    end = time.monotonic() + PATIENCE
    told_before = told.count()
    for number in itertools.count(1):
        try:
            if number > 1:
                _recover(using, number)
                for row in rows:
                    read_afresh(row)
            return work()
        except (OperationalError, InterfaceError) as error:
            has_told = told.count() > told_before
            if has_told and _sqlstate(error) != SERIALIZATION_FAILURE:
                raise
            if number == TRIES or time.monotonic() > end:
                raise
    raise AssertionError("unreachable")  # pragma: no cover


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


def _once(work: Callable[[], T]) -> T:
    try:
        return work()
    except OperationalError as error:
        if _is_outdated(error):
            raise OperationalError(OUTDATED) from error
        raise


def _recover(using: str, number: int) -> None:
    connection = connections[using]
    connection.errors_occurred = True
    connection.close_if_unusable_or_obsolete()
    # Workers that run into each other in step would do so again.
    time.sleep(random.uniform(0, PAUSE * number))


def _is_outdated(error: DatabaseError) -> bool:
    return (
        _sqlstate(error) == SERIALIZATION_FAILURE
        or error.args[:1] in ((DEADLOCK,), (CHANGED_SINCE,))
        or getattr(error.__cause__, "sqlite_errorname", "") == "SQLITE_BUSY_SNAPSHOT"
    )


def _sqlstate(error: DatabaseError | InterfaceError) -> str:
    """Return PostgreSQL's code; psycopg 2 names it otherwise than psycopg 3."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""
