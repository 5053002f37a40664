"""What the workers of ``bench_engines`` run: a Celery app, tasks for single texts, a slow hook."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from importlib import import_module
from typing import Any

import django
from celery import Celery, shared_task

from djsms import OutgoingText, SendResult, hookimpl

tasks: Any = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")

app = Celery("bench", broker=os.environ.get("BENCH_BROKER", "amqp://guest:guest@127.0.0.1//"))
app.conf.task_default_queue = os.environ.get("BENCH_QUEUE", "bench")
app.conf.worker_prefetch_multiplier = 1
app.autodiscover_tasks(["djsms_celery"])


class Pace:
    """The provider takes its time."""

    @hookimpl(wrapper=True)
    def send(self, message: OutgoingText) -> Generator[None, SendResult, SendResult]:
        time.sleep(float(os.environ["BENCH_SECONDS"]))
        return (yield)


def _send(number: int) -> None:
    from djsms import send_text

    send_text(str(number), "Bistro", "+447700900123", False)


@shared_task(ignore_result=True)
def celery_send(number: int) -> None:
    _send(number)


@tasks.task
def task_send(number: int) -> None:
    _send(number)
