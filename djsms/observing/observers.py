"""Who listens, and how they are told: whatever goes wrong with them costs no text."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Protocol

from djsms.calling.interruptions import is_interruption
from djsms.observing.facts import Facts

__all__ = ["Observer", "around", "listen", "silence"]

logger = logging.getLogger("djsms")


class Observer(Protocol):
    """Counts, or traces."""

    def around(self, facts: Facts) -> AbstractContextManager[object]:
        """Return what is entered when it begins, and left when all facts are known."""


_observers: list[Observer] = []
_nobody: AbstractContextManager[object] = nullcontext()


def listen(observer: Observer) -> None:
    """Let it be told of what happens from now on."""
    _observers.append(observer)


def silence() -> None:
    """Let nobody be told any more."""
    _observers.clear()


def around(facts: Facts) -> AbstractContextManager[object]:
    """Return the context in which something is done, so that those who listen see it.

    An observer's error is logged. What ends a job or the program, such as a job's time limit that
    strikes while observers are told, is raised once all of them are left.
    """
    return _Around(facts) if _observers else _nobody


class _Around:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._entered: list[AbstractContextManager[object]] = []

    def __enter__(self) -> None:
        for observer in _observers:
            try:
                context = observer.around(self._facts)
                context.__enter__()
            except BaseException as error:
                if is_interruption(error):
                    # What was not entered is not left by itself.
                    self.__exit__(type(error), error, error.__traceback__)
                    raise
                logger.exception("%s does not observe", type(observer).__name__)
            else:
                self._entered.append(context)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        interruption: BaseException | None = None
        for context in reversed(self._entered):
            try:
                context.__exit__(kind, error, traceback)
            except BaseException as failure:
                if failure is error:
                    continue
                if is_interruption(failure):
                    interruption = interruption or failure
                else:
                    logger.exception("What was observed got lost")
        if interruption is not None:
            raise interruption
