"""Model fields that keep what they are given, to the letter, on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from djsms.types import Status

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    # Django's fields can be subscripted in their stubs only.
    TextCharField = models.CharField[str, str]
    OptionalCharField = models.CharField[str | None, str | None]
    StatusCharField = models.CharField[Status | str, Status]
    LongTextField = models.TextField[str, str]
else:
    TextCharField = OptionalCharField = StatusCharField = models.CharField
    LongTextField = models.TextField

__all__ = [
    "ExactCharField",
    "OptionalExactCharField",
    "StatusField",
    "UnicodeCharField",
    "UnicodeTextField",
]


class _Exact:
    """Compares to the letter: MySQL and MariaDB would take ``a1`` and ``A1`` for the same."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)  # type: ignore[misc]  # a field's
        if connection.vendor == "mysql":
            parameters["collation"] = _exact_collation(connection)
        return parameters


def _exact_collation(connection: Any) -> str:
    # utf8mb4_bin ignores spaces at the end, and those that do not have a name each.
    if connection.mysql_is_mariadb:
        return "utf8mb4_nopad_bin"
    return "utf8mb4_0900_bin" if connection.mysql_version >= (8, 0, 17) else "utf8mb4_bin"


class _Unicode:
    """Holds every character, also where a database of MySQL or MariaDB was made for fewer."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)  # type: ignore[misc]  # a field's
        # Elsewhere the database's own collation stays, so that our columns and the project's can be
        # compared.
        if connection.vendor == "mysql" and _charset(connection) != "utf8mb4":
            parameters["collation"] = "utf8mb4_unicode_520_ci"
        return parameters


def _charset(connection: BaseDatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_database")
        return str(cursor.fetchone()[0])


class UnicodeCharField(_Unicode, TextCharField):
    """Text of any characters, compared as the database does."""


class UnicodeTextField(_Unicode, LongTextField):
    """Long text of any characters."""


class ExactCharField(_Exact, TextCharField):
    """Text that is compared to the letter on every database."""


class OptionalExactCharField(_Exact, OptionalCharField):
    """Text that is compared to the letter, or None, which is unlike any other None."""


_WORDS = frozenset(status.value for status in Status)


class StatusField(StatusCharField):
    """A ``Status``, stored as its word."""

    def from_db_value(self, value: str | None, *args: Any) -> Status | None:
        return None if value is None else Status(value)

    def to_python(self, value: Any) -> Any:
        # Python 3.11 cannot say whether a text is in an enumeration.
        return Status(value) if isinstance(value, str) and value in _WORDS else value

    def get_prep_value(self, value: Any) -> Any:
        # Some drivers look at the exact type of what they are given.
        return value.value if isinstance(value, Status) else value
