"""What must hold when all around goes wrong: replicas, dead connections, odd backends, crashes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connections, router
from django.db.models.signals import post_save
from django.utils import timezone

from djsms import (
    IncomingText,
    PartOf,
    SendResult,
    SentPart,
    Status,
    StatusReport,
    apply_reports,
    enqueue_text,
    queue,
    send_text,
    send_texts,
)
from djsms.exceptions import OutcomeUnknown, Refused, Throttled
from djsms.ledger import entries
from djsms.ledger.statuses import put_back
from djsms.models import IncomingPart, StatusEvent, TextMessage
from djsms.receiving import reports
from djsms.receiving.incoming import release_parts, take_text
from djsms.receiving.reports import take_report
from djsms.sending import outcomes
from djsms.tidying import tidy

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]
committed = pytest.mark.django_db(transaction=True, databases="__all__")

FRM, TO = "+447700900001", "+447700900002"


def stored(message: TextMessage) -> TextMessage:
    return TextMessage.objects.get(pk=message.pk)


@contextmanager
def hearing(receiver: Any) -> Iterator[None]:
    post_save.connect(receiver, sender=TextMessage)
    try:
        yield
    finally:
        post_save.disconnect(receiver, sender=TextMessage)


def aged(model: Any, **age: int) -> None:
    model.objects.update(created_on=timezone.now() - timedelta(**age))


class LaggingReplica:
    """Reads go to a database that never hears of anything."""

    def __init__(self, writer: str, replica: str) -> None:
        self.writer, self.replica = writer, replica

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return self.replica

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return self.writer

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True


class TestReplica:
    """A replica that lags behind must not decide anything."""

    @pytest.fixture(autouse=True)
    def lagging(self, database, monkeypatch):
        others = [alias for alias in connections if alias != database]
        if not others:
            pytest.skip("one database alone cannot have a replica")
        monkeypatch.setattr(router, "routers", [LaggingReplica(database, others[0])])
        self.rows = TextMessage.objects.using(database)

    def test_reports_are_applied(self, provider):
        message = send_text("Hi", FRM, TO)
        for _ in range(2):
            assert provider.reports(ref=message.ref, status="delivered").status_code == 200
        assert self.rows.get().status == "delivered"

    def test_reports_of_parts_are_applied(self, provider):
        provider.answers(SentPart(provider_id="a"), SentPart(provider_id="b"))
        send_text("x" * 200, FRM, TO)
        for name in "ab":
            assert provider.reports(provider_id=name, status="delivered").status_code == 200
        assert self.rows.get().status == "delivered"

    def test_early_reports_are_applied(self, provider):
        def answer(message):
            provider.reports(provider_id="a", status="delivered")
            return SendResult.accepted("a")

        provider.answer = answer
        assert send_text("Hi", FRM, TO).status == "delivered"

    def test_keys_count(self, provider):
        first = send_text("Hi", FRM, TO, key="k")
        assert send_text("Hi", FRM, TO, key="k").pk == first.pk

    def test_incoming_texts_and_parts_are_taken_once(self, provider):
        for _ in range(2):
            assert provider.delivers(frm=FRM, to=TO, text="a", provider_id="1").status_code == 200
        for number in (1, 2, 2, 1):
            part = {"ref": "9", "number": number, "total": 2}
            answer = provider.delivers(
                frm=FRM, to=TO, text="b", provider_id=f"p{number}", part=part
            )
            assert answer.status_code == 200
        assert self.rows.count() == 2

    def test_many_messages_are_sent(self, provider):
        assert {m.status for m in send_texts([("Hi", FRM, TO)] * 3)} == {"sending"}

    def test_a_message_that_another_worker_has_moved_is_read_where_it_is_written(
        self, provider, database
    ):
        message = send_text("Hi", FRM, TO)
        replica = router.db_for_read(TextMessage)
        self.rows.get().save(using=replica, force_insert=True)
        self.rows.update(status="sent")
        take_report("default", StatusReport(ref=message.ref, status=Status.DELIVERED))
        assert self.rows.get().status == "delivered"


def break_off(alias: str) -> None:
    """End this thread's connection from outside, as a server does that starts anew."""
    connection = connections[alias]
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        query = "SELECT pg_terminate_backend(%s)"
        killed = connection.connection.info.backend_pid
    elif connection.vendor == "mysql":
        query = "KILL %s"
        killed = connection.connection.thread_id()
    else:
        pytest.skip("SQLite has no connection that dies")
    other = connections.create_connection(alias)
    try:
        with other.cursor() as cursor:
            cursor.execute(query, [killed])
    finally:
        other.close()


@committed
def test_an_answer_is_stored_though_the_connection_died_during_the_call(provider, database):
    def kill(message):
        break_off(database)
        return SendResult.accepted("abc")

    provider.answer = kill
    message = send_text("Hi", FRM, TO)
    assert (stored(message).status, stored(message).provider_id) == ("sending", "abc")


