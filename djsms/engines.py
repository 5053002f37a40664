"""Engines say when and where what waits is sent; the database says what, to whom and how fast.

An engine is a class with the method ``wake``. It is published by an entry point of the group
``djsms.engines``, and named by ``DJSMS_ENGINE``; ``DJSMS_ENGINE_OPTIONS`` are the keyword arguments
of its constructor.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import django
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

from djsms.accounts.engines import TASKS_MODULE

if TYPE_CHECKING:
    from django.core.checks import CheckMessage

    from djsms.waiting.shifts import drain_bounded

__all__ = ["Engine", "TasksEngine", "WorkerEngine", "drain_bounded", "sweep"]

logger = logging.getLogger("djsms")

ASKING = 20.0  # seconds

# What a thread that drains at once is asked for meanwhile.
_running = threading.local()


class Engine:
    """Base of engines; its methods but ``wake`` may be left as they are."""

    def wake(self, account: str) -> None:
        """See to it that ``drain_bounded(account)`` runs somewhere soon.

        Called after the commit, in the process that stored the texts, or changed when they are due.
        It must return soon, and must not send by itself. The queue is in the database: a call that
        is lost, late or doubled does no harm, so nothing has to be tried again. What it raises is
        logged.
        """
        raise NotImplementedError

    def check(self) -> list[CheckMessage]:
        """Return what is wrong with how the engine is set up; no network."""
        return []

    def run_at_once(self, account: str) -> None:
        """Drain in this thread, until nothing is left that may go.

        For ``wake``, where tasks run in the process that enqueues them, as in development. Inside a
        transaction it does nothing but log it, since a rollback could take away what has gone out.
        """
        from django.db import connections

        from djsms.ledger.transactions import database
        from djsms.waiting.shifts import drain_bounded

        if connections[database()].in_atomic_block:
            logger.warning("Tasks run at once here, and not inside a transaction: texts wait on")
            return
        if hasattr(_running, "asked"):
            # The drain asks to go on, or a receiver has stored another text.
            _running.asked.add(account)
            return
        _running.asked = {account}
        try:
            while _running.asked:
                drain_bounded(_running.asked.pop())
        finally:
            del _running.asked


class WorkerEngine(Engine):
    """The engine ``worker``: nobody is woken, ``djsms work`` looks by itself."""

    def wake(self, account: str) -> None:
        pass


class TasksEngine(Engine):
    """The engine ``tasks``: a task of Django's, or of the package ``django_tasks`` on Django 5.2.

    ``backend`` is its alias in ``TASKS``, ``queue_name`` one of its queues.
    """

    def __init__(self, *, backend: str = "default", queue_name: str = "default") -> None:
        if importlib.util.find_spec(TASKS_MODULE) is None:
            raise ImproperlyConfigured(
                f"Django {django.get_version()} has no tasks of its own; install django-tasks, "
                "or move to Django 6.0."
            )
        self.where = {"backend": backend, "queue_name": queue_name}

    def wake(self, account: str) -> None:
        from djsms.waiting.drain_task import drain

        task = drain.using(**self.where)
        if isinstance(task.get_backend(), _backend_class("immediate", "ImmediateBackend")):
            self.run_at_once(account)
        else:
            task.enqueue(account)

    def check(self) -> list[CheckMessage]:
        from djsms.waiting.drain_task import drain

        backend = drain.using(**self.where).get_backend()
        name = type(backend).__name__
        setting = f"TASKS[{self.where['backend']!r}]"
        hint = (
            f"Set {setting} to a backend with workers of its own, as that of django-tasks-db, or "
            'set DJSMS_ENGINE = "worker".'
        )
        if isinstance(backend, _backend_class("dummy", "DummyBackend")):
            return [
                CheckWarning(f"{setting} is the {name}: nothing that waits is sent.", hint=hint)
            ]
        if isinstance(backend, _backend_class("immediate", "ImmediateBackend")) and not _is_debug():
            return [
                CheckWarning(
                    f"{setting} is the {name}: requests that store texts send them too, and what "
                    "is to go later, or again, waits for the next of them.",
                    hint=hint,
                )
            ]
        return []


def sweep() -> list[str]:
    """Do what has to be done every half minute where no ``djsms work`` runs.

    It wakes the engine for each account that has texts due, and returns their aliases; it tidies as
    ``djsms tidy`` does, and asks providers about what they have not reported on, for 20 seconds at
    most and the call that is under way then.
    """
    from djsms.receiving.refreshing import refresh_due
    from djsms.tidying import tidy
    from djsms.waiting.shifts import wake_due

    end = time.monotonic() + ASKING
    due = wake_due()
    tidy()
    refresh_due(is_over=lambda: time.monotonic() > end)
    return due


def __getattr__(name: str) -> Any:
    # Models can only be imported once Django is set up.
    if name != "drain_bounded":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("djsms.waiting.shifts").drain_bounded


def _backend_class(module: str, name: str) -> type:
    found: type = getattr(import_module(f"{TASKS_MODULE}.backends.{module}"), name)
    return found


def _is_debug() -> bool:
    from django.conf import settings

    return settings.DEBUG
