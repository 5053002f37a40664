"""Many at once: calls in threads, rows by the calling thread, and an orderly end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from children import Children
from django.db import connections, transaction

from djsms import SendResult, hookimpl, send_texts
from djsms.accounts import gateways
from djsms.exceptions import Refused
from djsms.models import TextMessage
from djsms.sending.batches import Batch

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"
WAIT = 60  # seconds, for what must happen


def texts(count: int) -> list[tuple[str, str, str]]:
    return [(str(number), FRM, TO) for number in range(count)]


class Meeting:
    """A backend whose calls wait for each other, so many at a time."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=WAIT)
        self.threads: set[threading.Thread] = set()
        self.most = self._now = 0
        self._lock = threading.Lock()

    @hookimpl
    def send(self, message):
        with self._lock:
            self.threads.add(threading.current_thread())
            self._now += 1
            self.most = max(self.most, self._now)
        self.barrier.wait()
        with self._lock:
            self._now -= 1
        return SendResult.accepted(message.ref)


@contextmanager
def standing_in(backend: object) -> Iterator[None]:
    with gateways.replaced(lambda alias: backend):
        yield


class TestThreads:
    def test_calls_overlap_and_the_messages_are_returned_in_order(self):
        backend = Meeting(5)
        with standing_in(backend):
            sent = send_texts(texts(20), concurrency=5)
        assert [message.text for message in sent] == [str(number) for number in range(20)]
        assert {message.status for message in sent} == {"sending"}
        assert backend.most == 5

    def test_by_default_as_many_as_the_backend_is_ready_for(self):
        backend = Meeting(3)
        backend.pool_size = 3
        with standing_in(backend):
            send_texts(texts(9))
        assert backend.most == 3

    def test_the_calling_thread_sleeps_while_they_are_under_way(self, monkeypatch):
        class Slow:
            @hookimpl
            def send(self, message):
                time.sleep(0.2)
                return SendResult.accepted(message.ref)

        step, steps = Batch.step, []

        def counted(batch):
            steps.append(batch)
            return step(batch)

        monkeypatch.setattr(Batch, "step", counted)
        with standing_in(Slow()):
            send_texts(texts(4), concurrency=2)
        assert len(steps) <= 5

    def test_or_else_one_in_the_calling_thread(self):
        backend = Meeting(1)
        with standing_in(backend):
            send_texts(texts(3))
        assert backend.threads == {threading.current_thread()}

    def test_the_accounts_limit_caps_it(self, settings):
        settings.DJSMS_CONCURRENCY = 2
        backend = Meeting(2)
        with standing_in(backend):
            send_texts(texts(8), concurrency=8)
        assert backend.most == 2

    def test_a_row_is_attempted_only_when_a_thread_is_free_for_it(self, database):
        class Looking(Meeting):
            attempted: list[int] = []

            @hookimpl
            def send(self, message):
                self.barrier.wait()
                with transaction.atomic(using=database):
                    rows = TextMessage.objects.filter(status="created", attempted_on__isnull=False)
                    self.attempted.append(rows.count())
                return SendResult.accepted(message.ref)

        backend = Looking(2)
        with standing_in(backend):
            send_texts(texts(20), concurrency=2)
        # two under way, and as many whose answer is not recorded yet
        assert max(backend.attempted) <= 4

    @pytest.mark.parametrize("concurrency", [0, -1, 1001])
    def test_a_number_of_threads_that_is_none(self, provider, concurrency):
        with pytest.raises(ValueError, match="concurrency"):
            send_texts(texts(1), concurrency=concurrency)

    @pytest.mark.parametrize("concurrency", [True, "3", 2.0])
    def test_one_of_a_wrong_type(self, provider, concurrency):
        with pytest.raises(TypeError, match="concurrency"):
            send_texts(texts(1), concurrency=concurrency)


