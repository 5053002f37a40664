"""Silent means silent: what cannot be sent becomes a refused row; only a program's slips raise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import phonenumbers
import pytest
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe

from djsms import Status, hookimpl, send_text, send_texts
from djsms.accounts import gateways
from djsms.exceptions import (
    AccountNotFound,
    InvalidMessage,
    InvalidNumber,
    InvalidOptions,
    InvalidText,
    NotSupported,
)
from djsms.models import StatusEvent, TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"

GOOD = {"text": "Hi", "frm": FRM, "to": TO}
LONGEST = 153 * 255
AGO = timedelta(minutes=-5)

# what is wrong, with the error that it is and the words in it
WRONG = {
    "empty text": ({"text": ""}, InvalidText, "empty"),
    "white space only": ({"text": " \n\t\xa0"}, InvalidText, "white space"),
    "NUL": ({"text": "a\0b"}, InvalidText, "NUL"),
    "lone surrogate": ({"text": "a\ud800b"}, InvalidText, "surrogate"),
    "too long": ({"text": "x" * (LONGEST + 1)}, InvalidText, "255"),
    "very long": ({"text": "ж" * 1_000_000}, InvalidText, "255"),
    "empty recipient": ({"to": ""}, InvalidNumber, "empty"),
    "short recipient": ({"to": "12"}, InvalidNumber, "recipient"),
    "recipient in words": ({"to": "somebody" * 100}, InvalidNumber, "recipient"),
    "recipient with NUL": ({"to": "+44\0"}, InvalidNumber, "recipient"),
    "long sender": ({"frm": "a name far too long"}, InvalidNumber, "sender"),
    "empty sender": ({"frm": ""}, InvalidNumber, "sender"),
    "extra of objects": ({"extra": {"ttl": object()}}, InvalidMessage, "extra"),
    "extra not a number": ({"extra": {"ttl": float("nan")}}, InvalidMessage, "extra"),
    "empty key": ({"key": ""}, InvalidMessage, "key"),
    "long key": ({"key": "x" * 256}, InvalidMessage, "key"),
    "key with NUL": ({"key": "a\0b"}, InvalidMessage, "key"),
    "expired": ({"expires": AGO}, InvalidMessage, "past"),
    "expired on": ({"expires": datetime(2020, 1, 1, tzinfo=UTC)}, InvalidMessage, "past"),
    "expires far out": ({"expires": timedelta.max}, InvalidMessage, "future"),
}
wrong = pytest.mark.parametrize(("change", "error", "words"), WRONG.values(), ids=WRONG)


@wrong
def test_what_cannot_be_sent_is_a_refused_row(provider, change, error, words):
    message = send_text(**GOOD | change)
    row = TextMessage.objects.get()
    assert row.pk == message.pk
    for stored in (message, row):
        assert stored.status is Status.REFUSED
        assert stored.error_kind == error.__name__
        assert words in stored.error_text
        assert stored.attempted_on is None
        assert stored.attempts == 0
    assert provider.sent == []
    assert not StatusEvent.objects.exists()


@wrong
def test_without_silence_it_is_raised_and_nothing_stored(provider, change, error, words):
    with pytest.raises(error, match=words) as caught:
        send_text(**GOOD | change, fail_silently=False)
    assert type(caught.value) is error
    assert not TextMessage.objects.exists()
    assert provider.sent == []


@wrong
def test_among_many_it_stops_nobody(provider, change, error, words):
    sent = send_texts([GOOD, GOOD | change, GOOD])
    assert [message.status for message in sent] == ["sending", "refused", "sending"]
    assert sent[1].error_kind == error.__name__


def test_the_refused_row_is_as_it_was_given(provider):
    row = send_text("Hi there", FRM, "07700 900123 (office)", key="order-1", extra={"ttl": 5})
    assert (row.text, row.frm, row.to) == ("Hi there", FRM, "07700 900123 (office)")
    assert (row.key, row.extra) == ("order-1", {"ttl": 5})


def test_the_refused_row_tells_its_segments_and_whether_reports_were_wanted(provider):
    row = send_text("ж" * 71, FRM, "nobody", status_report=True)
    row.refresh_from_db()
    assert (row.segments, row.encoding, row.status_report) == (2, "ucs2", True)


def test_without_extras_the_refused_row_has_none(provider):
    assert send_text("Hi", FRM, "nobody").extra == {}


def test_what_no_column_takes_is_cut(provider):
    row = TextMessage.objects.get(pk=send_text("ж" * 1_000_000, "s" * 900, "t" * 900).pk)
    assert (len(row.text), len(row.frm), len(row.to)) == (65536, 64, 64)


def test_the_longest_text_that_a_message_can_have_is_sent(provider):
    assert send_text("x" * LONGEST, FRM, TO).segments == 255


def test_the_accounts_own_limit_of_segments(provider, settings):
    settings.DJSMS_MAX_SEGMENTS = 2
    assert send_text("x" * 306, FRM, TO).status == "sending"
    refused = send_text("x" * 307, FRM, TO)
    assert (refused.status, refused.error_kind) == ("refused", "InvalidText")
    assert "2" in refused.error_text


@pytest.mark.parametrize("fail_silently", [True, False])
def test_a_backend_that_cannot_send(fail_silently):
    class Deaf:
        @hookimpl
        def parse_callback(self, request):
            return []

    with gateways.replaced(lambda alias: Deaf()):
        if fail_silently:
            row = send_text("Hi", FRM, TO)
            assert (row.status, row.error_kind) == ("refused", "NotSupported")
        else:
            with pytest.raises(NotSupported):
                send_text("Hi", FRM, TO, fail_silently=False)
            assert not TextMessage.objects.exists()


@pytest.mark.parametrize("fail_silently", [True, False])
@pytest.mark.parametrize("send", [send_text, lambda **values: send_texts([values])])
def test_wrong_settings_are_raised_in_either_mode(provider, fail_silently, send):
    with pytest.raises(AccountNotFound, match="'nowhere'"):
        send(**GOOD, fail_silently=fail_silently, using="nowhere")
    assert not TextMessage.objects.exists()


class TestOwnSender:
    def test_none_is_the_accounts_from(self, provider, settings):
        settings.DJSMS_FROM = "Bistro"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory", "FROM": "+44 7700 900003"}}
        assert send_text("Hi", None, TO).frm == "Bistro"
        assert send_text("Hi", None, TO, using="alerts").frm == "+447700900003"

    @pytest.mark.parametrize("fail_silently", [True, False])
    def test_an_account_without_one_is_an_error_of_configuration(self, provider, fail_silently):
        with pytest.raises(InvalidOptions, match="DJSMS_FROM"):
            send_text("Hi", None, TO, fail_silently)
        assert not TextMessage.objects.exists()


class TestWhatAProjectHasAtHand:
    """Texts and numbers of other types that mean the same."""

    @pytest.mark.parametrize("make", [lazystr, mark_safe, Status], ids=lambda make: make.__name__)
    def test_texts(self, provider, make):
        message = send_text(make("sent"), FRM, TO)
        assert (message.status, message.text) == ("sending", "sent")
        assert type(provider.sent[0].text) is str

    def test_lazy_senders_and_numbers(self, provider):
        message = send_text("Hi", lazystr("Bistro"), lazystr(TO))
        assert (message.frm, message.to) == ("Bistro", TO)

    def test_numbers_of_phonenumbers(self, provider):
        message = send_text("Hi", phonenumbers.parse(FRM), phonenumbers.parse(TO))
        assert (message.status, message.frm, message.to) == ("sending", FRM, TO)

    def test_a_number_that_could_not_be_read_is_what_somebody_typed(self, provider):
        unread = phonenumbers.PhoneNumber(raw_input="nobody")
        message = send_text("Hi", FRM, unread)
        assert (message.status, message.to) == ("refused", "nobody")

    def test_an_extension_cannot_be_called(self, provider):
        number = phonenumbers.parse(f"{TO} ext. 7")
        assert send_text("Hi", FRM, number).error_kind == "InvalidNumber"


def test_the_numbers_of_what_is_refused_for_another_reason_are_as_they_are_sent(provider):
    message = send_text("", "+44 (0)7700 900001", "+44 (0)7700-900.002")
    assert (message.status, message.frm, message.to) == ("refused", FRM, TO)
