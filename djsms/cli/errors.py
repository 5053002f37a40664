"""What a person at the command line can put right, said in a line and without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from djsms.cli.tables import visible
from djsms.exceptions import TextMessageError

__all__ = ["one_line", "sentence", "told"]

ENDS = (".", "?", "!")


@contextmanager
def told() -> Iterator[None]:
    """Turn wrong arguments, settings and databases into a ``CommandError``."""
    try:
        yield
    except (TextMessageError, ImproperlyConfigured) as error:
        raise CommandError(sentence(error)) from error
    except DatabaseError as error:
        raise CommandError(_told_of_database(error)) from error


def one_line(error: BaseException | str) -> str:
    """Return what an error says in one line that cannot command the terminal."""
    return visible(" ".join(_lines(str(error))))


def sentence(error: BaseException | str) -> str:
    """Return what an error says in one line that another sentence may follow."""
    words = one_line(error)
    return words if words.endswith(ENDS) else f"{words}."


def _lines(words: str) -> Iterator[str]:
    """Yield the lines of what a library says; where it begins anew, the line before is ended."""
    lines = [" ".join(line.split()) for line in words.splitlines() if line.strip()]
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        is_sentence = following[:1].isupper() and line[-1].isalnum()
        yield f"{line}." if is_sentence else line


def _told_of_database(error: DatabaseError) -> str:
    words = sentence(error)
    try:
        hint = "" if _is_migrated() else " Run manage.py migrate."
    except DatabaseError:
        return f"The database cannot be used: {words}"
    return f"The database refuses: {words}{hint}"


def _is_migrated() -> bool:
    from djsms.ledger.transactions import database

    executor = MigrationExecutor(connections[database()])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes("djsms"))
