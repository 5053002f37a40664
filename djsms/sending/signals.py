"""Letting Ctrl-C and a job's time limit strike between two steps, and not in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Strikes"]

# Ctrl-C, the end of a service, and the time limits of Celery and RQ, where the system has them.
NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGALRM")


class Strikes:
    """Holds back the handlers of signals, which may raise anywhere, until it suits.

    One that has raised holds back no other: who strikes again wants no more steps.

    An exception in the middle of a transaction may leave a connection of which nobody knows how it
    stands, and a text of which nobody knows whether it was handed over.
    """

    def __init__(self) -> None:
        self._held: list[Callable[[], object]] = []
        self._may_strike = False
        self._has_raised = False

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold them back, except while they are ``let_through``; the second one strikes at once."""
        if threading.current_thread() is not threading.main_thread():
            # Signals are handled in the main thread alone.
            yield
            return
        handlers = {
            number: handler
            for name in NAMES
            if callable(handler := signal.getsignal(number := getattr(signal, name, 0)))
        }
        for number, handler in handlers.items():
            signal.signal(number, self._holding(handler))
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        self.check()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Let them strike while we wait."""
        self.check()
        self._may_strike = True
        try:
            yield
        finally:
            self._may_strike = False

    def check(self) -> None:
        """Let those strike now that were held back."""
        while self._held:
            self._strike(self._held.pop(0))

    def _holding(self, handler: Callable[[int, FrameType | None], Any]) -> Callable[..., Any]:
        def hold(number: int, frame: FrameType | None) -> None:
            if self._may_strike or self._held or self._has_raised:
                self._strike(lambda: handler(number, frame))
            else:
                self._held.append(lambda: handler(number, None))

        return hold

    def _strike(self, handler: Callable[[], object]) -> None:
        try:
            handler()
        except BaseException:
            self._has_raised = True
            raise
