"""The project's engine: who is woken when texts are due."""

from __future__ import annotations

import inspect
import logging
import time
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver

from djsms import conf
from djsms.accounts import plugins
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound, InvalidOptions

__all__ = ["TASKS_MODULE", "Bell", "bell", "get", "make"]

logger = logging.getLogger("djsms")

# Where the tasks of Django 6.0 and later are, and on Django 5.2 the same ones of a package.
TASKS_MODULE = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"

# How long a process does not try again what failed, so that a broker that lets its callers hang
# does not make every request wait.
QUIET = 10.0  # seconds


def make() -> Any:
    """Make the engine that the settings name.

    Raises the errors of configuration: ``BackendNotFound``, ``BackendBroken``, ``BackendConflict``,
    ``InvalidOptions``.
    """
    name = conf.engine()
    engine = _construct(name, plugins.load(name, plugins.ENGINES))
    if not callable(getattr(engine, "wake", None)):
        raise BackendBroken(f"The engine {name!r} has no method wake(account).")
    return engine


def get() -> Any:
    """Return the project's engine, made once per process; raises as ``make``."""
    return bell().engine


class Bell:
    """What is rung to have the project's engine woken. What goes wrong with it costs no text."""

    def __init__(self) -> None:
        self._engine: Any = None
        self._quiet_until = 0.0
        self.error: Exception | None = None
        """Why the engine could not be woken; None if it could, the last time."""

    @property
    def engine(self) -> Any:
        if self._engine is None:
            self._engine = make()
        return self._engine

    def ring(self, alias: str) -> None:
        """Tell the engine that texts of an account are due; raises nothing.

        A failure is logged once, until it works again.
        """
        if time.monotonic() < self._quiet_until:
            return
        try:
            self.engine.wake(alias)
        except Exception as error:
            self._quiet_until = time.monotonic() + QUIET
            if self.error is None:
                logger.error(
                    "The engine cannot be woken; what waits is safe, and goes with the next sweep "
                    "or djsms work: %s: %s",
                    type(error).__name__,
                    error,
                )
            self.error = error
            return
        if self.error is not None:
            self.error = None
            logger.info("The engine can be woken again")


def bell() -> Bell:
    """Return the process's bell."""
    global _bell
    if _bell is None:
        _bell = Bell()
    return _bell


_bell: Bell | None = None


def _construct(name: str, factory: Any) -> object:
    culprit = f"The engine {name!r}"
    if not callable(factory):
        kind = type(factory).__name__
        raise BackendBroken(f"{culprit} is of type {kind}; its entry point must name a class.")
    options = conf.engine_options()
    try:
        inspect.signature(factory).bind(**options)
        return factory(**options)
    except (BackendNotFound, BackendBroken, BackendConflict):
        raise
    except (ImproperlyConfigured, TypeError, ValueError) as error:
        raise InvalidOptions(f"{culprit} cannot be used as it is set up: {error}") from error
    except Exception as error:
        raise BackendBroken(f"{culprit} cannot be made: {type(error).__name__}") from error


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    global _bell
    if setting in ("DJSMS_ENGINE", "DJSMS_ENGINE_OPTIONS"):
        _bell = None
