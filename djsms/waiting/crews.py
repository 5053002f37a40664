"""Threads that call providers for claimed texts, and keep the outcomes until they are stored."""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter

from django.db import Error as DatabaseError

from djsms.exceptions import OutcomeUnknown
from djsms.models import TextMessage
from djsms.sending.attempts import Outcome
from djsms.waiting.recycling import IDLE, Recycler
from djsms.waiting.units import Unit

__all__ = ["Crew"]

logger = logging.getLogger("djsms")


class Crew:
    """A fixed number of threads, each with one text at a time.

    What they are given, one of them works on at once: never give more than are free.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.outcomes: Counter[str] = Counter()
        """How many calls ended how: ``taken``, ``not taken`` or ``unknown``."""
        self.unsettled: list[Unit] = []
        """Those whose outcome is known, and not stored: the database was not there."""
        self._busy: set[Unit] = set()
        self._given: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"djsms-{number}", daemon=True)
            for number in range(size)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def calls(self) -> int:
        """How many times a provider was called."""
        return self.outcomes.total()

    @property
    def busy(self) -> int:
        """How many texts are worked on."""
        return len(self._busy)

    @property
    def free(self) -> int:
        """How many more may be given."""
        return self.size - len(self._busy)

    @property
    def free_for_bulk(self) -> int:
        """How many of them may be bulk: one thread of several is always kept for the others."""
        bulk = sum(unit.message.lane == TextMessage.Lane.BULK for unit in self._busy)
        return max(0, min(self.free, max(1, self.size - 1) - bulk))

    @property
    def is_sound(self) -> bool:
        """Whether all threads are alive."""
        return all(thread.is_alive() for thread in self._threads)

    def give(self, units: list[Unit]) -> None:
        for unit in units:
            self._busy.add(unit)
            self._given.put(unit)

    def nudge(self) -> None:
        """End a ``wait`` that is under way; may be called by a signal handler."""
        self._news.put(None)

    def wait(self, seconds: float) -> None:
        """Wait until a text is done, or for so many seconds; take note of all that are done."""
        timeout: float | None = seconds
        while True:
            try:
                unit = self._news.get(timeout=timeout) if timeout else self._news.get_nowait()
            except queue.Empty:
                return
            timeout = None
            if unit is not None:
                self._busy.discard(unit)
                if unit.outcome is not None:
                    self.outcomes[_word(unit.outcome)] += 1

    def settle(self) -> None:
        """Store the outcomes that could not be stored when they came; raises as the database does.

        The database works again if it returns.
        """
        while self.unsettled:
            unit = self.unsettled[0]
            try:
                unit.settle()
            except DatabaseError:
                raise
            except BaseException:
                # A receiver's: the outcome is stored, and the others wait for their turn.
                logger.exception("Text %s: its receivers failed", unit.message.ref)
            self.unsettled.pop(0)

    def stop(self) -> None:
        """End the threads once they have done what they were given."""
        for _ in self._threads:
            self._given.put(None)
        for thread in self._threads:
            thread.join()
        self.wait(0)

    def _run(self) -> None:
        recycler = Recycler()
        try:
            while (unit := self._next(recycler)) is not None:
                self._work_off(unit, recycler)
        finally:
            recycler.close()

    def _next(self, recycler: Recycler) -> Unit | None:
        try:
            return self._given.get(timeout=IDLE)
        except queue.Empty:
            recycler.close()
            return self._given.get()

    def _work_off(self, unit: Unit, recycler: Recycler) -> None:
        try:
            unit.call()
            unit.settle()
        except DatabaseError:
            ref = unit.message.ref
            logger.exception("Text %s: its outcome is kept until it can be stored", ref)
            self.unsettled.append(unit)
        except BaseException:
            # Even one that would end the program: it is the backend's or the receiver's, and this
            # thread's other texts have nothing to do with it.
            logger.exception("Text %s: its receivers, or its backend, failed", unit.message.ref)
        finally:
            recycler.recycle()
            self._news.put(unit)


def _word(outcome: Outcome) -> str:
    if outcome.answer is not None:
        is_taken = not all(part.status.is_failure for part in outcome.answer.parts)
        return "taken" if is_taken else "not taken"
    return "unknown" if isinstance(outcome.error, OutcomeUnknown) else "not taken"
