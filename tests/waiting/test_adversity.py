"""What the world does to workers: databases that go away, providers that hang, machines that stop.

Real processes on real databases; a provider's server outside of them counts the calls.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cables import Cable, LossyCable
from django.db import connections

from djsms import Status, enqueue_text, enqueue_texts, queue
from djsms.ledger import clock
from djsms.models import StatusEvent, TextMessage, Worker
from djsms.tidying import tidy
from djsms.waiting.units import STALE

pytestmark = [
    pytest.mark.django_db(databases="__all__", transaction=True),
    pytest.mark.live,
]

ALICE = "+447700900123"


@pytest.fixture(autouse=True)
def account(settings: Any, workers: Any, operator: Any) -> None:
    settings.DJSMS_BACKEND = "acme"
    settings.DJSMS_OPTIONS = {"port": operator.port}


def waits(text: str = "Hi", **fields: Any) -> TextMessage:
    return enqueue_text(text, "Bistro", ALICE, False, **fields)


def counts() -> dict[str, int]:
    return dict(Counter(map(str, TextMessage.objects.values_list("status", flat=True))))


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def give_up_the_dead() -> None:
    Worker.objects.update(seen_on=clock.now() - timedelta(minutes=2))
    tidy()


class TestSignalsAtEachPoint:
    """A process that is killed, or told to stop, at each step of a text's way."""

    POINTS = {
        "in the claim's transaction": "djsms.waiting.claims:_Turn _write",
        "between claim and call": "djsms.waiting.crews:Crew give",
        "before the answer is stored": "djsms.waiting.settling record",
        "before it is put back": "djsms.waiting.settling put_back",
    }
    AFTER_A_KILL = {
        "in the claim's transaction": ("sending", 1),
        "between claim and call": ("unknown", 0),
        "before the answer is stored": ("unknown", 1),
        "before it is put back": ("unknown", 1),
    }

    def start(self, workers: Any, operator: Any, point: str, number: int) -> Any:
        if point == "before it is put back":
            operator.error, operator.retry_after = "TemporarilyUnavailable", 0.1
        workers.environment["DJSMS_TEST_POINT"] = f"{self.POINTS[point]} {number:d}"
        worker = workers.start("--threads=2")
        del workers.environment["DJSMS_TEST_POINT"]
        return worker

    @pytest.mark.parametrize("point", POINTS)
    def test_killed_it_costs_no_second_call(self, workers: Any, operator: Any, point: str) -> None:
        message = waits()
        assert self.start(workers, operator, point, signal.SIGKILL).wait(60) == -signal.SIGKILL
        operator.error = ""
        give_up_the_dead()
        assert workers.run("--once") == 0
        message.refresh_from_db()
        assert (str(message.status), len(operator.calls)) == self.AFTER_A_KILL[point]

    @pytest.mark.parametrize("point", POINTS)
    def test_told_to_stop_it_leaves_nothing_in_doubt(
        self, workers: Any, operator: Any, point: str
    ) -> None:
        message = waits()
        assert self.start(workers, operator, point, signal.SIGTERM).wait(60) == 0
        message.refresh_from_db()
        assert message.status is Status.SENDING or message.due_on is not None
        operator.error = ""
        TextMessage.objects.filter(due_on__isnull=False).update(due_on=clock.now())
        assert workers.run("--once") == 0
        message.refresh_from_db()
        assert message.status is Status.SENDING
        assert len(operator.calls) == (2 if point == "before it is put back" else 1)


