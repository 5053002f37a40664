"""``djsms work``, in processes of its own, killed for real; the provider counts the calls."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from djsms import Status, enqueue_text, enqueue_texts, queue
from djsms.models import TextMessage, Worker
from djsms.tidying import tidy

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

ALICE = "+447700900123"


@pytest.fixture(autouse=True)
def shared_settings(settings: Any, workers: Any, operator: Any) -> None:
    """The test enqueues for the account that the workers have."""
    settings.DJSMS_BACKEND = "acme"
    settings.DJSMS_OPTIONS = {"port": operator.port}


def waits(text: str = "Hi", **fields: Any) -> TextMessage:
    return enqueue_text(text, "Bistro", ALICE, False, **fields)


def statuses() -> dict[str, str]:
    return {message.text: str(message.status) for message in TextMessage.objects.all()}


def test_sends_what_is_due_and_ends(workers: Any, operator: Any) -> None:
    for number in range(20):
        waits(str(number))
    assert workers.run("--once") == 0
    assert sorted(operator.texts) == sorted(map(str, range(20)))
    assert set(statuses().values()) == {"sending"}
    assert not Worker.objects.exists()


def test_sends_what_comes_in_until_it_is_told_to_stop(workers: Any, operator: Any) -> None:
    worker = workers.start()
    waits("first")
    operator.wait_for(1)
    waits("second")
    operator.wait_for(2)
    [row] = queue.state().workers
    assert row.pid == worker.pid
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert set(statuses().values()) == {"sending"}


def test_calls_under_way_end_before_it_stops(workers: Any, operator: Any) -> None:
    operator.go_on.clear()
    for number in range(3):
        waits(str(number))
    worker = workers.start("--threads=2")
    operator.wait_for(2)
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGINT)
    while not Worker.objects.filter(stopping=True).exists():
        assert worker.poll() is None
    operator.go_on.set()
    assert worker.wait(30) == 0
    assert sorted(statuses().values()) == ["created", "sending", "sending"]
    assert len(operator.calls) == 2


def test_ends_after_so_many_texts(workers: Any, operator: Any) -> None:
    for number in range(10):
        waits(str(number))
    assert workers.run("--max-texts=4", "--threads=3") == 0
    assert len(operator.calls) == 4


def test_one_thread_is_kept_from_bulk(workers: Any, operator: Any) -> None:
    operator.go_on.clear()
    enqueue_texts([("bulk", "Bistro", ALICE)] * 10)
    workers.start("--threads=3")
    operator.wait_for(2)
    waits("urgent", priority="urgent")
    operator.wait_for(3)
    assert operator.texts == ["bulk", "bulk", "urgent"]


@pytest.mark.parametrize("fate", ["die before", "die after"])
def test_killed_during_the_call_it_leaves_an_unknown_outcome_and_no_second_call(
    workers: Any, operator: Any, fate: str
) -> None:
    fatal = waits(fate)
    assert workers.run("--threads=1") == -signal.SIGKILL
    fatal.refresh_from_db()
    assert (fatal.status, fatal.due_on) == (Status.CREATED, None)
    Worker.objects.update(seen_on=fatal.created_on - timedelta(minutes=2))
    tidy()
    fatal.refresh_from_db()
    assert fatal.status is Status.UNKNOWN
    waits("next")
    assert workers.run("--once") == 0
    assert statuses()["next"] == "sending"
    operator.assert_no_text_was_called_for_twice()


def test_backend_that_ends_its_thread_does_not_end_the_worker(workers: Any, operator: Any) -> None:
    waits("system exit")
    waits("next")
    assert workers.run("--once", "--threads=1") == 0
    assert statuses() == {"system exit": "unknown", "next": "sending"}


def test_idle_worker_writes_nothing(workers: Any, operator: Any, database: str) -> None:
    if database != "default":
        pytest.skip("SQLite tells whether anybody else has written")
    waits("first")
    waits("later", run_after=timedelta(hours=1))
    workers.start()
    operator.wait_for(1)
    while not TextMessage.objects.filter(text="first", status=Status.SENDING).exists():
        pass
    version = data_version()
    time.sleep(1)  # ten polls
    assert data_version() == version


def data_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA data_version")
        return int(cursor.fetchone()[0])


def test_no_more_calls_at_once_than_the_account_allows(
    workers: Any, operator: Any, limits: Callable[..., None]
) -> None:
    limits(DJSMS_CONCURRENCY=2)
    enqueue_texts([("Hi", "Bistro", ALICE)] * 40, priority="normal")
    started = [workers.start("--once") for _ in range(2)]
    for worker in started:
        assert worker.wait(60) == 0
    while TextMessage.objects.filter(due_on__isnull=False).exists():
        workers.run("--once")
    assert operator.most_at_once <= 2
    operator.assert_no_text_was_called_for_twice()
    assert len(operator.calls) == 40
