"""The engine ``celery``: a task for each account that has something to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from djsms.engines import Engine

if TYPE_CHECKING:
    from kombu.connection import Connection

__all__ = ["CeleryEngine"]

SWEEP = "djsms_celery.tasks.sweep"
REDIS = ("redis", "sentinel")
PATIENCE = {
    "socket_connect_timeout": 2,  # seconds
    "socket_timeout": 5,
    # A broker that refuses is asked once more, and at once.
    "max_retries": 1,
    "interval_start": 0,
}
BEAT_FROM_SETTINGS = "celery.beat:PersistentScheduler"


class CeleryEngine(Engine):
    """``queue`` is the Celery queue of drains and sweeps; without it, Celery's routing holds."""

    def __init__(self, *, queue: str = "") -> None:
        if not isinstance(queue, str):
            raise TypeError(f"queue must be the name of a queue, not {queue!r}")
        self._options = {"queue": queue} if queue else {}

    def wake(self, account: str) -> None:
        from djsms_celery.tasks import drain

        if current_app.conf.task_always_eager:
            self.run_at_once(account)
        else:
            # One try: whoever stored the text waits for it, and the sweep makes up for it.
            with _impatient() as connection:
                drain.apply_async((account,), retry=False, connection=connection, **self._options)

    def check(self) -> list[CheckMessage]:
        return list(_problems())


def _impatient() -> AbstractContextManager[Connection | None]:
    """Return a connection to a broker that Celery would wait for without end; else None.

    Only Redis answers each command, and has no time for it but by the project's own settings.
    """
    conf = current_app.conf
    # One address, or several of the same kind, of which Celery takes the first that answers.
    urls = conf.broker_write_url
    first = urls if isinstance(urls, str) else next(iter(urls or ()), "")
    if not first.startswith(REDIS) or (conf.broker_transport_options or {}).get("socket_timeout"):
        return nullcontext()
    connection: Connection = current_app.connection_for_write(transport_options=PATIENCE)
    return connection


def _problems() -> Iterator[CheckMessage]:
    # What celery.current_app makes up where a project has none.
    if current_app.main == "default" and not current_app.set_as_current:
        yield CheckWarning(
            "This process has no Celery app, so nobody is woken for texts that wait.",
            hint="Import your Celery app in the __init__.py of your project, so that it is there "
            "in the web processes too.",
            id="djsms_celery.W001",
        )
        return
    conf = current_app.conf
    if conf.task_always_eager:
        if not settings.DEBUG:
            yield CheckWarning(
                f"Celery's {_written('task_always_eager')} is on: requests that store texts send "
                "them too, and what is to go later, or again, waits for the next sweep.",
                hint="It is for development; turn it off.",
                id="djsms_celery.W002",
            )
        return
    if not conf.broker_write_url:
        yield CheckWarning(
            "Celery has no broker's address, so nobody is woken for texts that wait.",
            hint=f"Set {_written('broker_url')}, such as 'amqp://user:password@localhost//'.",
            id="djsms_celery.W003",
        )
    yield from _undone_by_workers(conf)


def _written(setting: str) -> str:
    """Return the name of one of Celery's settings as the project writes it."""
    namespace = current_app.namespace
    return f"{namespace}_{setting}".upper() if namespace else setting


def _undone_by_workers(conf: Any) -> Iterator[CheckMessage]:
    if not apps.is_installed("djsms_celery"):
        yield CheckWarning(
            "djsms_celery is not in INSTALLED_APPS, so Celery's workers may not know its tasks.",
            hint='Add "djsms_celery" to INSTALLED_APPS, and have your Celery app call '
            "autodiscover_tasks().",
            id="djsms_celery.W004",
        )
    entries = (conf.beat_schedule or {}).values()
    if conf.beat_scheduler == BEAT_FROM_SETTINGS and not any(
        entry.get("task") == SWEEP for entry in entries
    ):
        yield CheckWarning(
            f"Celery's {_written('beat_schedule')} has no sweep: what becomes due later, or waits "
            "for another try, waits until another text is stored.",
            hint="Add djsms_celery.BEAT_SCHEDULE to it, and run celery beat. If something else "
            "runs djsms sweep, add djsms_celery.W005 to SILENCED_SYSTEM_CHECKS.",
            id="djsms_celery.W005",
        )
