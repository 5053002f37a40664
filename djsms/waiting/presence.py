"""A worker's row: for people to see, and for others to notice early that it died."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from djsms.ledger import clock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import HOST_LENGTH, Worker
from djsms.waiting.repeating import Repeated

__all__ = ["GONE", "Presence"]

BEAT = 15.0  # seconds
GONE = timedelta(seconds=60)
"""After which a worker that was not seen any more counts as dead."""


class Presence:
    """Shows the database every few seconds that this process is alive."""

    def __init__(self) -> None:
        # A new id with every start: a host's name and a process's number come again, and with them
        # the living would vouch for the dead.
        self._worker = Worker(host=socket.gethostname()[:HOST_LENGTH], pid=os.getpid())
        self._beat = Repeated(self.show, seconds=BEAT)

    @property
    def id(self) -> str:
        return str(self._worker.id)

    def begin(self) -> None:
        """Store the row, and keep it fresh; raises what the database raises."""
        self._worker.started_on = self._now()
        self.show()
        self._beat.start()

    def stopping(self) -> None:
        """Show that the worker takes no more, and waits for what it is doing."""
        self._worker.stopping = True
        self.show()

    def end(self) -> None:
        """Take the row away."""
        self._beat.stop()
        rows_of(Worker).filter(id=self.id).delete()

    def show(self) -> None:
        worker = self._worker
        worker.seen_on = self._now()

        def write() -> None:
            row = rows_of(Worker).filter(id=worker.id)
            # Somebody may have taken it for dead, as when the machine slept.
            if not row.update(seen_on=worker.seen_on, stopping=worker.stopping):
                rows_of(Worker).bulk_create([worker], ignore_conflicts=True)

        in_transaction(write)

    def _now(self) -> datetime:
        return clock.stored(clock.now())
