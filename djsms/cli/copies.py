"""A text file as it was when a command began, whatever becomes of the file meanwhile."""

from __future__ import annotations

import codecs
import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError

__all__ = ["Copy", "copied"]

CHUNK = 64 * 1024
IN_MEMORY = 1024 * 1024


class Copy:
    """What ``copied`` gives."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self.encoding = encoding
        self._file = file
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """A fingerprint of the bytes, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self._file.write(chunk)

    @contextmanager
    def text(self) -> Iterator[io.TextIOWrapper]:
        """Read it from the beginning, with its ends of lines as they are; one at a time."""
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding=self.encoding, newline="")
        try:
            yield text
        finally:
            # else it would close the file with it
            text.detach()


@contextmanager
def copied(source: Path, encoding: str | None) -> Iterator[Copy]:
    """Copy a file, which may also be a pipe; raise ``CommandError`` if it is not in its encoding.

    Without an encoding it is what spreadsheets write: UTF-8, or UTF-16 with a byte order mark.
    """
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        try:
            with source.open("rb") as original:
                first = original.read(CHUNK)
                copy = Copy(file, encoding or _encoding_of(first))
                _fill(copy, _chunks(first, original), source)
        except OSError as error:
            raise CommandError(f"{source} cannot be read: {error.strerror}.") from error
        yield copy


def _encoding_of(beginning: bytes) -> str:
    is_utf16 = beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "utf-16" if is_utf16 else "utf-8-sig"


def _chunks(first: bytes, file: IO[bytes]) -> Iterator[bytes]:
    chunk = first
    while chunk:
        yield chunk
        chunk = file.read(CHUNK)
    # what decoders take for the end
    yield b""


def _fill(copy: Copy, chunks: Iterator[bytes], source: Path) -> None:
    try:
        decoder = codecs.getincrementaldecoder(copy.encoding)()
    except LookupError:
        raise CommandError(f"There is no encoding {copy.encoding!r}.") from None
    line = 1
    for chunk in chunks:
        copy.write(chunk)
        try:
            line += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(error.encoding, "replace").count("\n")
            raise CommandError(
                f"{source}, line {line}, is not {error.encoding}: save the file as UTF-8, or say "
                "what it is, for instance --encoding cp1252."
            ) from None
