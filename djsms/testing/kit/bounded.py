"""Calls that end in time, whatever the backend does: who hangs fails the test."""

from __future__ import annotations

import contextvars
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
# The kit moves the clock of the backend, not its own.
_now = time.monotonic


def bounded(
    call: Callable[[], Any], what: str, *, seconds: float, provider: Provider | None = None
) -> Any:
    """Return what the call returns, or raise what it raises; fail if it does not end.

    It runs in a thread of its own, since nothing else can be left behind when it hangs. No
    exception is thrown into that thread: as long as it waits in C for what never comes, a pending
    exception makes Python 3.11 turn on the spot in all threads while coverage traces them.
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
        if provider and requests > MAX_REQUESTS:
            provider.strand()
            fail(
                f"{what} made {requests} requests and would have made more: try nothing again "
                "without end. A new token is worth one more try, and nothing else is."
            )
        if _now() > ends:
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