class TestLongLivedProcesses:
    """Outside of requests nobody looks after a connection that has died since it was last used."""

    @committed
    def test_reports_are_stored(self, provider, database):
        message = send_text("Hi", FRM, TO)
        break_off(database)
        assert apply_reports("default", [StatusReport(status=Status.SENT, ref=message.ref)]) == 1
        break_off(database)
        several = [
            StatusReport(status=status, ref=message.ref)
            for status in Status
            if status in ("failed", "delivered")
        ]
        assert apply_reports("default", several) == 2
        assert stored(message).status == "delivered"

    @committed
    def test_the_first_report_after_the_database_started_anew_is_taken(self, provider, database):
        message = send_text("Hi", FRM, TO)
        break_off(database)
        assert provider.reports(ref=message.ref, status="delivered").status_code == 200
        assert stored(message).status == "delivered"

    @committed
    def test_the_first_text_is_sent(self, provider, database):
        break_off(database)
        assert send_text("Hi", FRM, TO).status == "sending"

    @committed
    def test_a_text_is_put_back(self, provider, database):
        provider.fails(Throttled("too fast"))
        message = send_text("Hi", FRM, TO)
        break_off(database)
        assert put_back(message)

    @committed
    def test_a_text_is_enqueued(self, provider, database):
        break_off(database)
        assert enqueue_text("Hi", FRM, TO).due_on is not None

    @committed
    def test_what_waits_is_sent(self, provider, database):
        enqueue_text("Hi", FRM, TO)
        break_off(database)
        assert queue.drain() == 1

    @committed
    def test_an_account_is_paused(self, provider, database):
        break_off(database)
        queue.pause("default")
        assert queue.state().accounts[0].paused_on is not None

    @committed
    def test_it_is_tidied(self, provider, database):
        break_off(database)
        assert tidy().reports == 0


