"""One message as one line of JSON, and appending it whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from datetime import datetime
from io import SEEK_END, FileIO
from pathlib import Path

from django.core.files import locks
from django.core.serializers.json import DjangoJSONEncoder
from djsms import OutgoingText
from djsms.exceptions import InvalidMessage, OutcomeUnknown, TemporarilyUnavailable

__all__ = ["append", "line_of"]

OWNER_ONLY = 0o600


def line_of(message: OutgoingText, *, at: datetime, provider_id: str) -> str:
    """Return ``message`` as one line of JSON, in printable characters alone.

    Raises ``InvalidMessage`` if its extras hold what JSON cannot.
    """
    values = {
        "at": at.isoformat(timespec="milliseconds"),
        "provider_id": provider_id,
        "ref": message.ref,
        "frm": message.frm,
        "to": message.to,
        "text": message.text,
        "encoding": message.encoding,
        "segments": message.segments,
        "status_report": message.status_report,
        "extra": dict(message.extra),
    }
    try:
        line = json.dumps(values, ensure_ascii=False, allow_nan=False, cls=DjangoJSONEncoder)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"The extras cannot be written as JSON: {error}") from error
    # Letters of all languages stay readable; what could trick a terminal that shows the file, or
    # what some programs take for the end of a line, is escaped.
    return "".join(c if c.isprintable() else _escaped(c) for c in line) + "\n"


def append(path: Path, line: str) -> None:
    """Append ``line`` to the file at ``path``, readable by its owner only; make it if missing.

    Any number of threads and processes may do so at once. Raises ``TemporarilyUnavailable`` if the
    line is not there, ``OutcomeUnknown`` if a part of it could not be taken back.
    """
    try:
        file = _open(path)
    except OSError as error:
        reason = "it is a symbolic link" if path.is_symlink() else error.strerror
        raise TemporarilyUnavailable(f"Cannot open {path}: {reason}") from error
    with file:
        try:
            _make_private(file)
            # Released when the file is closed. Appending alone is not enough: the disk may fill up
            # in the middle of a line, while others go on.
            locks.lock(file, locks.LOCK_EX)
            end = file.seek(0, SEEK_END)
        except OSError as error:
            raise TemporarilyUnavailable(f"Cannot write {path}: {error.strerror}") from error
        try:
            _write(file, _mended(file, end) + line.encode())
        except OSError as error:
            _take_back(file, end)
            raise TemporarilyUnavailable(f"Cannot write {path}: {error.strerror}") from error


def _open(path: Path) -> FileIO:
    try:
        return FileIO(path, "a+", opener=_open_own)
    except FileNotFoundError:
        _make_folder(path.parent)
        return FileIO(path, "a+", opener=_open_own)


def _make_folder(folder: Path) -> None:
    with contextlib.suppress(FileExistsError):  # another process was first
        folder.mkdir(0o700)
        folder.chmod(0o700)  # whatever the umask took away


def _open_own(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), OWNER_ONLY)


def _make_private(file: FileIO) -> None:
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(0, "it is no regular file")
    # Windows has no such modes.
    if stat.S_IMODE(mode) != OWNER_ONLY and hasattr(os, "fchmod"):
        os.fchmod(file.fileno(), OWNER_ONLY)


def _mended(file: FileIO, end: int) -> bytes:
    """Return the newline that a writer cut off by a crash has left out, if so."""
    if not end:
        return b""
    file.seek(end - 1)
    return b"" if file.read(1) == b"\n" else b"\n"


def _write(file: FileIO, data: bytes) -> None:
    while data:
        data = data[file.write(data) :]


def _take_back(file: FileIO, end: int) -> None:
    try:
        file.truncate(end)
    except OSError as error:
        raise OutcomeUnknown(f"A line was written in part: {error.strerror}") from error


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
