"""A CSV file of recipients: which of its lines make a text, and what is wrong with the others."""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.management.base import CommandError

from djsms.cli.copies import Copy, copied
from djsms.cli.tables import counted
from djsms.cli.wordings import Wording

__all__ = ["Line", "Recipients", "recipients"]

DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One recipient, by the number of the line in the file."""

    number: int
    to: str
    text: str
    problem: str = ""
    """Why it makes no text; empty if it does."""


@contextmanager
def recipients(
    file: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    template: str | None = None,
    key: str | None = None,
) -> Iterator[Recipients]:
    """Read a file of recipients; raise ``CommandError`` if it is none.

    ``key`` tells one sending of the same file from another.
    """
    with copied(file, encoding) as copy:
        yield Recipients(file, copy, delimiter, template, key)


class Recipients:
    """The lines of a file, as often as they are asked for."""

    def __init__(
        self,
        file: Path,
        copy: Copy,
        delimiter: str | None,
        template: str | None,
        key: str | None,
    ) -> None:
        self.file = file
        self._copy = copy
        sending = json.dumps([copy.digest, template, key])
        self._digest = hashlib.sha256(sending.encode()).hexdigest()
        header = self._header()
        self._delimiter = delimiter or _guessed(header)
        self._names = self._columns(header)
        self._wording = Wording(template or "{text}")
        self._require_columns()

    def key(self, number: int) -> str:
        """Return the idempotency key of a line: of this file, in this sending."""
        return f"csv-{self._digest[:32]}-{number}"

    def __iter__(self) -> Iterator[Line]:
        for number, cells in self._records():
            values = dict(zip(self._names, cells + [""] * len(self._names), strict=False))
            yield Line(
                number=number,
                to=values["to"],
                text=self._wording.filled(values),
                problem=self._problem(cells, values),
            )

    def _header(self) -> str:
        with self._copy.text() as text:
            return next((line for line in text if line.strip()), "")

    def _columns(self, header: str) -> list[str]:
        if not header:
            raise CommandError(f"{self.file} is empty.")
        names = _names(header, self._delimiter)
        while names and not names[-1]:
            names.pop()
        for name in names:
            if names.count(name) > 1:
                raise CommandError(f"{self.file} has two columns {name!r}.")
        return names

    def _require_columns(self) -> None:
        for name in ("to", *self._wording.names):
            if name not in self._names:
                raise CommandError(
                    f"{self.file} has no column {name!r} in its first line; it has: "
                    f"{', '.join(self._names)}.{self._hint(name)}"
                )

    def _hint(self, name: str) -> str:
        guess = difflib.get_close_matches(name, self._names, n=1)
        if guess:
            return f" Did you mean {guess[0]!r}?"
        if name == "text":
            return " Or give a --template."
        return " Is it another --delimiter?" if len(self._names) == 1 else ""

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the cells of each line that has some, but the first one, and the line's number."""
        number = 1
        is_header = True
        with self._copy.text() as text:
            reader = csv.reader(text, delimiter=self._delimiter, skipinitialspace=True, strict=True)
            try:
                for cells in reader:
                    if any(cell.strip() for cell in cells):
                        if not is_header:
                            yield number, cells
                        is_header = False
                    number = reader.line_num + 1
            except csv.Error as error:
                raise CommandError(
                    f"{self.file}, line {number}, cannot be read: {error}. Is a quotation mark not "
                    "closed, or within quotation marks not doubled?"
                ) from None

    def _problem(self, cells: Sequence[str], values: dict[str, str]) -> str:
        if any(cells[len(self._names) :]):
            return (
                f"It has {counted(len(cells), 'cell')}, and the first line {len(self._names)}: "
                "is a cell with "
                f"{self._delimiter!r} in it not in quotation marks?"
            )
        for name in self._wording.names:
            if not values[name].strip():
                return f"The column {name!r} is empty."
        return ""


def _guessed(header: str) -> str:
    """The delimiter with which the first line names a column "to", else the one with most names."""
    return max(DELIMITERS, key=lambda each: ("to" in _names(header, each), header.count(each)))


def _names(header: str, delimiter: str) -> list[str]:
    [cells] = csv.reader([header.strip("\r\n")], delimiter=delimiter, skipinitialspace=True)
    return [cell.strip().casefold() for cell in cells]
