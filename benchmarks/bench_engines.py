"""Texts a second by each engine, beside a task for each text, with real workers.

On PostgreSQL, with RabbitMQ, and a provider that takes 0 or 50 ms. Each way has the same number of
calls at a time: threads of djsms work, processes of Celery's pool, or db_worker processes.

python benchmarks/bench_engines.py [texts]
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
CELERY = "-m celery -A engines_tasks worker -P prefork --without-gossip --without-mingle -l ERROR"
FRM, TO = "Bistro", "+447700900123"


@contextlib.contextmanager
def workers(engine: str, count: int) -> Iterator[None]:
    commands = {
        "worker": [f"-m djsms.cli work --threads {count} --verbosity 0"],
        "celery": [f"{CELERY} -c {count}"],
        "tasks": ["-m django db_worker --interval 0.1 --no-startup-delay"] * count,
    }[engine]
    started = [
        subprocess.Popen(
            [sys.executable, *command.split()],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def measure(engine: str, count: int, store: Callable[[int], None], texts: int) -> float:
    """Return texts a second, from the first that is stored to the last that is taken."""
    from djsms.models import TextMessage

    def run(texts: int) -> float:
        TextMessage.objects.all().delete()
        start = time.perf_counter()
        store(texts)
        end = start + 120
        while TextMessage.objects.exclude(status="created").count() < texts:
            if time.perf_counter() > end:
                raise SystemExit(f"{engine}: nothing goes on")
            time.sleep(0.02)
        return texts / (time.perf_counter() - start)

    with workers(engine, count):
        run(10)  # by then they are there
        time.sleep(2)
        return run(texts)


def main(texts: int) -> None:
    import engines_tasks
    from django.conf import settings
    from django.db import transaction

    from djsms import enqueue_texts

    def enqueue(count: int) -> None:
        enqueue_texts([("Hi", FRM, TO)] * count)

    def celery_each(count: int) -> None:
        for number in range(count):
            engines_tasks.celery_send.delay(number)

    def task_each(count: int) -> None:
        with transaction.atomic():
            for number in range(count):
                engines_tasks.task_send.enqueue(number)

    ways: dict[str, tuple[str, Callable[[int], None]]] = {
        "djsms work": ("worker", enqueue),
        "celery": ("celery", enqueue),
        "tasks (django-tasks-db)": ("tasks", enqueue),
        "a Celery task for each text": ("celery", celery_each),
        "a django-tasks-db task for each": ("tasks", task_each),
    }
    for milliseconds in (0, 50):
        os.environ["BENCH_SECONDS"] = str(milliseconds / 1000)
        print(f"provider of {milliseconds} ms: texts/s with 1, 2, 4 calls at a time", flush=True)
        for name, (engine, store) in ways.items():
            os.environ["BENCH_ENGINE"] = settings.DJSMS_ENGINE = engine
            _forget_engine()
            rates = [
                measure(engine, count, store, texts * count // 2 if milliseconds else texts)
                for count in (1, 2, 4)
            ]
            print(f"  {name:32}" + "".join(f"{rate:8.0f}" for rate in rates), flush=True)


def _forget_engine() -> None:
    from django.core.signals import setting_changed

    setting_changed.send(sender=None, setting="DJSMS_ENGINE", value=None, enter=True)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "engines_settings",
        "PYTHONPATH": str(HERE),
        "BENCH_DATABASE": f"djsms_bench_{os.getpid()}",
        "BENCH_QUEUE": f"djsms-bench-{uuid.uuid4().hex}",
        "BENCH_SECONDS": "0",
    }
    import django
    from django.conf import settings

    # The test database is the one that the settings name: workers are to find it.
    settings.DATABASES["default"] |= {
        "NAME": "postgres",
        "TEST": {"NAME": os.environ["BENCH_DATABASE"]},
    }
    django.setup()
    from django.test.utils import setup_databases, teardown_databases

    # Told to end, it ends its workers as well.
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(1))
    made = setup_databases(verbosity=0, interactive=False)
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    finally:
        teardown_databases(made, verbosity=0)
        import engines_tasks
        import kombu

        with engines_tasks.app.connection_for_write() as broker:
            kombu.Queue(os.environ["BENCH_QUEUE"], channel=broker.default_channel).delete()
