"""What ends a call from outside: nothing that the backend says of the message."""

from __future__ import annotations

__all__ = ["is_interruption"]

# Job runners raise these in the middle of whatever runs when a job's time is up, and derive them
# from Exception. They are known by name, so that none of the runners has to be imported.
NAMES = frozenset(
    {
        "SoftTimeLimitExceeded",  # billiard, and so Celery
        "TimeLimitExceeded",  # billiard, Dramatiq
        "JobTimeoutException",  # RQ
        "BaseTimeoutException",
        "HorseMonitorTimeoutException",
        "TimeoutException",  # django-q2, stopit
        "JobAborted",  # Procrastinate
        "TaskTimeout",  # Huey and home-made ones
        "WorkerShutdown",
        "WorkerTerminate",
    }
)
RUNNERS = frozenset({"billiard", "celery", "django_q", "dramatiq", "huey", "procrastinate", "rq"})


def is_interruption(error: BaseException) -> bool:
    """Return whether an error ends the job or the program, and so has to get out.

    That is what is no ``Exception`` at all, such as ``KeyboardInterrupt``, and the time limits of
    job runners.
    """
    if not isinstance(error, Exception):
        return True
    return any(
        kind.__name__ in NAMES or kind.__module__.partition(".")[0] in RUNNERS
        for kind in type(error).__mro__
    )