class UsesTheOrm:
    """An extension that asks the database during the call."""

    seen: list[tuple[threading.Thread, int]] = []

    @hookimpl(wrapper=True)
    def send(self, message):
        count = TextMessage.objects.count()
        self.seen.append((threading.current_thread(), count))
        return (yield)


class TestExtensions:
    @pytest.fixture(autouse=True)
    def extension(self, settings):
        settings.DJSMS_EXTENSIONS = [f"{UsesTheOrm.__module__}.UsesTheOrm"]
        UsesTheOrm.seen.clear()

    def test_their_connections_are_closed_when_the_call_ends(self, provider, database):
        opened = []
        connect = type(connections[database]).connect

        def noted(self):
            opened.append(self)
            connect(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(connections[database]), "connect", noted)
            send_texts(texts(6), concurrency=3)
        theirs = [one for one in opened if one is not connections[database]]
        assert theirs
        assert [one for one in theirs if one.connection is not None] == []

    def test_inside_an_atomic_block_they_see_what_it_holds(self, provider, database):
        with transaction.atomic(using=database):
            send_texts(texts(4), concurrency=4)
        assert {thread for thread, _ in UsesTheOrm.seen} == {threading.current_thread()}
        assert {count for _, count in UsesTheOrm.seen} == {4}


class TestProgress:
    def test_is_called_after_each_with_their_number(self, provider):
        done: list[int] = []
        messages = [*texts(2), ("refused", FRM, "nobody"), *texts(2)]
        send_texts(messages, concurrency=2, progress=done.append)
        assert done == [1, 2, 3, 4, 5]

    def test_what_it_raises_ends_the_batch_in_good_order(self, provider):
        def stop(done: int) -> None:
            if done == 3:
                raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough") as caught:
            send_texts(texts(40), concurrency=2, progress=stop)
        assert "Messages of this call" in caught.value.__notes__[-1]
        in_good_order()

    def test_what_is_no_function_is_told(self, provider):
        with pytest.raises(TypeError, match="progress"):
            send_texts(texts(1), progress=5)


def in_good_order() -> None:
    """Each row was called for and recorded, or never attempted."""
    rows = TextMessage.objects.all()
    assert {(row.status, row.attempted_on is None) for row in rows} == {
        ("sending", False),
        ("created", True),
    }


class TestEnd:
    def test_a_failure_that_is_raised_lets_the_others_end(self):
        class Backend(Meeting):
            @hookimpl
            def send(self, message):
                self.barrier.wait()
                if message.text == "0":
                    raise Refused("no")
                return SendResult.accepted(message.ref)

        with standing_in(Backend(3)), pytest.raises(Refused):
            send_texts(texts(9), concurrency=3, fail_silently=False)
        statuses = list(TextMessage.objects.values_list("status", flat=True))
        assert statuses.count("refused") == 1
        unattempted = TextMessage.objects.filter(status="created", attempted_on=None)
        assert unattempted.count() == statuses.count("created")

    def test_ctrl_c_lets_calls_in_flight_end_and_the_rest_waits(
        self, database, child_environment, tmp_path
    ):
        children = Children(database, child_environment, tmp_path / "calls")
        batch = """
        send_texts(
            [dict(text="Hi", frm=FRM, to=TO, key=f"order-{n}") for n in range(200)], concurrency=5
        )
        """
        slow = """
        import time
        def answer(message):
            time.sleep(0.02)
            return SendResult.accepted(message.ref)
        backend.answer = answer
        """
        child = children.start(slow, batch)
        end = time.monotonic() + WAIT
        while len(children.calls) < 20 and time.monotonic() < end:
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGINT)
        _, errors = child.communicate(timeout=WAIT)
        assert "KeyboardInterrupt" in errors
        in_good_order()
        assert TextMessage.objects.filter(status="sending").count() == len(children.calls)
        assert children.run(batch) == 0
        assert len(children.calls) == len(set(children.calls)) == 200
        assert set(TextMessage.objects.values_list("status", flat=True)) == {"sending"}
