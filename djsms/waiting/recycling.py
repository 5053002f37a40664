"""Database connections of threads that live long: kept while they are sound, not for ever."""

from __future__ import annotations

import time

from django.db import connections, reset_queries

__all__ = ["IDLE", "Recycler"]

# Long enough that connecting costs nothing beside the work, short enough for servers and proxies
# that end what has been open for minutes. Django's CONN_MAX_AGE is about requests: by its default
# each text would connect anew.
MAX_AGE = 60.0
IDLE = 10.0
"""Seconds without work after which a thread is to keep no connection."""


class Recycler:
    """Sees to the connections of one thread, between two pieces of its work."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def recycle(self) -> None:
        """Close what is unsound or old, and forget the queries that ``DEBUG`` keeps."""
        if time.monotonic() - self._since > MAX_AGE:
            self.close()
        for connection in connections.all(initialized_only=True):
            if connection.errors_occurred:
                connection.close_if_unusable_or_obsolete()
        reset_queries()

    def close(self) -> None:
        """Close all; they are opened again when they are needed."""
        connections.close_all()
        self._since = time.monotonic()
