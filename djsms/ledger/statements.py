"""The two statements of every report, written out.

The ORM takes several times as long to build them anew as a database takes to carry them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django.db import connections
from django.db.models import Field, Model

from djsms.ledger.transactions import database
from djsms.models import TextMessage

__all__ = ["change", "insert"]


def change(message: TextMessage, values: Mapping[str, Any]) -> bool:
    """Set columns of a message, and attributes, if its row has the status that was read.

    Returns whether it had; not if it has been erased since.
    """
    quote = connections[database()].ops.quote_name
    fields = _columns(TextMessage)
    pairs = ", ".join(f"{quote(name)} = %s" for name in values)
    unerased = " AND erased_on IS NULL" if message.erased_on is None else ""
    rows = _execute(
        f"UPDATE {quote(TextMessage._meta.db_table)} SET {pairs} "
        f"WHERE id = %s AND status = %s{unerased}",
        [
            *_prepared((fields[name], value) for name, value in values.items()),
            message.pk,
            message.status.value,
        ],
    )
    if rows:
        for name, value in values.items():
            setattr(message, name, value)
    return bool(rows)


def insert(row: Model) -> None:
    """Insert a row; it does not learn its primary key, and nobody is told.

    Raises ``IntegrityError`` if there is one like it.
    """
    quote = connections[database()].ops.quote_name
    fields = _columns(type(row))
    _execute(
        f"INSERT INTO {quote(row._meta.db_table)} ({', '.join(map(quote, fields))}) "
        f"VALUES ({', '.join(['%s'] * len(fields))})",
        _prepared((field, getattr(row, field.attname)) for field in fields.values()),
    )


@cache
def _columns(model: type[Model]) -> dict[str, Field[Any, Any]]:
    return {
        str(field.column): field for field in model._meta.concrete_fields if not field.primary_key
    }


def _execute(statement: str, values: list[Any]) -> int:
    with connections[database()].cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _prepared(values: Iterable[tuple[Field[Any, Any], Any]]) -> list[Any]:
    connection = connections[database()]
    return [field.get_db_prep_save(value, connection) for field, value in values]
