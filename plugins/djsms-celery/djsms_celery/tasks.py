"""The tasks. Celery finds them if ``djsms_celery`` is in ``INSTALLED_APPS``.

They are given an account's name and nothing else, and each may be lost or run twice.
"""

from __future__ import annotations

import logging

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
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


@shared_task(name="djsms_celery.tasks.drain", **LIMITS)  # type: ignore[untyped-decorator]
def drain(account: str) -> None:
    """Send what is due of an account, within bounds."""
    try:
        engines.drain_bounded(account)
    except SoftTimeLimitExceeded:
        # A call that it ended is recorded as of unknown outcome; all others wait.
        logger.warning("Celery's soft time limit ended a drain of the account %s", account)


@shared_task(name="djsms_celery.tasks.sweep", **LIMITS)  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Wake the engine for what became due, and tidy; for beat."""
    engines.sweep()
