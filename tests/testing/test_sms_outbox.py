"""The fixture ``sms_outbox``: what the code under test sent, and what a test lets providers say."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models.signals import post_save

from djsms import Encoding, Status, asend_text, send_text
from djsms.accounts import gateways
from djsms.exceptions import (
    AccountNotFound,
    InvalidNumber,
    InvalidWebhook,
    OutcomeUnknown,
    Refused,
    Throttled,
)
from djsms.models import TextMessage
from djsms.testing import Outbox

pytestmark = pytest.mark.django_db(transaction=True)

US, THEM, OTHERS = "+447700900000", "+447700900001", "+447700900002"


@pytest.fixture(autouse=True)
def broken(settings: Any) -> None:
    """Settings with which nothing could be sent."""
    settings.DJSMS_BACKEND = "no-such-backend"
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "neither-this-one", "OPTIONS": {"a": 1}}}


def test_keeps_what_is_sent_whatever_the_settings_say(sms_outbox: Outbox) -> None:
    message = send_text("Your code is 4711", "Acme", THEM, status_report=True, extra={"ttl": 60})
    assert message.status is Status.SENDING
    assert len(sms_outbox) == 1
    sent = sms_outbox[0]
    assert (sent.text, sent.frm, sent.to) == ("Your code is 4711", "Acme", THEM)
    assert (sent.account, sent.ref, sent.provider_id) == (
        "default",
        message.ref,
        message.provider_id,
    )
    assert (sent.encoding, sent.segments) == (Encoding.GSM7, 1)
    assert sent.status_report
    assert sent.extra == {"ttl": 60}
    assert sent.message == message


def test_is_empty_at_first(sms_outbox: Outbox) -> None:
    assert not sms_outbox
    assert sms_outbox == []


def test_picks_by_recipient_with_any_punctuation(sms_outbox: Outbox) -> None:
    send_text("One", US, THEM)
    send_text("Two", US, OTHERS)
    assert sms_outbox.sent_to("+44 (7700) 900-001").texts == ["One"]
    assert sms_outbox.sent_to(OTHERS).texts == ["Two"]
    with pytest.raises(InvalidNumber, match="country code"):
        sms_outbox.sent_to("07700 900001")


def test_picks_by_account_sender_and_words(sms_outbox: Outbox) -> None:
    send_text("The disk is full", "Ops", THEM, using="alerts")
    send_text("Hello", "+44 7700 900000", THEM)
    assert sms_outbox.for_account("alerts").texts == ["The disk is full"]
    assert sms_outbox.sent_from(US).texts == ["Hello"]
    assert sms_outbox.containing("disk").for_account("alerts").sent_to(THEM)
    assert not sms_outbox.containing("disk").for_account("default")


def test_counts_segments(sms_outbox: Outbox) -> None:
    send_text("x" * 161, US, THEM)
    send_text("👋", US, OTHERS)
    assert sms_outbox.segments == 3
    assert sms_outbox.sent_to(THEM).segments == 2


def test_an_account_that_is_not_there_is_none_here_either(sms_outbox: Outbox) -> None:
    with pytest.raises(AccountNotFound, match="no account 'alarms'"):
        send_text("Hello", US, THEM, using="alarms")


def test_says_what_was_sent_instead(sms_outbox: Outbox) -> None:
    assert repr(sms_outbox.sent_to(THEM)) == f"<no texts to {THEM}>"
    send_text("Hello", US, OTHERS)
    send_text("Wake up", "Ops", OTHERS, using="alerts")
    assert repr(sms_outbox.for_account("alerts").sent_to(THEM)) == (
        f"<no texts by account alerts to {THEM}, but 2 texts in all:\n"
        f"  <'Hello' from {US} to {OTHERS}>\n"
        f"  <'Wake up' from Ops to {OTHERS} by account alerts>>"
    )
    with pytest.raises(IndexError, match=r"there is no text 1: <1 text from \+447700900000:"):
        sms_outbox.sent_from(US)[1]
    for _ in range(11):
        send_text("Hello", US, THEM)
    assert repr(sms_outbox.sent_to(THEM)).endswith("\n  … and 1 more>")


def test_can_be_emptied_and_sliced(sms_outbox: Outbox) -> None:
    for text in ("One", "Two", "Three"):
        send_text(text, US, THEM)
    assert [sent.text for sent in sms_outbox[1:]] == ["Two", "Three"]
    assert [sent.text for sent in reversed(sms_outbox)] == ["Three", "Two", "One"]
    sms_outbox.clear()
    assert not sms_outbox


def test_keeps_what_threads_send(sms_outbox: Outbox) -> None:
    from django.db import connection

    def work(number: int) -> None:
        send_text(f"Text {number}", US, THEM)
        connection.close()

    threads = [threading.Thread(target=work, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sms_outbox.texts) == ["Text 0", "Text 1", "Text 2", "Text 3"]


def test_keeps_what_coroutines_send(sms_outbox: Outbox) -> None:
    from asgiref.sync import async_to_sync

    async_to_sync(asend_text)("Hello", US, THEM)
    assert sms_outbox.sent_to(THEM)


def test_lets_sends_fail(sms_outbox: Outbox) -> None:
    sms_outbox.fail(Throttled("Slow down", code="1", retry_after=3.0), times=1)
    first, second = send_text("One", US, THEM), send_text("Two", US, THEM)
    assert (first.status, first.error_code, second.status) == (Status.FAILED, "1", Status.SENDING)
    assert sms_outbox.texts == ["Two"]
    assert sms_outbox.failed.texts == ["One"]
    assert "which raised Throttled('Slow down')" in repr(sms_outbox.failed)


def test_lets_sends_to_some_fail(sms_outbox: Outbox) -> None:
    sms_outbox.refuse("Unknown subscriber", code="7", to="+44 7700 900001")
    sms_outbox.fail(OutcomeUnknown("Cut off"), account="alerts")
    with pytest.raises(Refused, match="Unknown subscriber"):
        send_text("Hello", US, THEM, fail_silently=False)
    assert send_text("Hello", US, OTHERS).status is Status.SENDING
    assert send_text("Hello", US, OTHERS, using="alerts").status is Status.UNKNOWN
    sms_outbox.clear()
    assert send_text("Hello", US, THEM).status is Status.SENDING


def test_lets_the_provider_report(sms_outbox: Outbox) -> None:
    message = send_text("Hello", US, THEM, using="alerts")
    then = datetime(2026, 3, 29, 12, tzinfo=UTC)
    stored = sms_outbox.report(message, "failed", error_code="27", occurred_on=then, price="0.04")
    assert stored.status is message.status is Status.FAILED
    assert (message.error_code, str(message.price)) == ("27", "0.04000000")
    assert message.events.last().occurred_on == then
    assert sms_outbox.report(sms_outbox[0], Status.DELIVERED).status is Status.DELIVERED


def test_lets_the_recipient_answer(sms_outbox: Outbox) -> None:
    send_text("Coming?", US, THEM, using="alerts")
    answer = sms_outbox.reply(sms_outbox[0], "Yes 👍")
    assert (answer.frm, answer.to, answer.text) == (THEM, US, "Yes 👍")
    assert (answer.direction, answer.account, answer.status) == ("incoming", "alerts", "received")


def test_nobody_answers_a_name(sms_outbox: Outbox) -> None:
    send_text("Coming?", "Acme", THEM)
    with pytest.raises(ValueError, match="Nobody can answer 'Acme'"):
        sms_outbox.reply(sms_outbox[0], "Yes")


def test_lets_texts_come_in(sms_outbox: Outbox) -> None:
    text = sms_outbox.receive("STOP", frm=THEM, to="60777", provider_id="7")
    assert (text.frm, text.to, text.text, text.provider_id) == (THEM, "60777", "STOP", "7")
    assert sms_outbox.receive("STOP", frm=THEM, to="60777", provider_id="7") == text


def test_refuses_what_no_provider_could_say(sms_outbox: Outbox) -> None:
    with pytest.raises(InvalidWebhook, match="price"):
        sms_outbox.report(send_text("Hello", US, THEM), "sent", price="much")


@pytest.mark.parametrize("word", ["deliverd", "Delivered", "DELIVERED", "", "received", "created"])
def test_says_which_statuses_there_are(sms_outbox: Outbox, word: str) -> None:
    message = send_text("Hello", US, THEM)
    with pytest.raises(ValueError, match=f"reports '{word}'; it is one of unknown, .*delivered"):
        sms_outbox.report(message, word)
    message.refresh_from_db()
    assert message.status is Status.SENDING


def test_says_which_fields_there_are(sms_outbox: Outbox) -> None:
    message = send_text("Hello", US, THEM)
    with pytest.raises(TypeError, match=r"no 'code'; further fields are .*error_code"):
        sms_outbox.report(message, "failed", code="27")
    with pytest.raises(TypeError, match="no 'id'; further fields are provider_id"):
        sms_outbox.receive("Hello", frm=THEM, to=US, id="7")
    with pytest.raises(TypeError, match="no 'id'"):
        sms_outbox.reply(message, "Hello", id="7")


@pytest.mark.parametrize("message", ["abc", None, []])
def test_reports_on_messages_alone(sms_outbox: Outbox, message: Any) -> None:
    with pytest.raises(TypeError, match=r"report\(\) takes a text of the outbox"):
        sms_outbox.report(message, "delivered")
    with pytest.raises(TypeError, match=r"reply\(\) takes a text of the outbox"):
        sms_outbox.reply(message, "Yes")


@pytest.mark.parametrize("error", [ValueError("No"), Refused, "refused", None])
def test_fails_as_a_backend_may(sms_outbox: Outbox, error: Any) -> None:
    with pytest.raises(TypeError, match=r"one of djsms\.exceptions"):
        sms_outbox.fail(error)
    assert send_text("Hello", US, THEM).status is Status.SENDING


def test_lets_the_errors_of_receivers_out(sms_outbox: Outbox) -> None:
    message = send_text("Hello", US, THEM)

    def receiver(**kwargs: Any) -> None:
        raise LookupError("no such order")

    post_save.connect(receiver, sender=TextMessage)
    try:
        with pytest.raises(LookupError, match="no such order"):
            sms_outbox.report(message, "delivered")
    finally:
        post_save.disconnect(receiver, sender=TextMessage)


def test_says_when_it_cannot_speak_for_a_provider(settings: Any) -> None:
    settings.DJSMS_BACKEND = "dummy"
    outbox = Outbox()
    with pytest.raises(RuntimeError, match="The account 'default' has the backend"):
        outbox.receive("Hello", frm=THEM, to=US)


def test_is_gone_after_the_test(settings: Any) -> None:
    settings.DJSMS_BACKEND = "dummy"
    assert type(gateways.get().plugin).__name__ == "DummyBackend"
