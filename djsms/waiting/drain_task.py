"""The task by which Django's tasks, or the package ``django_tasks``, send what is due.

Imported by workers, by this path. It is not called ``tasks``, since a module of that name is
imported by others too, who look for tasks of their own kind.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from djsms.accounts import engines
from djsms.accounts.engines import TASKS_MODULE
from djsms.waiting.shifts import drain_bounded

__all__ = ["drain"]

tasks: Any = import_module(TASKS_MODULE)


def _options() -> dict[str, str]:
    """Return where the task belongs; one whose project has another engine by now is still run."""
    where: dict[str, str] = getattr(engines.get(), "where", {})
    return where


@tasks.task(**_options())  # type: ignore[untyped-decorator]
def drain(account: str) -> int:
    """Send what is due of an account, within bounds; return how many texts."""
    return drain_bounded(account)
