"""Status reports: forward only, each counts once, none is lost, in whatever order they come."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError, connections
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import djsms
from djsms import SendResult, SentPart, Status, StatusReport, send_text
from djsms.exceptions import AccountNotFound, OutcomeUnknown, TemporarilyUnavailable
from djsms.ledger import entries
from djsms.ledger.entries import settle
from djsms.models import StatusEvent, TextMessage
from djsms.receiving import matching
from djsms.receiving.reports import catch_up_message, take_report, take_reports
from djsms.sending.outcomes import record_answer, record_failure
from djsms.tidying import tidy

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]
committed = pytest.mark.django_db(transaction=True, databases="__all__")

FRM, TO = "+447700900001", "+447700900002"
FORWARD = ["created", "unknown", "sending", "sent", "failed", "delivered"]


def stored(message: TextMessage) -> TextMessage:
    return TextMessage.objects.get(pk=message.pk)


@contextmanager
def hearing(receiver=None):
    """Receivers, or one that notes the statuses that it is told of."""
    heard = []

    def hear(instance, **kwargs):
        heard.append(instance.status)

    receiver = receiver or hear
    post_save.connect(receiver, sender=TextMessage)
    try:
        yield heard
    finally:
        post_save.disconnect(receiver, sender=TextMessage)


def in_threads(*calls) -> None:
    def run(call):
        try:
            call()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestMatching:
    def test_a_report_finds_its_message_by_our_reference(self, provider):
        message = send_text("Hi", FRM, TO)
        assert provider.reports(ref=message.ref, status="delivered").status_code == 200
        assert stored(message).status == "delivered"

    def test_a_report_finds_its_message_by_the_providers_id(self, provider):
        provider.accepts("abc")
        message = send_text("Hi", FRM, TO)
        provider.reports(provider_id="abc", status="delivered")
        assert stored(message).status == "delivered"

    def test_our_reference_counts_more_than_the_providers_id(self, provider):
        provider.accepts("same")
        first, second = send_text("Hi", FRM, TO), send_text("Ho", FRM, TO)
        provider.reports(ref=first.ref, provider_id="same", status="delivered")
        assert (stored(first).status, stored(second).status) == ("delivered", "sending")

    def test_ids_are_compared_to_the_letter(self, provider):
        provider.accepts("abc")
        message = send_text("Hi", FRM, TO)
        provider.reports(provider_id="ABC", status="delivered")
        assert stored(message).status == "sending"

    def test_a_report_of_one_account_does_not_touch_the_messages_of_another(
        self, provider, settings
    ):
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        provider.accepts("abc")
        message = send_text("Hi", FRM, TO)
        provider.reports("alerts", ref=message.ref, provider_id="abc", status="delivered")
        assert stored(message).status == "sending"

    def test_a_report_of_an_unknown_message_is_kept(self, provider):
        assert provider.reports(provider_id="nobody's", status="delivered").status_code == 200
        assert StatusEvent.objects.get().message is None

    def test_an_incoming_text_is_not_moved_by_a_report_with_its_id(self, provider):
        provider.delivers(frm=FRM, to=TO, text="Hi", provider_id="abc")
        provider.reports(provider_id="abc", status="delivered")
        assert TextMessage.objects.get().status == "received"


class TestForwardOnly:
    @pytest.mark.parametrize(
        ("before", "after"), list(itertools.combinations(FORWARD, 2)), ids=" → ".join
    )
    def test_a_higher_status_is_taken(self, provider, before, after):
        message = send_text("Hi", FRM, TO)
        TextMessage.objects.update(status=before)
        provider.reports(ref=message.ref, status=after)
        assert stored(message).status == after

    @pytest.mark.parametrize(
        ("after", "before"), list(itertools.combinations(FORWARD[1:], 2)), ids=" ↛ ".join
    )
    def test_a_lower_status_is_kept_as_an_event_only(self, provider, before, after):
        message = send_text("Hi", FRM, TO)
        TextMessage.objects.update(status=before)
        assert provider.reports(ref=message.ref, status=after).status_code == 200
        assert stored(message).status == before
        assert message.events.filter(source="report", status=after).exists()

    @pytest.mark.parametrize(
        ("first", "second"),
        list(itertools.permutations(["refused", "rejected", "failed", "expired"], 2)),
        ids=" then ".join,
    )
    def test_of_two_failures_the_first_stays(self, provider, first, second):
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status=first)
        provider.reports(ref=message.ref, status=second)
        assert stored(message).status == first

    def test_a_failure_brings_its_code_and_words(self, provider):
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="failed", error_code="9", error_text="opted out")
        assert (stored(message).error_code, stored(message).error_text) == ("9", "opted out")

    def test_delivery_after_all_takes_the_failures_words_away(self, provider):
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="failed", error_code="9", error_text="opted out")
        provider.reports(ref=message.ref, status="delivered")
        assert (stored(message).error_code, stored(message).error_text) == ("", "")

    def test_an_unknown_status_word_changes_nothing_and_is_logged(self, provider, caplog):
        message = send_text("Hi", FRM, TO)
        assert provider.reports(ref=message.ref, status="teleported").status_code == 200
        assert stored(message).status == "sending"
        assert "teleported" in caplog.text

    def test_a_known_status_word_is_not_logged_as_unknown(self, provider, caplog):
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="delivered")
        assert "unknown status" not in caplog.text

    def test_an_unknown_outcome_is_settled_by_a_report(self, provider):
        provider.fails(OutcomeUnknown("timed out"))
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="delivered")
        assert (stored(message).status, stored(message).error_text) == ("delivered", "")

    def test_a_price_that_comes_with_a_report_is_taken_even_if_the_status_stays(self, provider):
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="delivered")
        provider.reports(ref=message.ref, status="sent", price="0.05", currency="EUR")
        assert (stored(message).price, stored(message).currency) == (Decimal("0.05"), "EUR")
        assert stored(message).status == "delivered"

    def test_the_providers_time_is_kept(self, provider):
        message = send_text("Hi", FRM, TO)
        provider.reports(
            ref=message.ref, status="delivered", occurred_on="2020-01-01T12:00:00+02:00"
        )
        event = message.events.get(source="report")
        assert event.occurred_on == datetime(2020, 1, 1, 10, tzinfo=UTC)

    @committed
    def test_two_threads_cannot_undo_each_other(self, provider):
        words = ["sent", "failed", "delivered", "sent", "expired", "sending"]
        for _ in range(5):
            ref = send_text("Hi", FRM, TO).ref
            in_threads(*(partial(provider.reports, ref=ref, status=word) for word in words))
            message = TextMessage.objects.get(ref=ref)
            assert message.status == "delivered"
            assert message.events.filter(source="report").count() == 5

    @committed
    def test_two_processes_cannot_undo_each_other(
        self, provider, child_environment, database, django_db_blocker
    ):
        messages = [send_text("Hi", FRM, TO) for _ in range(10)]
        children = [
            report_from_a_process(database, child_environment, [m.ref for m in messages], words)
            for words in (["sent", "delivered", "failed"], ["delivered", "sending", "expired"])
        ]
        for child in children:
            assert child.wait(timeout=60) == 0
        assert [stored(message).status for message in messages] == ["delivered"] * 10
        assert StatusEvent.objects.filter(source="report").count() == 50


def report_from_a_process(database, environment, refs, words) -> subprocess.Popen[bytes]:
    names = {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
    script = f"""