class TestDatabases:
    @pytest.fixture
    def cable(self, workers: Any, database: str) -> Iterator[Cable]:
        if database == "default":
            pytest.skip("SQLite has no server to lose")
        cable = Cable(int(connections[database].settings_dict["PORT"]))
        workers.environment[f"DJSMS_TEST_{database.upper()}_PORT"] = str(cable.port)
        yield cable
        cable.close()

    def test_that_are_away_when_answers_come_get_them_when_they_are_back(
        self, workers: Any, operator: Any, cable: Cable
    ) -> None:
        operator.go_on.clear()
        for number in range(4):
            waits(str(number))
        worker = workers.start("--threads=2")
        operator.wait_for(2)
        cable.unplug()
        operator.go_on.set()
        until(lambda: workers.log(worker).count("is kept until it can be stored") == 2)
        time.sleep(float(os.environ.get("DJSMS_TEST_SECONDS_AWAY", "3")))
        assert len(operator.calls) == 2
        cable.plug_in()
        until(lambda: counts() == {"sending": 4})
        workers.stop(worker)
        operator.assert_no_text_was_called_for_twice()

    def test_worker_ends_by_itself_though_the_database_does_not_come_back(
        self, workers: Any, operator: Any, cable: Cable
    ) -> None:
        message = waits()
        worker = workers.start()
        until(lambda: Worker.objects.exists())
        operator.wait_for(1)
        until(lambda: TextMessage.objects.get().status is Status.SENDING)
        cable.unplug()
        workers.stop(worker)
        message.refresh_from_db()
        assert message.status is Status.SENDING

    @pytest.fixture
    def lossy(self, workers: Any, database: str) -> Iterator[LossyCable]:
        if database != "postgresql":
            pytest.skip("the proxy speaks as PostgreSQL does")
        proxy = LossyCable(int(connections[database].settings_dict["PORT"]))
        workers.environment["DJSMS_TEST_POSTGRESQL_PORT"] = str(proxy.port)
        yield proxy
        proxy.close()

    def test_claim_whose_commit_is_in_doubt_is_not_called_for(
        self, workers: Any, operator: Any, lossy: LossyCable
    ) -> None:
        worker = workers.start()
        until(lambda: Worker.objects.exists())
        lossy.armed = True
        message = waits()
        until(lambda: lossy.cut_commits == 1)
        second = waits("next")
        until(lambda: TextMessage.objects.get(pk=second.pk).status is Status.SENDING)
        workers.stop(worker)
        TextMessage.objects.filter(pk=message.pk).update(
            attempted_on=clock.now() - timedelta(minutes=16)
        )
        tidy()
        message.refresh_from_db()
        assert (message.status, operator.texts) == (Status.UNKNOWN, ["next"])

    def test_answer_whose_commit_is_in_doubt_is_stored_once(
        self, workers: Any, operator: Any, lossy: LossyCable
    ) -> None:
        operator.go_on.clear()
        message = waits()
        worker = workers.start()
        operator.wait_for(1)
        lossy.armed = True
        operator.go_on.set()
        until(lambda: lossy.cut_commits == 1)
        workers.stop(worker)
        message.refresh_from_db()
        assert (message.status, message.attempts) == (Status.SENDING, 1)
        assert StatusEvent.objects.filter(message=message).count() <= 1
        operator.assert_no_text_was_called_for_twice()

    def test_that_are_locked_for_longer_than_one_waits_get_the_answer_all_the_same(
        self, workers: Any, operator: Any, database: str
    ) -> None:
        if database != "default":
            pytest.skip("SQLite has one lock for all writers")
        workers.environment["DJSMS_TEST_SQLITE_TIMEOUT"] = "0.5"
        operator.go_on.clear()
        waits()
        worker = workers.start()
        operator.wait_for(1)
        other = sqlite3.connect(connections[database].settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        operator.go_on.set()
        until(lambda: "is kept until it can be stored" in workers.log(worker))
        other.rollback()
        other.close()
        until(lambda: counts() == {"sending": 1})
        workers.stop(worker)
        operator.assert_no_text_was_called_for_twice()

    def test_may_get_new_columns_while_workers_send(
        self, workers: Any, operator: Any, database: str
    ) -> None:
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(60))
        worker = workers.start("--threads=3")
        operator.wait_for(15)
        table = connections[database].ops.quote_name(TextMessage._meta.db_table)
        alter(database, f"ALTER TABLE {table} ADD COLUMN djsms_test_later integer NULL")
        try:
            until(lambda: counts() == {"sending": 60})
        finally:
            worker.send_signal(signal.SIGTERM)
            code = worker.wait(60)
            alter(database, f"ALTER TABLE {table} DROP COLUMN djsms_test_later")
        assert code == 0
        operator.assert_no_text_was_called_for_twice()


def alter(database: str, statement: str) -> None:
    with connections[database].cursor() as cursor:
        cursor.execute(statement)