class Unreadable(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise RuntimeError

    def __iter__(self) -> Iterator[str]:
        return iter("a")

    def __len__(self) -> int:
        return 1


class TestOddBackends:
    """A text that is out is recorded, whatever its backend says of it."""

    @pytest.mark.parametrize(
        "raw",
        [None, Unreadable(), {"a": "ж" * 3_000_000}, {"a": object()}, ["a"]],
        ids=["None", "unreadable", "huge", "object", "list"],
    )
    def test_what_the_answer_looked_like_does_not_matter(self, provider, raw):
        provider.accepts("abc", raw=raw)
        message = send_text("Hi", FRM, TO)
        assert (stored(message).status, stored(message).provider_id) == ("sending", "abc")

    def test_nor_does_it_for_a_report_or_a_text(self, provider):
        message = send_text("Hi", FRM, TO)
        take_report("default", StatusReport(status=Status.SENT, ref=message.ref, raw=None))
        take_text("default", "memory", IncomingText(frm=FRM, to=TO, text="a", raw=None))
        assert stored(message).status == "sent"
        assert TextMessage.objects.filter(direction="incoming").exists()

    @pytest.mark.parametrize("code", [504, None, object()], ids=["number", "None", "object"])
    def test_an_error_with_an_odd_code_is_recorded(self, provider, code):
        provider.fails(OutcomeUnknown(None, code=code))
        assert stored(send_text("Hi", FRM, TO)).status == "unknown"

    def test_what_a_backend_does_to_the_extras_stays_with_it(self, provider):
        def answer(message):
            message.extra["nested"]["a"] = 2
            return SendResult.accepted("abc")

        provider.answer = answer
        message = send_text("Hi", FRM, TO, extra={"nested": {"a": 1}})
        assert message.extra == stored(message).extra == {"nested": {"a": 1}}

    def test_a_price_of_nothing_is_a_price(self, provider):
        provider.accepts(price=Decimal(0), currency="EUR")
        message = send_text("Hi", FRM, TO)
        assert (stored(message).price, stored(message).currency) == (0, "EUR")

    def test_parts_that_share_one_id_hear_its_reports(self, provider):
        provider.answers(SentPart(provider_id="same"), SentPart(provider_id="same"))
        message = send_text("x" * 200, FRM, TO)
        provider.reports(provider_id="same", status="delivered")
        assert stored(message).status == "delivered"

    def test_a_report_of_the_whole_message_brings_the_whole_price(self, provider):
        provider.answers(SentPart(provider_id="a"), SentPart(provider_id="b"))
        message = send_text("x" * 200, FRM, TO)
        provider.reports(ref=message.ref, status="delivered", price="0.2", currency="EUR")
        assert stored(message).price == Decimal("0.2")

    def test_a_late_price_equal_to_what_is_known_of_the_others_is_added(self, provider):
        provider.answers(SentPart(provider_id="a"), SentPart(provider_id="b"))
        message = send_text("x" * 200, FRM, TO)
        provider.reports(provider_id="a", status="delivered", price="0.05")
        provider.reports(provider_id="b", status="delivered")
        provider.reports(provider_id="b", status="sent", price="0.05")
        assert stored(message).price == Decimal("0.10")

    def test_absurd_prices_do_not_overflow(self, provider):
        provider.answers(*[SentPart(price=Decimal(9_999_999))] * 20)
        assert stored(send_text("x" * 200, FRM, TO)).parts == 20

    def test_some_refused_parts_are_raised_when_asked_for(self, provider):
        provider.answers(
            SentPart(provider_id="a"),
            SentPart(status=Status.REFUSED, error_code="7", error_text="no"),
        )
        with pytest.raises(Refused, match="no") as caught:
            send_text("x" * 200, FRM, TO, fail_silently=False)
        assert caught.value.code == "7"

    def test_parts_of_unknown_outcome_are_raised_when_asked_for(self, provider):
        provider.answers(SentPart(status=Status.UNKNOWN, error_text="timed out"))
        with pytest.raises(OutcomeUnknown, match="timed out"):
            send_text("Hi", FRM, TO, fail_silently=False)

    def test_the_providers_words_are_not_logged(self, provider, caplog):
        provider.fails(Throttled(f"too fast for {TO}\nforged line", code="1\n2"))
        send_text("Hi", FRM, TO)
        assert TO not in caplog.text
        assert "forged" not in caplog.text
        assert "'1\\n2'" in caplog.text


class TestDeletion:
    def test_a_row_deleted_during_the_call_does_not_make_the_send_fail(self, provider, caplog):
        def answer(message):
            TextMessage.objects.filter(ref=message.ref).delete()
            return SendResult.accepted("abc")

        provider.answer = answer
        send_text("Hi", FRM, TO)
        assert "'abc'" in caplog.text

    def test_a_row_of_a_lot_that_is_gone_is_not_sent(self, provider):
        def answer(message):
            TextMessage.objects.filter(text="b").delete()
            return SendResult.accepted(message.ref)

        provider.answer = answer
        with pytest.raises(TextMessage.DoesNotExist):
            send_texts([("a", FRM, TO), ("b", FRM, TO)])
        assert [message.text for message in provider.sent] == ["a"]


class TestDeath:
    def test_after_the_answer_and_before_the_early_reports_were_applied(
        self, provider, monkeypatch
    ):
        def answer(message):
            for name in "ab":
                provider.reports(ref=message.ref, provider_id=name, status="delivered")
            return SendResult(parts=(SentPart(provider_id="a"), SentPart(provider_id="b")))

        def die(*args: Any) -> None:
            raise SystemExit

        provider.answer = answer
        with monkeypatch.context() as patch:
            patch.setattr(outcomes, "catch_up_message", die)
            with pytest.raises(SystemExit):
                send_text("x" * 200, FRM, TO)
        assert TextMessage.objects.get().status == "sending"
        tidy()
        assert TextMessage.objects.get().status == "delivered"

    def test_in_the_middle_of_a_lot(self, provider):
        provider.fails(SystemExit())
        with pytest.raises(SystemExit):
            send_texts([("a", FRM, TO), ("b", FRM, TO)])
        assert dict(TextMessage.objects.values_list("text", "status")) == {
            "a": "unknown",
            "b": "created",
        }

    def test_rows_whose_turn_never_came_are_failed_after_a_day(self, provider):
        provider.fails(SystemExit())
        with pytest.raises(SystemExit):
            send_texts([("a", FRM, TO), ("b", FRM, TO)])
        # As a process leaves them that is killed, and so has no time to say so.
        TextMessage.objects.update(status="created", attempted_on=None)
        StatusEvent.objects.all().delete()
        aged(TextMessage, hours=23)
        assert tidy().failed == 0
        aged(TextMessage, hours=25)
        assert tidy().failed == 2


class TestIntegrityErrors:
    def test_one_that_is_no_repeat_is_not_taken_for_one(self, provider, monkeypatch):
        message = send_text("Hi", FRM, TO)

        def refuse(*args: Any, **kwargs: Any) -> None:
            raise IntegrityError("another one")

        monkeypatch.setattr(entries, "insert", refuse)
        assert provider.reports(ref=message.ref, status="delivered").status_code == 500

    def test_two_who_tidy_at_once_do_not_collide(self, provider):
        provider.fails(SystemExit())
        with pytest.raises(SystemExit):
            send_text("Hi", FRM, TO)
        TextMessage.objects.update(attempted_on=timezone.now() - timedelta(hours=1))
        first, second = TextMessage.objects.get(), TextMessage.objects.get()
        for row in (first, second):
            outcomes.record_failure(row, OutcomeUnknown("never came back"))
        assert StatusEvent.objects.count() == 1

    def test_a_call_that_fails_after_it_was_given_up_says_so(self, provider):
        def answer(message):
            TextMessage.objects.update(attempted_on=timezone.now() - timedelta(hours=1))
            assert tidy().unknown == 1
            raise Refused("no", code="7")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        assert (stored(message).status, stored(message).error_code) == ("refused", "7")


class TestPoison:
    """One row that cannot be handled must not keep the others from it."""

    def test_of_a_late_text(self, provider):
        def refuse(instance, **kwargs):
            if instance.text == "poison":
                raise RuntimeError

        for number, text in enumerate(["poison", "fine"]):
            part = PartOf(ref=str(number), number=1, total=2)
            take_text("default", "memory", IncomingText(frm=FRM, to=TO, text=text, part=part))
        aged(IncomingPart, minutes=31)
        with hearing(refuse):
            assert tidy().released == 1
        assert TextMessage.objects.get().text == "fine"

    def test_of_a_waiting_report(self, provider):
        def refuse(instance, **kwargs):
            if instance.text == "poison":
                raise RuntimeError

        for text in ("poison", "fine"):
            message = send_text(text, FRM, TO)
            TextMessage.objects.update(account="elsewhere")
            provider.reports(ref=message.ref, status="delivered")
        TextMessage.objects.update(account="default")
        with hearing(refuse):
            assert tidy().reports == 1
        assert TextMessage.objects.get(text="fine").status == "delivered"


class TestParts:
    def part(self, number: int, text: str, name: str = "id") -> IncomingText:
        return IncomingText(
            frm=FRM,
            to=TO,
            text=text,
            provider_id=f"{name}-{number}" if name else "",
            part=PartOf(ref="9", number=number, total=3),
        )

    def test_those_that_waited_too_long_are_not_mixed_into_another_text(self, provider):
        take_text("default", "memory", self.part(1, "old", "first"))
        aged(IncomingPart, minutes=31)
        for number in (2, 3):
            take_text("default", "memory", self.part(number, f"new{number}", "second"))
        release_parts()
        texts = TextMessage.objects.values_list("text", flat=True)
        assert list(texts) == ["old"]

    @committed
    def test_one_without_id_that_comes_twice_at_once_counts_once(self, provider, monkeypatch):
        for number in (1, 2):
            take_text("default", "memory", self.part(number, "x", ""))
        from djsms.receiving import incoming as receiving

        both = threading.Barrier(2, timeout=10)
        look = receiving._twin_without_id

        def looked_in_step(part):
            twin = look(part)
            if part.pk is None:
                both.wait()
            return twin

        monkeypatch.setattr(receiving, "_twin_without_id", looked_in_step)

        def take() -> None:
            try:
                take_text("default", "memory", self.part(3, "y", ""))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=take) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert TextMessage.objects.get().text == "xxy"
        assert not IncomingPart.objects.filter(message=None).exists()

    def test_looking_for_late_ones_reads_the_late_ones_only(
        self, provider, database, django_assert_num_queries
    ):
        with django_assert_num_queries(1, using=database) as captured:
            release_parts(20)
        assert "WHERE" in captured[0]["sql"]
        assert "HAVING" not in captured[0]["sql"]


