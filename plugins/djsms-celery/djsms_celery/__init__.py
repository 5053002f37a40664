"""A django-simple-sms engine: what waits is sent by Celery's workers."""

from __future__ import annotations

from typing import Any

__all__ = ["BEAT_SCHEDULE"]

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "djsms-sweep": {
        "task": "djsms_celery.tasks.sweep",
        "schedule": 30.0,
        # Those of a night without workers would do nothing but say the same.
        "options": {"expires": 30},
    }
}
"""What Celery's beat has to do, for the project's ``beat_schedule``: seconds between sweeps."""
