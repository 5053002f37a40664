"""Something that a thread of its own does again and again beside the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections, reset_queries

__all__ = ["Repeated"]

logger = logging.getLogger("djsms")


class Repeated:
    """A function that is called every so many seconds; what it raises is logged."""

    def __init__(self, function: Callable[[], object], *, seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._stop = threading.Event()
        name = f"djsms-{getattr(function, '__name__', 'repeated')}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to end; for what takes long, and can end in the middle."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End it, after what it is doing just now."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._seconds):
                close_old_connections()
                try:
                    self._function()
                except Exception:
                    logger.exception("%s failed, and is tried again", self._thread.name)
                    connections.close_all()
                reset_queries()
        finally:
            connections.close_all()
