"""Whether the database takes every character that a text may have."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from djsms.ledger.transactions import database

__all__ = ["check"]

# Our columns on MySQL and MariaDB hold every character whatever the database was made for, so there
# it is the connection that matters; on PostgreSQL it is the database, and Django sees to the rest.
ASKED = {
    "mysql": ("SELECT @@character_set_client, @@character_set_connection", "utf8mb4"),
    "postgresql": ("SHOW server_encoding", "UTF8"),
}
HINTS = {
    "mysql": 'Set "charset": "utf8mb4" in its OPTIONS, or take "charset" and "init_command" out.',
    "postgresql": "Move to a database made WITH ENCODING 'UTF8' TEMPLATE template0.",
}


def check(databases: Collection[str]) -> Iterator[CheckMessage]:
    """Check the database of the messages, if it is among those that may be asked."""
    alias = database()
    if alias not in databases:
        return
    connection = connections[alias]
    narrow = _narrow(connection)
    if narrow:
        yield Error(
            f"The database {alias!r} speaks {narrow}, which lacks most characters: texts with an "
            "emoji, and what providers report with one, could not be stored.",
            hint=HINTS[connection.vendor],
            id="djsms.E005",
        )


def _narrow(connection: BaseDatabaseWrapper) -> str:
    """Return the first character set that does not have every character; empty if all do."""
    if connection.vendor not in ASKED:
        return ""
    question, wanted = ASKED[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(question)
        return next((str(said) for said in cursor.fetchone() if said != wanted), "")
