"""Texts that wait and that nobody sends, and databases that may forget that one was sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import translation

from djsms.checks.labels import label
from djsms.ledger.transactions import database
from djsms.waiting.states import QueueState, state
from djsms.waiting.verdicts import trouble

__all__ = ["check", "check_durability"]

# What each says if a commit is on the disk when it returns; more than one word may be right.
DURABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "postgresql": {
        "SHOW fsync": ("on",),
        "SHOW synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
    },
    "mysql": {"SELECT @@innodb_flush_log_at_trx_commit": ("1",)},
    "sqlite": {"PRAGMA synchronous": ("2", "3")},
}
ISOLATION = {
    "postgresql": "SHOW transaction_isolation",
    # of MariaDB and of MySQL; the other does not know it
    "mysql": "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
}


def check(databases: Collection[str]) -> Iterator[CheckMessage]:
    """Check how the queue stands, if its database is among those that may be asked."""
    if database() not in databases:
        return
    # The words around are English, too.
    with translation.override("en"):
        yield from _check(_state())


def _check(queue: QueueState | None) -> Iterator[CheckMessage]:
    for account in queue.accounts if queue is not None else ():
        if account.waiting and not account.is_configured:
            yield CheckWarning(
                "The settings do not define the account, and texts wait for it: "
                f"{account.waiting:,}.",
                hint="Define the account again, or cancel them: djsms cancel --account "
                f"{account.account}.",
                obj=label(account.account),
                id="djsms.W015",
            )
        elif account.is_neglected:
            yield CheckWarning(
                f"Texts are due, and nobody sends them: {account.due:,}. {trouble(account)}",
                hint="djsms queue shows how the queue stands.",
                obj=label(account.account),
                id="djsms.W016",
            )


def check_durability(databases: Collection[str]) -> Iterator[CheckMessage]:
    """Check what the promise rests on that no text is sent twice."""
    alias = database()
    if alias not in databases:
        return
    connection = connections[alias]
    for question, right in DURABLE.get(connection.vendor, {}).items():
        answer = _answer(connection, question)
        if answer not in right:
            yield CheckWarning(
                f"A commit in the database {alias!r} may be lost when the machine fails "
                f"({question} says {answer!r}): a text that was sent would wait again, and be sent "
                "twice.",
                hint="Make commits durable, or accept that; then add djsms.W017 to "
                "SILENCED_SYSTEM_CHECKS.",
                id="djsms.W017",
            )
    question = ISOLATION.get(connection.vendor, "")
    level = _answer(connection, question).replace("-", " ").lower() if question else ""
    if level and level != "read committed":
        yield CheckWarning(
            f"The database {alias!r} works at {level.upper()}: workers that serve the same account "
            "often have to begin a transaction again.",
            hint='READ COMMITTED is enough for djsms; see "isolation_level" in the OPTIONS of '
            "the database.",
            id="djsms.W018",
        )


def _state() -> QueueState | None:
    """Return how the queue stands; None where it cannot be told, as before the first migrate."""
    try:
        with transaction.atomic(using=database()):
            return state()
    except (DatabaseError, ImproperlyConfigured):
        return None


def _answer(connection: BaseDatabaseWrapper, question: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return str(cursor.fetchone()[-1])
