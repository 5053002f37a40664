"""The tasks. Celery finds them if ``djsms_celery`` is in ``INSTALLED_APPS``.

They are given an account's name and nothing else, and each may be lost or run twice.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, shared_task
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from djsms import engines

__all__ = ["drain", "sweep"]

logger = logging.getLogger("djsms")

# Said for each task, whatever the project's defaults are: a drain ends by itself after 25 seconds
# and the call that is under way then; what it left, the next one sends.
LIMITS = {
    "ignore_result": True,
    "acks_late": False,
    "expires": 60,
    "soft_time_limit": 90,
    "time_limit": 120,
}


# What says where a task goes.
PLACES = ("queue", "exchange", "routing_key")


class WhereDrainsGo(Task):  # type: ignore[misc]
    """A task that goes to the queue of the drains, whoever sends it, unless they say where.

    A queue of the engine's options is often the only one that the workers listen to.
    """

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> Any:
        if not any(options.get(place) for place in PLACES):
            options |= _where_drains_go()
        return super().apply_async(*args, **options)


def _where_drains_go() -> dict[str, str]:
    if getattr(settings, "DJSMS_ENGINE", "") != "celery":
        return {}
    queue = getattr(settings, "DJSMS_ENGINE_OPTIONS", {}).get("queue")
    return {"queue": queue} if queue else {}


@shared_task(name="djsms_celery.tasks.drain", **LIMITS)  # type: ignore[untyped-decorator]
def drain(account: str) -> None:
    """Send what is due of an account, within bounds."""
    try:
        engines.drain_bounded(account)
    except SoftTimeLimitExceeded:
        # A call that it ended is recorded as of unknown outcome; all others wait.
        logger.warning("Celery's soft time limit ended a drain of the account %s", account)


@shared_task(  # type: ignore[untyped-decorator]
    name="djsms_celery.tasks.sweep", base=WhereDrainsGo, **LIMITS
)
def sweep() -> None:
    """Wake the engine for what became due, and tidy; for beat."""
    engines.sweep()
