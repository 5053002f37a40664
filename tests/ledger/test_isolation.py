"""Above READ COMMITTED: databases that let one of two workers win, or see what is gone since."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.utils import timezone

from djsms import SendResult, SentPart, Status, StatusReport, apply_reports, send_text
from djsms.models import Gate, StatusEvent, TextMessage
from djsms.receiving import matching
from djsms.sending.outcomes import record_answer
from djsms.tidying import tidy

FRM, TO = "+447700900001", "+447700900002"


@pytest.fixture(params=["repeatable read", "serializable"], autouse=True)
def level(request, transactional_db, database, monkeypatch) -> Iterator[str]:
    connection = connections[database]
    if connection.vendor == "sqlite":
        pytest.skip("SQLite knows one level, and its one writer")
    if connection.vendor == "postgresql":
        from django.db.backends.postgresql.psycopg_any import IsolationLevel

        value: Any = IsolationLevel[request.param.replace(" ", "_").upper()]
    else:
        value = request.param
    # All threads' connections are made from this dictionary.
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "isolation_level", value)
    connection.close()
    yield request.param
    connection.close()


pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__")]


def elsewhere(work: Callable[[], Any]) -> None:
    """Do the work on another connection, and commit it."""
    at_once(work)


def at_once(*works: Callable[[], Any]) -> None:
    failures: list[BaseException] = []

    def run(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "it does not end"
    if failures:
        raise failures[0]


def report(status: Status, **by: str) -> Callable[[], Any]:
    return lambda: apply_reports("default", [StatusReport(status=status, **by)])


def stored(message: TextMessage) -> TextMessage:
    return TextMessage.objects.get(pk=message.pk)


@contextmanager
def moved_after_it_was_found(monkeypatch, message: TextMessage) -> Iterator[None]:
    find = matching.message_of
    moves = iter([Status.SENT])

    def find_and_move(event: StatusEvent) -> TextMessage | None:
        found = find(event)
        for status in moves:
            elsewhere(lambda status=status: TextMessage.objects.update(status=status))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(matching, "message_of", find_and_move)
        yield


def test_many_reports_on_one_message_at_once_are_all_stored(provider):
    message = send_text("Hi", FRM, TO)
    words = [Status.SENT, Status.FAILED, Status.DELIVERED, Status.EXPIRED, Status.REJECTED]
    at_once(*(report(word, ref=message.ref) for word in words))
    assert stored(message).status == "delivered"
    assert message.events.filter(source="report").count() == len(words)


def test_one_report_that_comes_many_times_at_once_counts_once(provider):
    message = send_text("Hi", FRM, TO)
    at_once(*[report(Status.DELIVERED, ref=message.ref)] * 5)
    assert message.events.filter(source="report").count() == 1


def test_the_last_parts_at_the_same_time(provider):
    provider.answers(*(SentPart(provider_id=name) for name in "abcd"))
    message = send_text("x" * 600, FRM, TO)
    at_once(*(report(Status.DELIVERED, provider_id=name) for name in "abcd"))
    assert stored(message).status == "delivered"


def test_one_that_another_worker_moves_between_look_and_write(provider, monkeypatch):
    message = send_text("Hi", FRM, TO)
    with moved_after_it_was_found(monkeypatch, message):
        report(Status.DELIVERED, ref=message.ref)()
    assert stored(message).status == "delivered"


def test_many_at_once_in_requests_of_many(provider):
    messages = [send_text("Hi", FRM, TO) for _ in range(6)]
    some = [StatusReport(status=Status.SENT, ref=message.ref) for message in messages]
    others = [StatusReport(status=Status.DELIVERED, ref=m.ref) for m in reversed(messages)]
    at_once(lambda: apply_reports("default", some), lambda: apply_reports("default", others))
    assert {stored(message).status for message in messages} == {"delivered"}
    assert StatusEvent.objects.filter(source="report").count() == 12


class TestInsideACallersTransaction:
    """It sees what was there when it began; only the caller can begin it anew."""

    @pytest.fixture
    def applied(self, database) -> bool:
        """Whether the database takes a change on top of one that the transaction does not see."""
        return connections[database].vendor == "mysql"

    def test_a_report_is_applied_or_it_is_said_what_to_do(self, provider, applied, database):
        message = send_text("Hi", FRM, TO)

        def apply() -> None:
            with transaction.atomic(using=database):
                Gate.objects.count()
                elsewhere(lambda: TextMessage.objects.update(status="sent"))
                report(Status.DELIVERED, ref=message.ref)()

        if applied:
            apply()
            assert stored(message).status == "delivered"
        else:
            with pytest.raises(OperationalError, match="End the transaction and run it again"):
                apply()
            assert stored(message).status == "sent"

    def test_tidying_ends(self, provider, database):
        hour_ago = timezone.now() - timedelta(hours=1)
        message = TextMessage.objects.create(
            frm=FRM, to=TO, text="Hi", attempted_on=hour_ago, created_on=hour_ago
        )
        found = TextMessage.objects.get()
        with transaction.atomic(using=database):
            Gate.objects.count()
            elsewhere(lambda: record_answer(found, SendResult.accepted("late")))
            tidy()
        assert stored(message).status == "sending"