class TestProviders:
    THREADS = 4

    @pytest.fixture(autouse=True)
    def impatient(self, limits: Any, operator: Any) -> None:
        limits(DJSMS_OPTIONS={"port": operator.port, "timeout": 0.5})

    def storm(self, workers: Any, operator: Any, enough: int) -> None:
        enqueue_texts(((str(n), "Bistro", ALICE) for n in range(100)), priority="normal")
        worker = workers.start(f"--threads={self.THREADS}")
        operator.wait_for(enough)
        time.sleep(3)
        workers.stop(worker)

    def assert_all_others_go_when_it_is_well_again(self, workers: Any, operator: Any) -> None:
        queue.resume("default")
        TextMessage.objects.filter(due_on__isnull=False).update(due_on=clock.now())
        assert workers.run("--once") == 0
        assert counts()["sending"] == 100 - counts().get("unknown", 0)

    def test_that_hang_cost_a_few_outcomes_and_no_more(self, workers: Any, operator: Any) -> None:
        operator.go_on.clear()
        self.storm(workers, operator, enough=5)
        assert 5 <= counts()["unknown"] <= 5 + self.THREADS
        operator.go_on.set()
        self.assert_all_others_go_when_it_is_well_again(workers, operator)
        operator.assert_no_text_was_called_for_twice()

    @pytest.mark.parametrize(
        "error", ["TemporarilyUnavailable", "AuthenticationFailed", "InsufficientFunds"]
    )
    def test_that_refuse_everybody_are_left_alone_and_cost_nothing(
        self, workers: Any, operator: Any, error: str
    ) -> None:
        operator.error = error
        self.storm(workers, operator, enough=2)
        assert len(operator.calls) <= 5 + self.THREADS
        assert counts() == {"created": 100}
        operator.error = ""
        self.assert_all_others_go_when_it_is_well_again(workers, operator)

    @pytest.mark.parametrize("seconds", [None, 3600, 10**9])
    def test_that_throttle_are_left_alone_for_as_long_as_they_say(
        self, workers: Any, operator: Any, seconds: float | None
    ) -> None:
        operator.error, operator.retry_after = "Throttled", seconds
        self.storm(workers, operator, enough=1)
        assert len(operator.calls) <= self.THREADS
        assert "unknown" not in counts()


class TestMachines:
    def test_that_stood_still_between_claim_and_call_call_for_nothing_stale(
        self, workers: Any, operator: Any, database: str
    ) -> None:
        if database != "postgresql":
            pytest.skip("it takes half a minute, and no database has a part in it")
        message = waits()
        workers.environment["DJSMS_TEST_POINT"] = (
            f"djsms.waiting.crews:Crew give {signal.SIGSTOP:d}"
        )
        worker = workers.start()
        until(lambda: is_stopped(worker))
        message.refresh_from_db()
        assert message.attempts == 1
        time.sleep(STALE + 1)
        worker.send_signal(signal.SIGCONT)
        operator.wait_for(1)
        assert "not called for in time, it waits on" in workers.log(worker)
        workers.stop(worker)
        message.refresh_from_db()
        assert (message.status, message.attempts) == (Status.SENDING, 1)
        assert len(operator.calls) == 1


def is_stopped(process: subprocess.Popen[str]) -> bool:
    with open(f"/proc/{process.pid}/stat") as file:  # noqa: PTH123
        return file.read().rpartition(") ")[2].startswith("T")


class TestBackends:
    def test_that_change_the_signals_do_not_keep_a_worker_from_stopping(
        self, workers: Any, operator: Any
    ) -> None:
        workers.environment["DJSMS_TEST_MEDDLES"] = "1"
        waits()
        worker = workers.start()
        operator.wait_for(1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0

    def test_that_fork_disturb_nobody(self, workers: Any, operator: Any) -> None:
        waits("fork")
        waits("next")
        assert workers.run("--once", "--threads=1") == 0
        assert counts() == {"sending": 2}
        operator.assert_no_text_was_called_for_twice()

    def test_that_are_uninstalled_keep_their_texts_waiting(
        self, workers: Any, operator: Any, limits: Any
    ) -> None:
        waits()
        limits(DJSMS_BACKEND="gone", DJSMS_OPTIONS={})
        assert workers.run("--once") != 0
        assert counts() == {"created": 1}
        assert TextMessage.objects.get().due_on is not None
