"""Standard output that closes, fills up or loses its reader, and a person who presses Ctrl-C.

Nothing of Django is imported here, so that asking for help waits for none of it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO, cast

__all__ = [
    "INTERRUPTED",
    "OUTPUT_LOST",
    "READER_GONE",
    "run",
    "standard_error",
    "standard_output",
    "telling_loss",
]

OUTPUT_LOST = 3
# What a shell says of a program that SIGINT or SIGPIPE has ended.
INTERRUPTED = 128 + 2
READER_GONE = 128 + 13


class OutputLost(Exception):
    """Standard output does not take what a command says; the cause tells why."""


class _Closed(io.TextIOBase):
    """In the place of a stream that was closed before the program began: ``djsms tidy >&-``."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "it is closed")


def standard_output() -> TextIO:
    """Return standard output, or what fails as it does when it was closed from the beginning."""
    return sys.stdout or cast(TextIO, _Closed())


def standard_error() -> TextIO:
    """Return standard error, or what swallows all, if it is closed: the exit code remains."""
    return sys.stderr or io.StringIO()


@contextmanager
def telling_loss() -> Iterator[None]:
    """Raise a failure to write as such: it cannot be taken for one of a file or a connection."""
    try:
        yield
    except OSError as error:
        raise OutputLost from error


def run(work: Callable[[], None]) -> None:
    """Do what a command line asks for; what comes from outside ends it in one line and a code."""
    try:
        try:
            work()
        finally:
            _flush()
    except KeyboardInterrupt as interruption:
        _leave(INTERRUPTED, str(interruption) or "Interrupted.")
    except OutputLost as loss:
        _forget_output()
        if isinstance(loss.__cause__, BrokenPipeError):
            # Whoever reads has seen enough, as head does: nothing to complain of.
            _leave(READER_GONE)
        _leave(OUTPUT_LOST, f"Standard output cannot be written: {_reason(loss.__cause__)}.")


def _flush() -> None:
    # What argparse and others have printed past the command's own stream is in it, too.
    if sys.stdout is not None:
        with telling_loss():
            sys.stdout.flush()


def _forget_output() -> None:
    """Let the interpreter's own flush at its end succeed."""
    if sys.stdout is not None:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _reason(error: BaseException | None) -> str:
    return getattr(error, "strerror", None) or str(error)


def _leave(code: int, words: str = "") -> NoReturn:
    if words:
        print(words, file=standard_error())
    # Not a traceback of what led here, should somebody catch it.
    raise SystemExit(code) from None
