"""What goes wrong for real: killed workers, dropped connections, races, frozen processes."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from scripted import Provider

from djsms import SendResult, Status, cancel_text, enqueue_text, enqueue_texts, queue
from djsms.accounts import gateways
from djsms.exceptions import (
    AuthenticationFailed,
    OutcomeUnknown,
    Refused,
    TemporarilyUnavailable,
    TextMessageError,
    Throttled,
)
from djsms.ledger import clock
from djsms.models import TextMessage, Worker
from djsms.tidying import tidy
from djsms.waiting import gates
from djsms.waiting.units import claim_units
from djsms.waiting.upkeep import give_up

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

ALICE = "+447700900123"


def waits(text: str = "Hi", **fields: Any) -> TextMessage:
    return enqueue_text(text, "Bistro", ALICE, False, **fields)


def counts() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in TextMessage.objects.values_list("status", flat=True):
        found[str(status)] = found.get(str(status), 0) + 1
    return found


class TestProcesses:
    @pytest.fixture(autouse=True)
    def account(self, settings: Any, workers: Any, operator: Any) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_OPTIONS = {"port": operator.port}

    def end_of(self, workers: Any) -> None:
        """Take those that were killed for dead, and let another one send the rest."""
        Worker.objects.update(seen_on=clock.now() - timedelta(minutes=2))
        tidy()
        assert workers.run("--once") == 0

    @pytest.mark.live
    def test_killed_workers_call_for_no_text_twice(self, workers: Any, operator: Any) -> None:
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(240))
        kills = 0
        for _ in range(3):
            started = [workers.start("--threads=3") for _ in range(2)]
            for worker in started:
                operator.wait_for(min(240, len(operator.calls) + random.randint(10, 30)))
                worker.kill()
                worker.wait()
                kills += 1
        self.end_of(workers)
        operator.assert_no_text_was_called_for_twice()
        found = counts()
        assert found["sending"] + found.get("unknown", 0) == 240
        assert found.get("unknown", 0) <= kills * 3
        print(f"240 texts, {kills} kills, {found.get('unknown', 0)} unknown, none twice")

    @pytest.mark.live
    def test_stopped_workers_leave_nothing_unknown(self, workers: Any, operator: Any) -> None:
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(100))
        for _ in range(4):
            worker = workers.start("--threads=3")
            operator.wait_for(min(100, len(operator.calls) + random.randint(5, 20)))
            workers.stop(worker)
        assert workers.run("--once") == 0
        operator.assert_no_text_was_called_for_twice()
        assert counts() == {"sending": 100}

    @pytest.mark.live
    def test_dropped_connections_cost_no_text_and_no_second_call(
        self, workers: Any, operator: Any, database: str
    ) -> None:
        if database == "default":
            pytest.skip("SQLite has no connections to drop")
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(100))
        worker = workers.start("--threads=3")
        for _ in range(6):
            operator.wait_for(min(100, len(operator.calls) + 15))
            drop_connections(database)
        operator.wait_for(95)
        workers.stop(worker)
        self.end_of(workers)
        operator.assert_no_text_was_called_for_twice()
        found = counts()
        assert found["sending"] + found.get("unknown", 0) == 100

    @pytest.mark.live
    def test_rate_holds_for_all_workers_together(
        self, workers: Any, operator: Any, limits: Any
    ) -> None:
        limits(DJSMS_RATE="20/s")
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(120))
        started = [workers.start("--once", "--threads=4") for _ in range(3)]
        for worker in started:
            assert worker.wait(60) == 0
        operator.wait_for(120)
        moments = sorted(call["at"] for call in operator.calls)
        # What a busy machine does between claim and call may bring two seconds closer together.
        busiest = max(sum(at <= other < at + 1 for other in moments) for at in moments)
        assert busiest <= 20 + 4 + 8
        assert moments[-1] - moments[0] >= (120 - 4 - 1) / 20 - 0.5


class TestRaces:
    def test_two_drains_call_for_no_text_twice(self, database: str, provider: Provider) -> None:
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(60))
        in_threads(queue.drain, queue.drain, queue.drain)
        assert sorted(int(message.text) for message in provider.sent) == list(range(60))
        assert counts() == {"sending": 60}

    def test_text_is_cancelled_or_sent_and_never_both(
        self, database: str, provider: Provider
    ) -> None:
        enqueue_texts((str(n), "Bistro", ALICE) for n in range(300))
        cancelled: list[str] = []

        def cancel() -> None:
            # Always the one that the other wants next.
            waiting = TextMessage.objects.filter(due_on__isnull=False).order_by("lane", "due_on")
            while (message := waiting.first()) is not None:
                if cancel_text(message):
                    cancelled.append(message.ref)

        in_threads(queue.drain, cancel)
        sent = [message.ref for message in provider.sent]
        assert sorted(sent + cancelled) == sorted(TextMessage.objects.values_list("ref", flat=True))
        assert counts() == {"cancelled": len(cancelled), "sending": len(sent)}

    def test_pause_holds_from_the_next_claim_on(self, database: str, provider: Provider) -> None:
        for number in range(5):
            waits(str(number))

        def answer(message: Any) -> SendResult:
            queue.pause("default")
            return SendResult.accepted("1")

        provider.answer = answer
        assert queue.drain() == 1

    def test_texts_of_a_long_transaction_hold_up_no_others(
        self, database: str, provider: Provider
    ) -> None:
        if database == "default":
            pytest.skip("SQLite has one writer at a time")
        opened, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            from django.db import transaction

            with transaction.atomic(using=database):
                waits("late")
                opened.set()
                go_on.wait(30)

        thread = threading.Thread(target=closing(hold))
        thread.start()
        assert opened.wait(30)
        waits("early")
        assert queue.drain() == 1
        go_on.set()
        thread.join()
        assert queue.drain() == 1
        assert [message.text for message in provider.sent] == ["early", "late"]


class TestLateAnswers:
    """The call comes back after it was given up as unknown."""

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (None, "sending"),
            (Refused("no"), "refused"),
            (AuthenticationFailed("no"), "refused"),
            (TemporarilyUnavailable("down"), "failed"),
            (Throttled("slow down"), "failed"),
            (OutcomeUnknown("timeout"), "unknown"),
        ],
        ids=repr,
    )
    def test_sure_ones_still_count(
        self, database: str, provider: Provider, error: TextMessageError | None, status: str
    ) -> None:
        message = waits()

        def answer(outgoing: Any) -> SendResult:
            TextMessage.objects.update(attempted_on=clock.now() - timedelta(minutes=16))
            tidy()
            assert TextMessage.objects.get().status is Status.UNKNOWN
            if error is not None:
                raise error
            return SendResult.accepted("1")

        provider.answer = answer
        queue.drain()
        message.refresh_from_db()
        assert (str(message.status), message.due_on) == (status, None)

    def test_report_before_the_answer_wins_over_a_temporary_no(
        self, database: str, provider: Provider
    ) -> None:
        message = waits()

        def answer(outgoing: Any) -> SendResult:
            provider.reports(ref=outgoing.ref, status="sent")
            raise TemporarilyUnavailable("a lie")

        provider.answer = answer
        queue.drain()
        message.refresh_from_db()
        assert (message.status, message.due_on) == (Status.SENT, None)


class TestFileThatSomebodyWritesTo:
    """SQLite: who writes first waits its turn; who reads first can only try again."""

    @pytest.fixture
    def written_to(self) -> Iterator[None]:
        name = connections["default"].settings_dict["NAME"]
        other = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(4, other.rollback)
        end.start()
        yield
        end.join()
        other.close()

    def test_takes_many_texts_with_keys(self, written_to: None) -> None:
        assert enqueue_texts([{"text": "Hi", "frm": "Bistro", "to": ALICE, "key": "k"}]) == 1


class TestFrozenProcesses:
    def test_text_that_was_claimed_too_long_ago_is_not_called_for(
        self, database: str, provider: Provider
    ) -> None:
        message = waits()
        [unit] = claim_units(gateways.get("default"), "me", 1)[1]
        unit.claimed_at -= 31
        unit.call()
        unit.settle()
        assert not provider.sent
        message.refresh_from_db()
        assert (message.status, message.attempts, message.attempted_on) == ("created", 0, None)
        assert queue.drain() == 1

    def test_text_that_is_given_back_is_still_counted_for_its_originator(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_ORIGINATOR_RATE = "1/h"
        message = waits()
        gates.align("default", by_originator=True)
        gateway = gateways.get("default")
        [unit] = claim_units(gateway, "me", 1)[1]
        unit.claimed_at -= 31
        unit.call()
        unit.settle()
        message.refresh_from_db()
        assert message.slot == "Bistro"

    def test_text_that_was_given_up_meanwhile_is_not_given_back(
        self, database: str, provider: Provider
    ) -> None:
        message = waits()
        [unit] = claim_units(gateways.get("default"), "me", 1)[1]
        TextMessage.objects.update(attempted_on=clock.now() - timedelta(minutes=16))
        tidy()
        unit.claimed_at -= 1000
        unit.call()
        unit.settle()
        message.refresh_from_db()
        assert (message.status, message.due_on) == (Status.UNKNOWN, None)

    def test_text_that_was_given_back_and_claimed_anew_is_not_given_back_again(
        self, database: str, provider: Provider
    ) -> None:
        message = waits()
        gateway = gateways.get("default")
        [stale] = claim_units(gateway, "me", 1)[1]
        stale.claimed_at -= 31
        stale.call()
        stale.settle()
        assert claim_units(gateway, "me", 1)[1]
        # As by a worker that never heard whether the first time was stored.
        stale.settle()
        message.refresh_from_db()
        assert (message.due_on, message.attempts) == (None, 1)

    def test_call_of_a_text_that_was_given_back_meanwhile_is_not_given_up(
        self, database: str, provider: Provider
    ) -> None:
        waits()
        gateway = gateways.get("default")
        [stale] = claim_units(gateway, "me", 1)[1]
        seen = TextMessage.objects.get()
        stale.claimed_at -= 31
        stale.call()
        stale.settle()
        assert claim_units(gateway, "me", 1)[1]
        assert not give_up(seen, "The call to the provider never came back.")

    def test_text_that_expires_between_claim_and_call_is_not_called_for(
        self, database: str, provider: Provider
    ) -> None:
        message = waits(expires=timedelta(seconds=20))
        [unit] = claim_units(gateways.get("default"), "me", 1)[1]
        unit.claimed_at -= 25
        unit.call()
        unit.settle()
        assert not provider.sent
        message.refresh_from_db()
        assert message.due_on is not None


class TestClocks:
    @pytest.mark.parametrize("hours", [-1, 1])
    def test_wrong_clock_of_a_worker_changes_nothing(
        self,
        database: str,
        provider: Provider,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
        hours: int,
    ) -> None:
        if database == "default":
            pytest.skip("SQLite's clock is that of the machine")
        settings.DJSMS_RATE = "1/h"
        waits("1")
        waits("2")
        waits("later", run_after=timedelta(minutes=30), priority="urgent")
        right = time.time_ns
        monkeypatch.setattr(time, "time", lambda: right() / 1e9 + hours * 3600)
        monkeypatch.setattr(time, "time_ns", lambda: right() + hours * 3600 * 10**9)
        assert queue.drain() == 1
        assert [message.text for message in provider.sent] == ["1"]
        tidy()
        assert "unknown" not in counts()

    def test_rate_survives_a_clock_of_the_database_that_was_set_back(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        from djsms.models import Gate

        settings.DJSMS_RATE = "100/s"
        waits("1")
        queue.drain()
        Gate.objects.update(free_at=clock.microseconds() + 3600 * 10**6)
        waits("2")
        assert queue.drain() == 1


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    yield
    connections.close_all()


def closing(work: Any) -> Any:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    return run


def in_threads(*works: Any) -> None:
    threads = [threading.Thread(target=closing(work)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def drop_connections(database: str) -> None:
    """End all connections to the test's database but our own."""
    with connections[database].cursor() as cursor:
        if database == "postgresql":
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return
        cursor.execute(
            "SELECT id FROM information_schema.processlist "
            "WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        )
        for (number,) in cursor.fetchall():
            try:
                cursor.execute(f"KILL {int(number)}")
            except Exception as error:
                print(error)  # it ended by itself
