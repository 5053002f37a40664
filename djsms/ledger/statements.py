"""The statements of every text and of every report, written out.

The ORM takes several times as long to build them anew as a database takes to carry them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connections
from django.db.models import Field, Model
from django.db.models.constants import OnConflict

from djsms.ledger.transactions import database
from djsms.models import TextMessage

__all__ = [
    "assigned",
    "change",
    "columns",
    "execute",
    "insert",
    "insert_unless_there",
    "prepared",
    "table",
]


def change(message: TextMessage, values: Mapping[str, Any]) -> bool:
    """Set columns of a message, and attributes, if its row is at the attempt that was read.

    Returns whether it was, with the status that was read; not if it has been erased since.
    """
    unerased = " AND erased_on IS NULL" if message.erased_on is None else ""
    attempted = "NULL" if message.attempted_on is None else "NOT NULL"
    rows = execute(
        f"UPDATE {table(TextMessage)} SET {assigned(values)} "
        "WHERE id = %s AND status = %s AND attempts = %s "
        f"AND attempted_on IS {attempted}{unerased}",
        [*prepared(TextMessage, values), message.pk, message.status.value, message.attempts],
    )
    if rows:
        for name, value in values.items():
            setattr(message, name, value)
    return bool(rows)


def insert(row: Model) -> None:
    """Insert a row; it does not learn its primary key, and nobody is told.

    Raises ``IntegrityError`` if there is one like it.
    """
    _insert(row, None)


def insert_unless_there(row: Model) -> None:
    """Do as ``insert``, and nothing if there is one like it."""
    _insert(row, OnConflict.IGNORE)


def execute(statement: str, values: list[Any]) -> int:
    """Execute a statement, and return how many rows it was about."""
    with connections[database()].cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def table(model: type[Model]) -> str:
    """Return the name of a model's table, quoted."""
    return connections[database()].ops.quote_name(model._meta.db_table)


def columns(model: type[Model]) -> str:
    """Return the names of all columns of a model, quoted, as a list of SQL."""
    return ", ".join(map(connections[database()].ops.quote_name, _fields(model)))


def assigned(names: Mapping[str, Any]) -> str:
    """Return what ``SET`` is followed by for columns of these names."""
    quote = connections[database()].ops.quote_name
    return ", ".join(f"{quote(name)} = %s" for name in names)


def prepared(model: type[Model], values: Mapping[str, Any]) -> list[Any]:
    """Return the values of columns as the database's driver takes them."""
    connection, fields = connections[database()], _fields(model)
    return [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]


def _insert(row: Model, on_conflict: OnConflict | None) -> None:
    model, using = type(row), database()
    values = [
        field.get_db_prep_save(getattr(row, field.attname), connections[using])
        for field in _fields(model).values()
        if not field.primary_key
    ]
    execute(_insertion(model, using, on_conflict), values)


@cache
def _insertion(model: type[Model], using: str, on_conflict: OnConflict | None) -> str:
    ops = connections[using].ops
    columns = [name for name, field in _fields(model).items() if not field.primary_key]
    names, places = ", ".join(map(ops.quote_name, columns)), ", ".join(["%s"] * len(columns))
    return (
        f"{ops.insert_statement(on_conflict)} {table(model)} ({names}) VALUES ({places}) "
        f"{ops.on_conflict_suffix_sql([], on_conflict, [], [])}"
    )


@cache
def _fields(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {str(field.column): field for field in model._meta.concrete_fields}