def test_old_reports_without_a_message_are_not_read_again_for_ever(provider, monkeypatch):
    provider.reports(provider_id="nobody's", status="delivered")
    aged(StatusEvent, days=8)
    looked = []
    monkeypatch.setattr(reports, "message_of", looked.append)
    tidy()
    assert looked == []


def test_the_message_returned_knows_of_an_early_report_by_id(provider):
    def answer(message):
        provider.reports(provider_id="abc", status="delivered")
        return SendResult.accepted("abc")

    provider.answer = answer
    assert send_text("Hi", FRM, TO).status == "delivered"


class TestWhatCannotBeHelped:
    """Where nothing can be stored any more, what is known stands in the log."""

    @pytest.fixture
    def refusing(self, monkeypatch):
        def refuse(*args: Any, **kwargs: Any) -> None:
            raise IntegrityError("the disk is full")

        monkeypatch.setattr(outcomes, "enter_answer", refuse)

    def test_an_answer_that_cannot_be_stored_is_logged_with_the_providers_ids(
        self, provider, refusing, caplog
    ):
        provider.accepts("abc")
        with pytest.raises(IntegrityError):
            send_text("Hi", FRM, TO)
        assert "its answer is not stored; provider's ids: ['abc']" in caplog.text

    def test_late_parts_that_cannot_be_looked_for_do_not_spoil_an_answer(
        self, provider, settings, caplog
    ):
        settings.DJSMS_PARTS_TIMEOUT = "an hour"
        assert provider.delivers(frm=FRM, to=TO, text="Hi").status_code == 200
        assert "Late parts could not be looked for" in caplog.text
