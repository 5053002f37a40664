"""What only time tells: calls that never came back, reports that waited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.signals import post_save
from django.utils import timezone

from djsms import SentPart, send_text, tidying
from djsms.models import Gate, IncomingPart, StatusEvent, TextMessage
from djsms.receiving import incoming
from djsms.tidying import tidy
from djsms.waiting import upkeep

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"


@pytest.fixture
def lost() -> TextMessage:
    """The row that a process leaves which is killed during the call."""
    return TextMessage.objects.create(
        text="Hi", frm=FRM, to=TO, attempted_on=timezone.now(), attempts=1
    )


def attempted(message: TextMessage, minutes: int) -> None:
    attempted_on = timezone.now() - timedelta(minutes=minutes)
    TextMessage.objects.filter(pk=message.pk).update(attempted_on=attempted_on)


def test_a_call_that_never_came_back_has_an_unknown_outcome(lost):
    attempted(lost, minutes=16)
    assert tidy().unknown == 1
    lost.refresh_from_db()
    assert (lost.status, lost.error_text) == (
        "unknown",
        "The call to the provider never came back.",
    )


def test_whoever_reads_the_log_is_told_which_text_it_is(lost, caplog):
    attempted(lost, minutes=16)
    tidy()
    assert f"Text {lost.ref}: unknown. The call to the provider never came back." in caplog.text


def test_a_call_under_way_is_left_alone(lost):
    attempted(lost, minutes=14)
    assert tidy().unknown == 0


def test_a_row_that_was_never_attempted_is_left_alone(lost):
    TextMessage.objects.update(attempted_on=None)
    assert tidy().unknown == 0


class TestTurnThatNeverCame:
    """A row of a lot whose process died before it was attempted."""

    @pytest.fixture
    def missed(self) -> TextMessage:
        message = TextMessage.objects.create(text="Hi", frm=FRM, to=TO, key="order-1")
        TextMessage.objects.update(created_on=timezone.now() - timedelta(hours=25))
        return message

    def test_has_failed_after_a_day(self, missed):
        assert tidy().failed == 1
        missed.refresh_from_db()
        assert (missed.status, missed.error_text) == ("failed", "Its turn to be sent never came.")
        assert tidy().failed == 0

    def test_may_still_come_within_a_day(self, missed):
        TextMessage.objects.update(created_on=timezone.now() - timedelta(hours=23))
        assert tidy().failed == 0

    def test_is_still_sent_by_its_key(self, missed, provider):
        tidy()
        assert send_text("Hi", FRM, TO, key="order-1").status == "sending"
        assert len(provider.sent) == 1

    @pytest.mark.parametrize(
        "fields", [{"attempted_on": timezone.now(), "attempts": 1}, {"due_on": timezone.now()}]
    )
    def test_is_left_to_whoever_takes_it_just_now(self, missed, monkeypatch, fields):
        def taken(message):
            TextMessage.objects.update(**fields)
            lock(message)

        lock = tidying.lock
        monkeypatch.setattr(tidying, "lock", taken)
        assert tidy().failed == 0
        missed.refresh_from_db()
        assert missed.status == "created"


def test_a_report_that_waited_for_the_answer_is_applied(lost, provider):
    TextMessage.objects.update(segments=2)
    provider.reports(ref=lost.ref, status="delivered")
    lost.refresh_from_db()
    assert lost.status == "created"
    attempted(lost, minutes=16)
    tidy()
    lost.refresh_from_db()
    assert lost.status == "delivered"


def test_a_report_that_came_before_the_row_was_committed_finds_it_later(provider):
    message = send_text("Hi", FRM, TO)
    TextMessage.objects.update(account="elsewhere")
    provider.reports(ref=message.ref, status="delivered")
    TextMessage.objects.update(account="default")
    assert tidy().reports == 1
    message.refresh_from_db()
    assert message.status == "delivered"
    assert StatusEvent.objects.get(source="report").message == message
    assert tidy().reports == 0


def test_a_report_of_no_message_goes_on_waiting(provider):
    provider.reports(provider_id="nobody's", status="delivered")
    assert tidy().reports == 0
    assert StatusEvent.objects.get().message is None


def test_there_is_nothing_to_tidy_twice(lost):
    attempted(lost, minutes=16)
    tidy()
    assert tidy().unknown == 0


def test_a_text_that_waits_for_its_time_is_neither_lost_nor_late(lost):
    TextMessage.objects.update(due_on=timezone.now(), created_on=timezone.now() - timedelta(days=3))
    attempted(lost, minutes=16)
    tidied = tidy()
    assert (tidied.unknown, tidied.failed) == (0, 0)
    TextMessage.objects.update(attempted_on=None)
    assert tidy().failed == 0


@pytest.mark.parametrize("ids", [["one"], ["a", "b"]], ids=["one part", "two parts"])
def test_reports_that_have_taken_effect_are_not_applied_again(provider, ids):
    provider.answers(*(SentPart(provider_id=name) for name in ids))
    send_text("x" * 200, FRM, TO)
    for status, price in (("sending", "0.03"), ("sent", "0.05")):
        provider.reports(provider_id=ids[0], status=status, price=price, currency="EUR")
    heard = []

    def hear(**kwargs):
        heard.append(kwargs)

    post_save.connect(hear, sender=TextMessage)
    try:
        assert [tidy().reports, tidy().reports] == [0, 0]
    finally:
        post_save.disconnect(hear, sender=TextMessage)
    assert heard == []


def test_reports_that_have_taken_effect_are_not_looked_at(provider, monkeypatch):
    provider.reports(ref=send_text("Hi", FRM, TO).ref, status="sent")
    looked_at = []
    monkeypatch.setattr(tidying, "catch_up", looked_at.append)
    tidy()
    assert looked_at == []


def test_a_long_text_that_was_given_up_stands_where_its_parts_stand(provider):
    def die(message):
        provider.reports(ref=message.ref, provider_id="a", status="delivered")
        provider.reports(ref=message.ref, provider_id="b", status="failed", error_code="9")
        raise KeyboardInterrupt

    provider.splits_texts = True
    provider.answer = die
    with pytest.raises(KeyboardInterrupt):
        send_text("x" * 400, FRM, TO)
    message = TextMessage.objects.get()
    attempted(message, minutes=16)
    tidy()
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("failed", "9")


class SoftTimeLimitExceeded(Exception):
    """As billiard has it, which Celery runs its tasks with."""


@pytest.mark.parametrize(
    "step", ["give_up", "keep_rollups", "upkeep._keep_up", "incoming._take_turn"]
)
def test_the_time_limit_of_the_job_that_tidies_gets_out(lost, monkeypatch, step):
    def strike(*args: object) -> bool:
        raise SoftTimeLimitExceeded

    attempted(lost, minutes=16)
    Gate.objects.create(account="default")
    IncomingPart.objects.create(
        frm=TO, to=FRM, part_ref="1", number=1, total=2, created_on=timezone.now() - timedelta(2)
    )
    places = {"upkeep": upkeep, "incoming": incoming}
    place, _, name = step.rpartition(".")
    monkeypatch.setattr(places.get(place, tidying), name, strike)
    with pytest.raises(SoftTimeLimitExceeded):
        tidy()
