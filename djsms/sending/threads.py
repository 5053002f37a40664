"""Where calls to providers run: in threads that keep no connection to the database."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connections

from djsms.accounts.gateways import Gateway

__all__ = ["MAX_THREADS", "Stop", "executor", "may_leave", "to_its_end"]

T = TypeVar("T")

MAX_THREADS = 32  # of calls that asynchronous code makes one by one, in this process


class Stop(threading.Event):
    """Tells work to do nothing more than what it has begun."""

    def check(self) -> None:
        """Raise ``Stopped`` once it is set."""
        if self.is_set():
            raise Stopped


class Stopped(Exception):
    """Work was told to stop before it was done."""


def may_leave(gateway: Gateway) -> bool:
    """Return whether a call may run in another thread than the one that asks.

    Extensions may use the ORM, and what an open ``atomic`` block holds, as that of a ``TestCase``,
    no other thread sees.
    """
    return not gateway.has_extensions or not any(
        connection.in_atomic_block for connection in connections.all(initialized_only=True)
    )


def executor() -> ThreadPoolExecutor:
    """Return the threads that make single calls for asynchronous code."""
    global _executor
    with _lock:
        if _executor is None:
            _executor = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="djsms")
        return _executor


async def to_its_end(work: Coroutine[Any, Any, T], stop: Callable[[], None]) -> T:
    """Await work that must not be broken off: cancelled, it is told to stop, and waited for."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop()
        await asyncio.wait([task])
        # Looked at, so that nobody is told that it was not; what is cancelled has no error.
        if not task.cancelled():
            task.exception()
        raise


def _start_anew() -> None:
    """Begin as a child, which has none of the parent's threads."""
    global _executor, _lock
    _executor, _lock = None, threading.Lock()


_executor: ThreadPoolExecutor | None = None
_lock = threading.Lock()

if hasattr(os, "register_at_fork"):  # pragma: no branch  (Windows has no fork)
    os.register_at_fork(after_in_child=_start_anew)