import os, sys
sys.path[:0] = {[path for path in sys.path if path]!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django; django.setup()
import routers; routers.current = {database!r}
from django.db import connections
names = {names!r}
for alias in connections: connections[alias].settings_dict["NAME"] = names[alias]
from djsms import Status, StatusReport
from djsms.receiving.reports import take_report
for ref in {refs!r}:
    for word in {words!r}:
        take_report("default", StatusReport(ref=ref, status=Status(word)))
"""
    return subprocess.Popen([sys.executable, "-c", script], env=environment)


class TestRepeats:
    def test_a_repeat_is_answered_well_and_counts_once(self, provider):
        message = send_text("Hi", FRM, TO)
        for _ in range(3):
            assert provider.reports(ref=message.ref, status="delivered").status_code == 200
        assert message.events.filter(source="report").count() == 1

    def test_a_repeat_does_not_tell_receivers_again(self, provider):
        heard = []

        def hear(instance, **kwargs):
            heard.append(instance.status)

        message = send_text("Hi", FRM, TO)
        post_save.connect(hear, sender=TextMessage)
        try:
            for _ in range(3):
                provider.reports(ref=message.ref, status="delivered")
        finally:
            post_save.disconnect(hear, sender=TextMessage)
        assert heard == ["delivered"]

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("provider_id", "b"),
            ("status", "delivered"),
            ("error_code", "2"),
            ("price", "0.06"),
            ("currency", "USD"),
        ],
    )
    def test_reports_that_differ_in_what_identifies_them_are_two(self, provider, name, other):
        message = send_text("Hi", FRM, TO)
        report = {
            "ref": message.ref,
            "status": "sent",
            "provider_id": "a",
            "error_code": "1",
            "price": "0.05",
            "currency": "EUR",
        }
        provider.reports(**report)
        provider.reports(**report | {name: other})
        assert message.events.filter(source="report").count() == 2

    def test_one_in_the_same_request_counts_once(self, provider):
        message = send_text("Hi", FRM, TO)
        assert take_reports("default", [StatusReport(status=Status.SENT, ref=message.ref)] * 3) == 1

    @pytest.mark.parametrize("ids", ["a", "ab"], ids=["one part", "two parts"])
    def test_of_an_older_report_takes_no_price_back_and_tells_nobody(self, provider, ids):
        provider.answers(*(SentPart(provider_id=name) for name in ids))
        message = send_text("x" * 100 * len(ids), FRM, TO)
        older = {"provider_id": "a", "status": "sent", "price": "0.03", "currency": "EUR"}
        newer = {"provider_id": "a", "status": "delivered", "price": "0.05", "currency": "EUR"}
        provider.reports(**older)
        provider.reports(**newer)
        with hearing() as heard:
            provider.reports(**older)
            provider.reports(**newer)
        assert (stored(message).price, heard) == (Decimal("0.05"), [])

    @committed
    def test_of_many_at_once_one_counts(self, provider):
        message = send_text("Hi", FRM, TO)
        in_threads(
            *[lambda: provider.reports(ref=message.ref, status="delivered") for _ in range(8)]
        )
        assert message.events.filter(source="report").count() == 1
        assert stored(message).status == "delivered"


class TestPrices:
    """A price is what the message, or the part, costs in all by this report."""

    def test_one_that_comes_later_in_the_same_words_is_news(self, provider):
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="delivered")
        provider.reports(ref=message.ref, status="delivered", price="0.05", currency="EUR")
        assert stored(message).price == Decimal("0.05")

    def test_what_is_refunded_costs_nothing(self, provider):
        provider.accepts(price=Decimal("0.05"), currency="EUR")
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="failed", price="0", currency="EUR")
        assert (stored(message).price, stored(message).currency) == (0, "EUR")

    def test_what_a_report_named_outlives_an_answer_that_comes_later(self, provider):
        def answer(message):
            provider.reports(ref=message.ref, status="sent", price="0.05", currency="EUR")
            return SendResult.accepted("abc", price=Decimal("0.03"), currency="EUR")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        assert (stored(message).price, stored(message).provider_id) == (Decimal("0.05"), "abc")

    @committed
    def test_one_that_comes_while_a_late_answer_is_stored_is_not_lost(
        self, provider, database, monkeypatch
    ):
        if database == "default":
            pytest.skip("SQLite has one writer at a time")
        provider.fails(OutcomeUnknown("timed out"))
        message = send_text("Hi", FRM, TO)
        price = {"status": "unknown", "price": "0.05", "currency": "EUR"}
        report = partial(in_threads, partial(provider.reports, ref=message.ref, **price))
        reporter, read = threading.Thread(target=report), entries._in_effect

        def read_and_hear(message):
            events = list(read(message))
            reporter.start()
            reporter.join(0.3)
            return events

        monkeypatch.setattr(entries, "_in_effect", read_and_hear)
        record_answer(message, SendResult.accepted("abc", price=Decimal("0.03"), currency="EUR"))
        reporter.join()
        assert (stored(message).price, stored(message).status) == (Decimal("0.05"), "sending")

    def test_an_answers_counts_if_reports_named_none(self, provider):
        def answer(message):
            provider.reports(ref=message.ref, status="sent")
            return SendResult.accepted("abc", price=Decimal("0.03"), currency="EUR")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        assert (stored(message).price, stored(message).status) == (Decimal("0.03"), "sent")

    def test_two_currencies_have_no_sum(self, provider):
        provider.answers(SentPart(provider_id="a"), SentPart(provider_id="b"))
        message = send_text("x" * 200, FRM, TO)
        provider.reports(provider_id="a", status="sent", price="0.05", currency="EUR")
        assert (stored(message).price, stored(message).currency) == (Decimal("0.05"), "EUR")
        provider.reports(provider_id="b", status="sent", price="8", currency="JPY")
        assert (stored(message).price, stored(message).currency) == (None, "")
        provider.reports(provider_id="b", status="sent", price="0.06", currency="EUR")
        assert (stored(message).price, stored(message).currency) == (Decimal("0.11"), "EUR")


class TestSeveralAtOnce:
    """Reports of one request share their transactions, and nothing else."""

    @pytest.fixture
    def messages(self, provider):
        return [send_text(text, FRM, TO) for text in ("first", "second", "third")]

    def reports(self, messages):
        return [StatusReport(status=Status.SENT, ref=message.ref) for message in messages]

    def test_all_are_applied_in_few_transactions(self, messages, database):
        with CaptureQueriesContext(connections[database]) as captured:
            assert take_reports("default", self.reports(messages)) == 3
        assert {stored(message).status for message in messages} == {"sent"}
        looked_up = [q for q in captured if "fingerprint IN" in q["sql"]]
        assert len(looked_up) == 1

    def test_those_of_one_message_are_applied_in_their_order(self, provider):
        message = send_text("Hi", FRM, TO)
        words = (Status.SENT, Status.REJECTED, Status.FAILED)
        with hearing() as heard:
            take_reports("default", [StatusReport(status=word, ref=message.ref) for word in words])
        assert heard == ["sent", "rejected"]

    @committed
    def test_a_receiver_that_raises_for_one_keeps_no_other_from_being_stored(
        self, provider, messages
    ):
        heard = []

        def refuse(instance, **kwargs):
            heard.append(instance.text)
            if instance.text == "second":
                raise RuntimeError("no")

        with hearing(refuse), pytest.raises(RuntimeError, match="no"):
            take_reports("default", self.reports(messages))
        assert sorted(heard) == ["first", "second", "third"]
        assert [stored(message).status for message in messages] == ["sent", "sending", "sent"]
        assert not messages[1].events.filter(source="report").exists()
        assert take_reports("default", self.reports(messages)) == 1
        assert stored(messages[1]).status == "sent"

    @committed
    def test_one_that_cannot_be_stored_keeps_no_other_from_it(self, messages, monkeypatch):
        store = entries.insert

        def refuse(event):
            if event.ref == messages[1].ref:
                raise ValueError("no")
            store(event)

        monkeypatch.setattr(entries, "insert", refuse)
        with pytest.raises(ValueError, match="no"):
            take_reports("default", self.reports(messages))
        assert [stored(message).status for message in messages] == ["sent", "sending", "sent"]

    @committed
    def test_if_the_transaction_is_lost_each_is_stored_by_itself(
        self, messages, monkeypatch, database
    ):
        store = entries.insert

        def break_off(event):
            if event.ref == messages[1].ref and not lost:
                lost.append(event)
                connections[database].close()
                raise OperationalError("the server has gone away")
            store(event)

        lost = []
        monkeypatch.setattr(entries, "insert", break_off)
        assert take_reports("default", self.reports(messages)) == 3
        assert {stored(message).status for message in messages} == {"sent"}

    def test_more_than_a_lot_are_taken(self, provider):
        reports = [StatusReport(status=Status.SENT, provider_id=str(n)) for n in range(250)]
        assert take_reports("default", reports) == 250
        assert take_reports("default", reports) == 0
        assert StatusEvent.objects.filter(pending=True).count() == 250


class TestApplyReports:
    def test_they_move_messages_as_those_of_a_webhook_do(self, provider):
        message = send_text("Hi", FRM, TO)
        report = StatusReport(status=Status.DELIVERED, ref=message.ref)
        assert djsms.apply_reports("default", [report]) == 1
        assert stored(message).status == "delivered"
        assert djsms.apply_reports("default", iter([report])) == 0

    def test_an_account_that_there_is_not_is_an_error(self, provider):
        with pytest.raises(AccountNotFound):
            djsms.apply_reports("nowhere", [])

    def test_what_is_no_report_is_an_error_before_anything_is_stored(self, provider):
        message = send_text("Hi", FRM, TO)
        report = StatusReport(status=Status.DELIVERED, ref=message.ref)
        with pytest.raises(TypeError, match="holds str"):
            djsms.apply_reports("default", [report, "delivered"])
        assert stored(message).status == "sending"


class TestReceivers:
    def test_they_are_told_of_each_change_with_the_message_as_stored(self, provider):
        heard = []

        def hear(instance, created, update_fields, using, **kwargs):
            row = TextMessage.objects.get(pk=instance.pk)
            heard.append((created, instance.status, row.status, "status" in update_fields))

        message = send_text("Hi", FRM, TO)
        post_save.connect(hear, sender=TextMessage)
        try:
            provider.reports(ref=message.ref, status="sent")
            provider.reports(ref=message.ref, status="delivered")
        finally:
            post_save.disconnect(hear, sender=TextMessage)
        assert heard == [(False, "sent", "sent", True), (False, "delivered", "delivered", True)]

    def test_if_one_raises_nothing_is_stored_and_the_provider_comes_again(self, provider):
        def refuse(**kwargs):
            raise RuntimeError("no")

        message = send_text("Hi", FRM, TO)
        post_save.connect(refuse, sender=TextMessage)
        try:
            assert provider.reports(ref=message.ref, status="delivered").status_code == 500
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        assert stored(message).status == "sending"
        assert not message.events.filter(source="report").exists()
        assert provider.reports(ref=message.ref, status="delivered").status_code == 200
        assert stored(message).status == "delivered"

    @committed
    def test_one_whose_own_database_work_fails_is_not_told_twice(self, provider):
        heard = []

        def fail(instance, **kwargs):
            heard.append(instance.status)
            raise OperationalError("lock timeout")

        message = send_text("Hi", FRM, TO)
        with hearing(fail):
            assert provider.reports(ref=message.ref, status="delivered").status_code == 500
        assert heard == ["delivered"]


class TestEarlyReports:
    def test_one_that_comes_before_the_answer_by_our_reference(self, provider):
        def answer(message):
            assert provider.reports(ref=message.ref, status="delivered").status_code == 200
            return SendResult.accepted("abc")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        for row in (message, stored(message)):
            assert (row.status, row.provider_id) == ("delivered", "abc")

    @committed
    def test_one_that_comes_before_the_answer_by_the_providers_id(self, provider):
        def answer(message):
            assert provider.reports(provider_id="abc", status="delivered").status_code == 200
            return SendResult.accepted("abc")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        assert stored(message).status == "delivered"
        assert message.events.count() == 2

    def test_without_any_there_is_nothing_to_catch_up_with(self, provider):
        message = send_text("Hi", FRM, TO)
        assert not catch_up_message(message, [message.provider_id])

    def test_the_first_parts_report_does_not_pass_for_the_whole_message(self, provider):
        def answer(message):
            provider.reports(ref=message.ref, provider_id="a", status="delivered")
            return SendResult(parts=(SentPart(provider_id="a"), SentPart(provider_id="b")))

        provider.answer = answer
        message = send_text("x" * 200, FRM, TO)
        assert stored(message).status == "sending"
        provider.reports(ref=message.ref, provider_id="b", status="delivered")
        assert stored(message).status == "delivered"

    def test_of_two_failures_of_parts_the_first_that_came_stays(self, provider):
        def answer(message):
            provider.reports(ref=message.ref, provider_id="b", status="failed", error_code="1")
            provider.reports(ref=message.ref, provider_id="a", status="expired", error_code="2")
            return SendResult(parts=(SentPart(provider_id="a"), SentPart(provider_id="b")))

        provider.answer = answer
        message = send_text("x" * 200, FRM, TO)
        assert (stored(message).status, stored(message).error_code) == ("failed", "1")

    def test_of_two_failures_by_the_providers_id_the_first_that_came_stays(self, provider):
        def answer(message):
            provider.reports(provider_id="abc", status="failed", error_code="1")
            provider.reports(provider_id="abc", status="expired", error_code="2")
            return SendResult.accepted("abc")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        assert (stored(message).status, stored(message).error_code) == ("failed", "1")

    def test_an_answer_that_comes_after_delivery_is_kept_as_an_event(self, provider):
        def answer(message):
            provider.reports(ref=message.ref, status="delivered")
            raise OutcomeUnknown("timed out", code="504")

        provider.answer = answer
        message = send_text("Hi", FRM, TO)
        assert stored(message).status == "delivered"
        assert message.events.get(source="answer").error_code == "504"

    def test_a_repeat_of_an_early_report_settles_what_the_first_could_not(self, provider):
        message = send_text("Hi", FRM, TO)
        TextMessage.objects.update(account="elsewhere")
        provider.reports(ref=message.ref, status="delivered")
        TextMessage.objects.update(account="default")
        provider.reports(ref=message.ref, status="delivered")
        assert stored(message).status == "delivered"
        assert message.events.filter(source="report").count() == 1

    def test_a_surely_unsent_message_is_still_moved_by_a_report(self, provider):
        provider.fails(TemporarilyUnavailable("no connection"))
        message = send_text("Hi", FRM, TO)
        provider.reports(ref=message.ref, status="delivered")
        assert stored(message).status == "delivered"

    @committed
    def test_answer_and_reports_at_the_same_time(self, provider):
        for number in range(10):
            reporter = threading.Thread(
                target=in_threads,
                args=[
                    lambda number=number: provider.reports(provider_id=f"a{number}", status="sent"),
                    lambda number=number: provider.reports(
                        provider_id=f"a{number}", status="delivered"
                    ),
                ],
            )

            def answer(message, number=number, reporter=reporter):
                reporter.start()
                return SendResult.accepted(f"a{number}")

            provider.answer = answer
            message = send_text("Hi", FRM, TO)
            reporter.join()
            assert stored(message).status == "delivered"
        assert not StatusEvent.objects.filter(message=None).exists()


class TestParts:
    @pytest.fixture
    def message(self, provider):
        provider.answers(*(SentPart(provider_id=name) for name in "abc"))
        return send_text("x" * 400, FRM, TO)

    def test_a_message_is_delivered_when_all_its_parts_are(self, provider, message):
        for name, expected in (("b", "sending"), ("a", "sending"), ("c", "delivered")):
            provider.reports(provider_id=name, status="delivered")
            assert stored(message).status == expected

    def test_it_stands_where_its_slowest_part_stands(self, provider, message):
        provider.reports(provider_id="a", status="delivered")
        provider.reports(provider_id="b", status="delivered")
        provider.reports(provider_id="c", status="sent")
        assert stored(message).status == "sent"

    @pytest.mark.parametrize("failure", ["failed", "rejected", "expired", "refused"])
    def test_one_failed_part_makes_it_failed(self, provider, message, failure):
        provider.reports(provider_id="a", status="delivered")
        provider.reports(provider_id="b", status=failure, error_code="7")
        provider.reports(provider_id="c", status="delivered")
        assert (stored(message).status, stored(message).error_code) == (failure, "7")

    def test_a_failed_part_that_is_delivered_after_all_counts_as_delivered(self, provider, message):
        provider.reports(provider_id="a", status="failed")
        for name in "bca":
            provider.reports(provider_id=name, status="delivered")
        assert stored(message).status == "delivered"

    def test_its_price_is_the_sum_of_the_latest_of_each_part(self, provider):
        provider.answers(
            SentPart(provider_id="a", price=Decimal("0.1")),
            SentPart(provider_id="b", price=Decimal("0.1")),
            currency="EUR",
        )
        message = send_text("x" * 200, FRM, TO)
        provider.reports(provider_id="a", status="delivered", price="0.3")
        assert stored(message).price == Decimal("0.4")

    def test_a_report_that_names_no_part_is_about_all_of_them(self, provider, message):
        provider.reports(ref=message.ref, status="delivered")
        assert stored(message).status == "delivered"

    @committed
    def test_the_last_parts_at_the_same_time(self, provider):
        for run in range(5):
            ids = [f"{run}-{number}" for number in range(6)]
            provider.answers(*(SentPart(provider_id=name) for name in ids))
            message = send_text("x" * 900, FRM, TO)
            in_threads(
                *(partial(provider.reports, provider_id=name, status="delivered") for name in ids)
            )
            assert stored(message).status == "delivered"


def test_of_a_text_of_one_part_all_is_said_of_that_part_under_whatever_id(provider):
    provider.fails(OutcomeUnknown("timed out"))
    message = send_text("Hi", FRM, TO)
    TextMessage.objects.update(account="elsewhere")
    for name, status in (("a", "sent"), ("b", "delivered")):
        provider.reports(ref=message.ref, provider_id=name, status=status)
    TextMessage.objects.update(account="default")
    tidy()
    assert stored(message).status == "delivered"


class TestPartsOfUnknownNumber:
    """A long text whose answer never came: nobody told of how many parts it consists."""

    @pytest.fixture
    def message(self, provider):
        provider.splits_texts = True
        provider.fails(OutcomeUnknown("timed out"))
        return send_text("x" * 400, FRM, TO)

    def test_it_waits_for_as_many_as_it_has_segments(self, provider, message):
        for name, expected in (("a", "unknown"), ("b", "unknown"), ("c", "delivered")):
            provider.reports(ref=message.ref, provider_id=name, status="delivered")
            assert stored(message).status == expected

    def test_it_stands_where_its_slowest_part_stands(self, provider, message):
        for name, status in (("a", "delivered"), ("b", "sent"), ("c", "delivered")):
            provider.reports(ref=message.ref, provider_id=name, status=status)
        assert stored(message).status == "sent"

    def test_one_failed_part_fails_it(self, provider, message):
        provider.reports(ref=message.ref, provider_id="a", status="delivered")
        provider.reports(ref=message.ref, provider_id="b", status="failed", error_code="9")
        assert (stored(message).status, stored(message).error_code) == ("failed", "9")

    def test_its_price_is_the_sum_of_what_its_parts_cost(self, provider, message):
        for name in "ab":
            provider.reports(ref=message.ref, provider_id=name, status="sent", price="0.05")
        assert stored(message).price == Decimal("0.10")

    def test_a_report_that_names_no_part_is_about_all_of_them(self, provider, message):
        provider.reports(ref=message.ref, status="delivered")
        assert stored(message).status == "delivered"

    def test_an_answer_that_comes_after_all_names_them(self, provider):
        def answer(message):
            record_failure(TextMessage.objects.get(ref=message.ref), OutcomeUnknown("given up"))
            provider.reports(ref=message.ref, provider_id="a", status="delivered")
            return SendResult(parts=(SentPart(provider_id="a"), SentPart(provider_id="b")))

        provider.splits_texts = True
        provider.answer = answer
        message = send_text("x" * 400, FRM, TO)
        assert (stored(message).status, stored(message).parts) == ("sending", 2)
        provider.reports(provider_id="b", status="delivered")
        assert stored(message).status == "delivered"

    def test_where_texts_are_not_split_the_first_report_is_the_whole_texts(self, provider):
        provider.fails(OutcomeUnknown("timed out"))
        message = send_text("x" * 400, FRM, TO)
        provider.reports(ref=message.ref, provider_id="a", status="delivered")
        assert stored(message).status == "delivered"


class TestDeletedEvents:
    """Whoever cleans up may delete events; what comes later must not break on it."""

    def test_of_the_answer(self, provider):
        provider.answers(SentPart(provider_id="a"), SentPart(provider_id="b"))
        message = send_text("x" * 200, FRM, TO)
        StatusEvent.objects.all().delete()
        for name, expected in (("a", "sending"), ("b", "delivered")):
            report = {"ref": message.ref, "provider_id": name, "status": "delivered"}
            assert provider.reports(**report).status_code == 200
            assert stored(message).status == expected

    def test_of_one_part(self, provider):
        provider.answers(SentPart(provider_id="a"), SentPart(provider_id="b"))
        message = send_text("x" * 200, FRM, TO)
        StatusEvent.objects.filter(number=1).delete()
        provider.reports(ref=message.ref, provider_id="b", status="delivered")
        assert stored(message).status == "sending"

    def test_of_a_report_that_comes_again(self, provider):
        message = send_text("Hi", FRM, TO)
        for _ in range(2):
            assert provider.reports(ref=message.ref, status="delivered").status_code == 200
            StatusEvent.objects.all().delete()
        assert stored(message).status == "delivered"

    def test_while_it_is_looked_for(self, provider, monkeypatch):
        provider.reports(provider_id="abc", status="delivered")
        event = StatusEvent.objects.get()
        provider.accepts("abc")
        message = send_text("Hi", FRM, TO)
        StatusEvent.objects.update(pending=True)
        assert settle(event, stored(message))
        assert not settle(event, stored(message))

    def test_a_message_deleted_meanwhile_leaves_the_report_waiting(self, provider, monkeypatch):
        message = send_text("Hi", FRM, TO)
        find = matching.message_of

        def find_and_delete(event):
            found = find(event)
            TextMessage.objects.all().delete()
            return found

        monkeypatch.setattr(matching, "message_of", find_and_delete)
        assert provider.reports(ref=message.ref, status="delivered").status_code == 200
        assert StatusEvent.objects.get(source="report").pending


REPORTED = st.sampled_from([status for status in Status if status.is_reportable])


@hypothesis_settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_whatever_comes_in_whatever_order_the_status_is_the_highest_seen(provider, data):
    provider.answer = lambda message: SendResult.accepted(f"id-{message.ref}")
    message = send_text("Hi", FRM, TO)
    seen = [Status.SENDING]
    for status in data.draw(st.lists(REPORTED, max_size=6)):
        by = data.draw(
            st.sampled_from([{"ref": message.ref}, {"provider_id": f"id-{message.ref}"}])
        )
        take_report("default", StatusReport(status=status, **by))
        seen.append(status)
        now = stored(message).status
        assert now.rank == max(status.rank for status in seen)
