"""What became of each line of a file of recipients, as a CSV file beside it."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from djsms.cli.errors import one_line
from djsms.cli.recipients import Line
from djsms.ledger.formulas import harmless
from djsms.models import TextMessage

__all__ = ["COLUMNS", "Results", "results"]

COLUMNS = (
    "line",
    "to",
    "status",
    "segments",
    "ref",
    "provider_id",
    "price",
    "currency",
    "error",
)
NOT_SENT = "not sent"


class Results:
    """The rows of the file."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def _write(self, *cells: object) -> None:
        self._writer.writerow([harmless(str(cell)) for cell in cells])

    def sent(self, number: int, message: TextMessage) -> None:
        """Say what became of a line's message."""
        self._write(
            number,
            message.to,
            message.status.value,
            message.segments,
            message.ref,
            message.provider_id,
            "" if message.price is None else f"{message.price.normalize():f}",
            message.currency,
            one_line(" ".join(filter(None, (message.error_code, message.error_text)))),
        )

    def wrong(self, line: Line, reason: str) -> None:
        """Say why a line was not sent."""
        self._write(line.number, line.to, NOT_SENT, "", "", "", "", "", reason)


@contextmanager
def results(file: Path, *, of: Path) -> Iterator[Results]:
    """Write a file of results anew, also if what is done meanwhile is broken off.

    It takes its place when all is said, so that nobody reads half of it.
    Raises ``CommandError`` if something else is there, or if it cannot be written.
    """
    _require_own(file, of)
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            dir=file.parent,
            prefix=f".{file.name}.",
            encoding="utf-8",
            newline="",
            delete=False,
        ) as written:
            try:
                writer = csv.writer(written)
                writer.writerow(COLUMNS)
                yield Results(writer)
            finally:
                written.flush()
                os.replace(written.name, file)  # noqa: PTH105
    except OSError as error:
        raise CommandError(
            f"The results cannot be written to {file}: {error.strerror}. What was sent is recorded "
            "all the same: the same command goes on from there."
        ) from error


def _require_own(file: Path, source: Path) -> None:
    """Do not write over what somebody wants to keep."""
    if not file.exists():
        return
    first = b""
    if file.is_file() and not (source.exists() and file.samefile(source)):
        with file.open("rb") as there:
            first = there.readline(200).strip()
    if first != ",".join(COLUMNS).encode():
        raise CommandError(
            f"{file} is there already, and holds no results: name another --results."
        )
