"""Forgetting a person, and what is old: nothing stored tells number or text any more."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import serializers
from django.db import DatabaseError, connections, transaction
from django.utils import timezone
from pytest_django import Settings

import djsms
from djsms import cancel_text, enqueue_text, resend_text, send_text
from djsms.erasing import forget, holdings
from djsms.exceptions import InvalidNumber, OutcomeUnknown, TemporarilyUnavailable
from djsms.ledger import clock, erasure
from djsms.ledger.transactions import database
from djsms.models import Gate, HourlyRollup, IncomingPart, StatusEvent, TextMessage
from djsms.rollups.keeping import keep_rollups
from djsms.tidying import tidy
from djsms.types import SendResult

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

PERSON, OTHER, OURS = "+447700900123", "+447700900199", "+447700900001"
# the digits that every way to write the number has
DIGITS = "7700900123"
WORDS = "lobster"


def everything_stored() -> str:
    """All rows of ours as text, numbers without their punctuation."""
    models = (TextMessage, StatusEvent, IncomingPart, Gate)
    rows = [row for model in models for row in serializers.serialize("python", model.objects.all())]
    return json.dumps(rows, default=str).replace(" ", "")


def incoming(**fields: Any) -> dict[str, Any]:
    return {"frm": PERSON, "to": OURS, "text": WORDS, "provider_id": "in-1", **fields}


def sent(**arguments: Any) -> TextMessage:
    return send_text(WORDS, OURS, PERSON, **arguments)


def made_long_ago(**age: int) -> None:
    TextMessage.objects.update(created_on=timezone.now() - timedelta(**age))


def test_a_sent_message_tells_neither_number_nor_text_any_more(provider):
    provider.accepts(raw={"to": DIGITS, "echo": [{"text": WORDS}]})
    message = sent(extra={"nickname": WORDS}, key=f"welcome-44{DIGITS}")
    provider.reports(ref=message.ref, status="failed", error_text=f"{PERSON}: {WORDS}", x=PERSON)
    assert forget(PERSON).erased == 1
    assert DIGITS not in everything_stored()
    assert WORDS not in everything_stored()


@pytest.mark.parametrize(
    "written",
    [
        *(
            f"0{DIGITS}",
            "07700 900123 ",
            "0044 (0) 7700-900 123",
            "(07700) 900.123",
            "447700900123",
        ),
        *(f"{PERSON} (mum)", f"tel:{PERSON}", f"{PERSON}, {OTHER}", "+44 7700 900123"),
    ],
)
def test_a_refused_message_is_erased_however_its_number_was_written(provider, written):
    send_text(WORDS, OURS, written)
    send_text("", OURS, written)
    send_text("", written, OTHER)
    assert holdings(PERSON).outgoing == TextMessage.objects.count() == 3
    assert forget(PERSON).erased == 3
    assert DIGITS not in re.sub(r"[^0-9a-z]", "", everything_stored())
    assert WORDS not in everything_stored()


@pytest.mark.parametrize("other", [f"+1{DIGITS}", f"{PERSON}4", "07700 900199"])
def test_a_refused_message_to_another_number_stays(provider, other):
    send_text("", OURS, other)
    assert forget(PERSON).erased == 0
    assert TextMessage.objects.get().to == other


def test_what_counts_and_what_it_cost_stays(provider):
    message = sent(key="order-4711", status_report=True)
    provider.reports(ref=message.ref, status="failed", error_code="9", price="0.03", currency="EUR")
    forget(PERSON)
    message.refresh_from_db()
    assert (message.status, message.price, message.currency) == ("failed", Decimal("0.03"), "EUR")
    assert (message.segments, message.error_code, message.frm) == (1, "9", OURS)
    assert (message.key, message.to, message.text) == ("order-4711", "", "")
    assert message.erased_on is not None


def test_an_incoming_text_is_erased_and_our_own_number_stays(provider):
    provider.delivers(**incoming())
    assert forget(PERSON).erased == 1
    message = TextMessage.objects.get()
    assert (message.frm, message.to, message.fingerprint) == ("", OURS, None)
    assert DIGITS not in everything_stored()
    assert WORDS not in everything_stored()


def test_sums_do_not_keep_the_providers_words(provider):
    message = sent()
    provider.reports(ref=message.ref, status="failed", error_text=f"not to be had: {WORDS}")
    tidy()
    assert WORDS in str(list(HourlyRollup.objects.values_list("figures", flat=True)))
    forget(PERSON)
    tidy()
    sums = str(list(HourlyRollup.objects.values_list("figures", flat=True)))
    assert WORDS not in sums
    assert "failed" in sums


def test_joined_parts_are_erased_with_their_text(provider):
    for number in (1, 2):
        part = {"ref": "9", "number": number, "total": 2}
        provider.delivers(**incoming(provider_id=f"in-{number}", part=part))
    forget(PERSON)
    assert IncomingPart.objects.count() == 2
    assert DIGITS not in everything_stored()
    assert WORDS not in everything_stored()


def test_parts_that_wait_for_the_others_are_deleted(provider):
    provider.delivers(**incoming(part={"ref": "9", "number": 1, "total": 2}))
    assert holdings(PERSON).total == 1
    assert forget(PERSON).parts == 1
    assert not IncomingPart.objects.exists()


def test_joined_parts_are_not_counted_beside_their_message(provider):
    for number in (1, 2):
        provider.delivers(**incoming(part={"ref": "9", "number": number, "total": 2}))
    held = holdings(PERSON)
    assert (held.incoming, held.parts, held.total) == (1, 0, 1)


def test_a_message_to_oneself_is_counted_once(provider):
    send_text(WORDS, PERSON, PERSON)
    assert holdings(PERSON).total == 1
    assert forget(PERSON).erased == 1


def test_words_of_reports_that_found_no_message_are_erased_if_the_number_is_in_them(provider):
    provider.reports(provider_id="nobody's", status="sent", msisdn="(0) 7700 900-123")
    provider.reports(provider_id="another's", status="sent", msisdn=OTHER)
    assert forget(PERSON).reports == 1
    assert set(StatusEvent.objects.values_list("raw__msisdn", flat=True)) == {None, OTHER}


def test_others_are_left_alone(provider):
    other = send_text(WORDS, OURS, OTHER)
    assert forget(PERSON).erased == 0
    other.refresh_from_db()
    assert (other.text, other.to, other.erased_on) == (WORDS, OTHER, None)


@pytest.mark.parametrize("written", ["+44 7700 900123", "07700 900123"])
def test_a_number_is_read_as_everywhere(provider, settings: Settings, written: str):
    settings.DJSMS_REGION = "GB"
    sent()
    assert forget(written).erased == 1


def test_refused_messages_are_found_as_they_were_written(provider):
    send_text(WORDS, OURS, "07700 900123")
    send_text(WORDS, OURS, f"44{DIGITS}")
    assert forget(PERSON).erased == 2
    assert DIGITS not in everything_stored()


def test_a_waiting_text_is_cancelled_first(provider):
    message = enqueue_text(WORDS, OURS, PERSON)
    done = forget(PERSON)
    message.refresh_from_db()
    assert (done.cancelled, done.erased, message.status) == (1, 1, "cancelled")
    assert not cancel_text(message)
    assert provider.sent == []


def test_a_text_whose_turn_never_came_is_cancelled_first(provider):
    TextMessage.objects.create(text=WORDS, frm=OURS, to=PERSON, key="k")
    assert forget(PERSON).cancelled == 1
    sent(key="k")
    assert provider.sent == []


def test_a_text_in_flight_is_left_and_told(provider):
    def forget_meanwhile(message):
        done.append(forget(PERSON))
        return SendResult.accepted("id-1")

    done: list[Any] = []
    provider.answer = forget_meanwhile
    message = sent()
    assert (done[0].left, done[0].erased) == ((message.ref,), 0)
    message.refresh_from_db()
    assert (message.status, message.to) == ("sending", PERSON)
    assert forget(PERSON).erased == 1


@pytest.mark.parametrize("status", ["delivered", "failed"])
def test_a_late_report_finds_its_message_and_does_not_bring_the_number_back(provider, status):
    provider.accepts("id-1")
    message = sent()
    forget(PERSON)
    answer = provider.reports(
        ref=message.ref, status=status, error_text=f"{PERSON}: {WORDS}", msisdn=PERSON, price="0.02"
    )
    assert answer.status_code == 200
    message.refresh_from_db()
    assert (message.status, message.price) == (status, Decimal("0.02"))
    assert DIGITS not in everything_stored()
    assert WORDS not in everything_stored()


def test_a_report_that_waited_does_not_bring_the_number_back(provider):
    message = sent()
    TextMessage.objects.update(account="elsewhere")
    forget(PERSON)
    provider.reports(ref=message.ref, status="delivered", msisdn=PERSON)
    TextMessage.objects.update(account="default")
    assert tidy().reports == 1
    assert DIGITS not in everything_stored()


def test_the_answer_of_a_call_that_was_given_up_does_not_bring_the_number_back(provider):
    def give_up_and_forget(message):
        TextMessage.objects.update(attempted_on=timezone.now() - timedelta(hours=1))
        tidy()
        forget(PERSON)
        return SendResult.accepted("id-1", raw={"to": PERSON})

    provider.answer = give_up_and_forget
    message = sent()
    message.refresh_from_db()
    assert (message.status, message.provider_id) == ("sending", "id-1")
    assert DIGITS not in everything_stored()


@pytest.mark.parametrize("said", [{"raw": {"to": PERSON}}, {"error_text": PERSON}], ids=list)
def test_what_was_being_stored_meanwhile_is_erased_by_tidy(provider, said):
    message = sent()
    forget(PERSON)
    StatusEvent.objects.update(**said)
    TextMessage.objects.update(error_text=PERSON)
    tidy()
    assert DIGITS not in everything_stored()
    message.refresh_from_db()
    assert message.status == "sending"


def test_so_are_the_words_of_it_that_were_counted_meanwhile(provider, monkeypatch):
    sent()
    forget(PERSON)
    TextMessage.objects.update(status="failed", error_code="9", error_text=WORDS)
    start = clock.now()
    for hours in (0, 2):
        monkeypatch.setattr(clock, "now", lambda hours=hours: start + timedelta(hours=hours))
        keep_rollups()
    assert WORDS in str(list(HourlyRollup.objects.values_list("figures", flat=True)))
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=4))
    tidy()
    assert WORDS not in str(list(HourlyRollup.objects.values_list("figures", flat=True)))


def test_a_fault_there_does_not_keep_what_is_old(
    provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    def fail() -> None:
        raise DatabaseError("away")

    settings.DJSMS_KEEP_TEXTS = timedelta(days=30)
    monkeypatch.setattr(erasure, "finish", fail)
    sent()
    made_long_ago(days=31)
    assert tidy().erased == 1


def test_where_what_is_old_cannot_be_erased_nothing_is(provider, monkeypatch):
    def fail() -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(erasure, "erase_old", fail)
    assert tidy().erased == 0


def assert_brings_nothing_back(old: TextMessage | StatusEvent) -> None:
    with (
        pytest.raises(DatabaseError, match="did not affect any rows"),
        transaction.atomic(using=database()),
    ):
        old.save()
    assert DIGITS not in everything_stored()


def test_an_instance_from_before_does_not_bring_the_number_back(provider):
    old = sent()
    forget(PERSON)
    old.extra = {"seen": True}
    assert_brings_nothing_back(old)
    old.refresh_from_db()
    old.extra = {"seen": True}
    old.save()


@pytest.mark.parametrize(
    "partly",
    [lambda rows: rows.only("text", "to"), lambda rows: rows.defer("erased_on")],
    ids=["only", "defer"],
)
def test_nor_does_one_that_did_not_read_whether_it_was_erased(provider, partly):
    sent()
    old = partly(TextMessage.objects).get()
    old.to, old.text = PERSON, WORDS
    forget(PERSON)
    assert_brings_nothing_back(old)


def test_nor_does_what_was_said_of_it(provider):
    provider.accepts(raw={"to": PERSON})
    sent()
    old = StatusEvent.objects.get()
    forget(PERSON)
    assert_brings_nothing_back(old)
    old.raw, old.error_text = {}, ""
    old.save()


def test_a_repeat_of_an_erased_text_does_not_bring_it_back(provider):
    provider.delivers(**incoming())
    forget(PERSON)
    assert provider.delivers(**incoming()).status_code == 200
    assert TextMessage.objects.count() == 1
    assert WORDS not in everything_stored()


def test_what_recognises_a_repeat_goes_after_a_week(provider):
    provider.delivers(**incoming())
    forget(PERSON)
    IncomingPart.objects.update(created_on=timezone.now() - timedelta(days=8))
    tidy()
    assert not IncomingPart.objects.exists()


def test_an_erased_message_is_never_sent_again(provider):
    provider.fails(TemporarilyUnavailable("down"))
    message = sent(key="k")
    forget(PERSON)
    provider.sent.clear()
    assert sent(key="k") == message
    assert enqueue_text(WORDS, OURS, PERSON, key="k") == message
    message.refresh_from_db()
    with pytest.raises(ValueError, match="was erased"):
        resend_text(message)
    assert provider.sent == []
    assert not TextMessage.objects.filter(due_on__isnull=False).exists()


def test_a_gate_of_the_number_goes(provider, settings: Settings):
    settings.DJSMS_ACCOUNTS = {"relay": {"BACKEND": "memory", "ORIGINATOR_RATE": "1/s"}}
    settings.DJSMS_BACKEND = None
    enqueue_text(WORDS, PERSON, OTHER, using="relay")
    Gate.objects.get_or_create(account="relay", slot=PERSON)
    assert forget(PERSON).cancelled == 1
    assert DIGITS not in everything_stored()


def test_a_second_time_there_is_nothing_to_do(provider):
    sent()
    forget(PERSON)
    assert forget(PERSON).erased == 0
    assert holdings(PERSON).total == 0


def test_holdings_count_and_change_nothing(provider):
    sent()
    enqueue_text(WORDS, OURS, PERSON)
    provider.delivers(**incoming())
    held = holdings(PERSON)
    assert (held.outgoing, held.incoming, held.waiting, held.in_flight) == (2, 1, 1, 0)
    assert held.total == 3
    assert everything_stored().count(WORDS) >= 3


def test_holdings_count_what_waits_for_a_time_and_for_its_turn(provider):
    enqueue_text(WORDS, OURS, PERSON)
    TextMessage.objects.create(text=WORDS, frm=OURS, to=PERSON)
    assert holdings(PERSON).waiting == 2


def test_no_digits_are_in_nothing():
    assert not erasure.names("anything", "")


def test_what_is_no_number_is_refused():
    with pytest.raises(InvalidNumber):
        forget("Bistro")


def test_the_number_that_an_account_sends_from_is_refused(provider, settings: Settings):
    settings.DJSMS_FROM = OURS
    with pytest.raises(ValueError, match="sender of the account 'default'"):
        forget(OURS)


def test_more_than_a_lot_is_erased(provider, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(djsms.erasing, "PAGE", 2)
    for _ in range(5):
        sent()
    done: list[int] = []
    assert forget(PERSON, progress=done.append).erased == 5
    assert done == [2, 4, 5]


class TestRetention:
    def test_nothing_is_erased_unless_asked_for(self, provider):
        message = sent()
        made_long_ago(days=4000)
        assert tidy().erased == 0
        message.refresh_from_db()
        assert message.text == WORDS

    def test_what_is_older_is_erased_in_both_directions(self, provider, settings: Settings):
        settings.DJSMS_KEEP_TEXTS = timedelta(days=30)
        provider.accepts(raw={"to": PERSON})
        sent(key=f"welcome-{DIGITS}")
        provider.delivers(**incoming())
        made_long_ago(days=31)
        assert (tidy().erased, tidy().erased) == (2, 0)
        assert DIGITS not in everything_stored()
        assert WORDS not in everything_stored()
        assert set(TextMessage.objects.values_list("frm", "to")) == {(OURS, ""), ("", OURS)}

    def test_what_is_younger_is_kept(self, provider, settings: Settings):
        settings.DJSMS_KEEP_TEXTS = timedelta(days=30)
        sent()
        made_long_ago(days=29)
        assert tidy().erased == 0

    def test_what_waits_keeps_its_text(self, provider, settings: Settings):
        settings.DJSMS_KEEP_TEXTS = timedelta(hours=1)
        message = enqueue_text(WORDS, OURS, PERSON, run_after=timedelta(hours=1))
        made_long_ago(hours=2)
        assert tidy().erased == 0
        message.refresh_from_db()
        assert (message.text, message.status) == (WORDS, "created")

    def test_an_unknown_one_is_not_asked_about_without_its_number(
        self, provider, settings: Settings
    ):
        from djsms.receiving.refreshing import unsettled

        settings.DJSMS_KEEP_TEXTS = timedelta(hours=1)
        provider.fails(OutcomeUnknown("?"))
        sent()
        made_long_ago(hours=2)
        assert unsettled("default").count() == 1
        tidy()
        assert unsettled("default").count() == 0

    def test_reports_of_no_message_are_deleted_once_they_can_find_none(
        self, provider, settings: Settings
    ):
        settings.DJSMS_KEEP_TEXTS = timedelta(hours=1)
        provider.reports(provider_id="nobody's", status="sent", msisdn=PERSON)
        StatusEvent.objects.update(created_on=timezone.now() - timedelta(days=6))
        tidy()
        assert StatusEvent.objects.count() == 1
        StatusEvent.objects.update(created_on=timezone.now() - timedelta(days=8))
        tidy()
        assert StatusEvent.objects.count() == 0

    def test_they_are_deleted_in_lots(
        self, provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        settings.DJSMS_KEEP_TEXTS = timedelta(hours=1)
        monkeypatch.setattr(erasure, "LOT", 2)
        for number in range(5):
            provider.reports(provider_id=f"nobody's {number}", status="sent")
        StatusEvent.objects.update(created_on=timezone.now() - timedelta(days=8))
        tidy()
        assert StatusEvent.objects.count() == 0

    def test_it_comes_in_lots_and_each_call_is_bounded(
        self, provider, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        settings.DJSMS_KEEP_TEXTS = timedelta(days=30)
        monkeypatch.setattr(erasure, "LOT", 2)
        monkeypatch.setattr(erasure, "LOTS", 2)
        for _ in range(5):
            sent()
        made_long_ago(days=31)
        assert [tidy().erased, tidy().erased, tidy().erased] == [4, 1, 0]


@pytest.mark.live
@pytest.mark.django_db(transaction=True, databases="__all__")
def test_reports_that_come_meanwhile_bring_nothing_back(provider):
    """Whatever the order in which reports and erasing get at a message."""
    messages = [sent(status_report=True) for _ in range(40)]

    def report(message: TextMessage) -> None:
        try:
            for status in ("sending", "sent", "failed"):
                answer = provider.reports(
                    ref=message.ref, status=status, error_text=WORDS, msisdn=PERSON
                )
                assert answer.status_code == 200
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(report, message) for message in messages]
        forget(PERSON)
        for call in calls:
            call.result()
    forget(PERSON)
    tidy()
    assert DIGITS not in everything_stored()
    assert WORDS not in everything_stored()
    assert set(TextMessage.objects.values_list("status", flat=True)) == {"failed"}
    assert StatusEvent.objects.filter(source="report").count() == 120
