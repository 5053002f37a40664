"""Calls that end in time, whatever the backend does: who hangs fails the test."""

from __future__ import annotations

import contextvars
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from djsms.testing.kit.words import fail
from djsms.testing.provider import Provider

__all__ = ["MAX_REQUESTS", "bounded"]

MAX_REQUESTS = 20
"""More than any one call has a reason to make."""

POLL = 0.05
GRACE = 0.5
# Before, while coverage traces, an exception that is pending for a thread that waits in C makes all
# threads turn on the spot until that one wakes up; and one that waits for a lock never does.
MAY_WAIT_FOR_EVER = sys.version_info >= (3, 12)
# The kit moves the clock of the backend, not its own.
_now = time.monotonic


class _Stopped(BaseException):
    """Ends a thread in which a backend goes on for ever."""


def bounded(
    call: Callable[[], Any], what: str, *, seconds: float, provider: Provider | None = None
) -> Any:
    """Return what the call returns, or raise what it raises; fail if it does not end.

    It runs in a thread of its own, since nothing else can be left behind when it hangs.
    """
    ends = _now() + seconds
    first = len(provider.requests) if provider else 0
    done = threading.Event()
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = call()
        except BaseException as error:
            outcome["error"] = error
        finally:
            done.set()

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    while not done.wait(POLL):
        requests = len(provider.requests) - first if provider else 0
        if requests > MAX_REQUESTS:
            _end(thread, provider, surely_wakes=True)
            fail(
                f"{what} made {requests} requests and would have made more: try nothing again "
                "without end. A new token is worth one more try, and nothing else is."
            )
        if _now() > ends:
            _end(thread, provider, surely_wakes=False)
            fail(
                f"{what} had not ended after {seconds:.1f} seconds. Limit how long it waits for "
                "the connection, for each sign of life and for the whole answer, wait for no "
                "Retry-After, and release each lock in a finally. If your limits are longer, raise "
                "patience."
            )
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _end(thread: threading.Thread, provider: Provider | None, *, surely_wakes: bool) -> None:
    """End what can be ended of a call that went on for too long, so that it disturbs no other."""
    if provider is not None:
        # Who waits for it comes back, with an error.
        provider.close()
        thread.join(GRACE)
    if thread.is_alive() and (surely_wakes or MAY_WAIT_FOR_EVER):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stopped)
        )
