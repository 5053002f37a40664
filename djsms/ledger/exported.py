"""Messages as CSV, however many: a page at a time, and safe to open with a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from django.db.models import QuerySet

from djsms.ledger import clock
from djsms.ledger.formulas import harmless
from djsms.models import TextMessage

__all__ = ["COLUMNS", "WORDS", "csv_pages"]

COLUMNS = (
    "ref",
    "direction",
    "account",
    "backend",
    "frm",
    "to",
    "status",
    "error_kind",
    "error_code",
    "segments",
    "price",
    "currency",
    "created_on",
    "attempted_on",
    "received_on",
    "erased_on",
)
WORDS = ("text", "error_text")
"""Columns for those who may see what messages say; providers quote texts in their errors."""
PAGE = 500


def csv_pages(messages: QuerySet[TextMessage], *, with_words: bool) -> Iterator[str]:
    """Yield the messages as CSV, the oldest first, in pages of 500 lines; first the header.

    Not by a cursor: what reads slowly would keep a transaction open. ``with_words`` adds the texts.
    """
    columns = (*COLUMNS, *WORDS) if with_words else COLUMNS
    rows = messages.order_by("pk").values_list("pk", *columns)
    page = list(rows[:PAGE])
    # Only once it is known that the database can be read.
    yield _lines([columns])
    while page:
        yield _lines([[_cell(value) for value in row[1:]] for row in page])
        page = list(rows.filter(pk__gt=page[-1][0])[:PAGE])


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return clock.aware(value).astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return harmless(str(value))
