"""What is known of one call while it runs: how long it may take, and whether its request left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

__all__ = ["Call", "begun", "current"]

# Twice what an answer may hold, so that headers and the framing of chunks have room.
MAX_BYTES = 2 * 1024 * 1024


@dataclass(kw_only=True)
class Call:
    """One request and its answer."""

    timeout: float
    """Seconds to wait for the next sign of life."""
    ends: float
    """By ``time.monotonic()``."""
    is_watched: bool = False
    """Whether nothing can leave but by a connection of ours, which notes it here."""
    is_by_proxy: bool = False
    has_left: bool = False
    """Whether a byte of the request may have left."""
    is_too_large: bool = False
    received: int = field(default=0, repr=False)

    @property
    def is_late(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.ends

    def patience(self) -> float:
        """Return the seconds that the next wait may take; raise ``TimeoutError`` if it is late."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("The call's deadline has passed.")
        return min(self.timeout, left)

    def count(self, received: int) -> None:
        """Note the bytes of an answer; raise ``ConnectionError`` if they are too many."""
        self.received += received
        if self.received > MAX_BYTES:
            self.is_too_large = True
            raise ConnectionError("The answer is too large.")


_current: ContextVar[Call | None] = ContextVar("djsms_call", default=None)


def current() -> Call | None:
    """Return the call that this thread is making, if it makes one."""
    return _current.get()


@contextmanager
def begun(*, timeout: float, deadline: float) -> Iterator[Call]:
    """Begin a call of at most ``deadline`` seconds; within another one, no longer than that."""
    ends = time.monotonic() + deadline
    around = _current.get()
    call = Call(timeout=timeout, ends=min(ends, around.ends) if around else ends)
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)
