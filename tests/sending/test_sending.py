"""What ``send_text`` promises: the row first, the call once, the outcome on the row."""

from __future__ import annotations

import subprocess
import sys
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connections
from django.db.models.signals import post_save

from djsms import Encoding, OutgoingText, SendResult, SentPart, Status, send_text
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    InvalidText,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.models import StatusEvent, TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]
# what other connections see, and what happens without a transaction of the test's own
committed = pytest.mark.django_db(transaction=True, databases="__all__")

FRM, TO = "+447700900001", "+447700900002"


def stored(message: TextMessage) -> TextMessage:
    return TextMessage.objects.get(pk=message.pk)


class TestAcceptance:
    def test_the_message_is_returned_as_it_is_stored(self, provider):
        provider.accepts("abc", price=Decimal("0.0333"), currency="EUR", raw={"left": "12.3"})
        message = send_text("Hi", FRM, TO)
        for row in (message, stored(message)):
            assert (row.text, row.frm, row.to, row.direction) == ("Hi", FRM, TO, "outgoing")
            assert (row.status, row.provider_id) == ("sending", "abc")
            assert (row.price, row.currency) == (Decimal("0.0333"), "EUR")
            assert (row.account, row.parts, row.segments) == ("default", 1, 1)

    @pytest.mark.parametrize(
        ("text", "encoding"), [("Hi €", Encoding.GSM7), ("Привет", Encoding.UCS2)], ids=str
    )
    def test_the_backend_gets_the_encoding_that_is_stored(self, provider, text, encoding):
        message = send_text(text, FRM, TO)
        assert provider.sent[0].encoding is encoding
        assert stored(message).encoding == encoding

    def test_the_answer_is_kept_as_an_event(self, provider):
        provider.accepts("abc", price=Decimal("0.0333"), raw={"left": "12.3"})
        message = send_text("Hi", FRM, TO)
        event = message.events.get()
        assert (event.source, event.status, event.provider_id) == ("answer", "sending", "abc")
        assert (event.account, event.ref, event.number) == ("default", message.ref, 1)
        assert (event.price, event.raw) == (Decimal("0.0333"), {"left": "12.3"})

    def test_the_backend_gets_the_whole_message(self, provider):
        message = send_text("Olé €", FRM, TO, extra={"ttl": 5})
        assert provider.sent == [
            OutgoingText(
                ref=message.ref,
                text="Olé €",
                frm=FRM,
                to=TO,
                encoding=Encoding.GSM7,
                segments=1,
                extra={"ttl": 5},
            )
        ]

    def test_a_report_is_asked_for_with_the_address_that_bears_the_token(self, provider):
        send_text("Hi", FRM, TO, status_report=True)
        assert provider.sent[0].status_report
        assert provider.sent[0].callback_url.startswith(
            "https://example.com/djsms/callback/default/"
        )

    def test_without_an_address_for_it_nothing_is_stored_or_sent(self, provider, settings):
        settings.ROOT_URLCONF = "no_such_urls"
        with pytest.raises(ImproperlyConfigured, match="no_such_urls"):
            send_text("Hi", FRM, TO, status_report=True)
        assert not provider.sent
        assert not TextMessage.objects.exists()

    def test_no_address_is_given_when_no_report_is_asked_for(self, provider):
        send_text("Hi", FRM, TO)
        assert provider.sent[0].callback_url == ""

    def test_the_backend_may_say_at_once_that_it_is_sent(self, provider):
        provider.accepts(status=Status.SENT)
        assert send_text("Hi", FRM, TO).status == "sent"

    def test_the_account_is_stored_with_the_message(self, provider, settings):
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        assert stored(send_text("Hi", FRM, TO, using="alerts")).account == "alerts"

    def test_numbers_are_stored_without_punctuation(self, provider):
        message = send_text("Hi", "My Shop", "+44 (0)7700 900-002")
        assert (message.frm, message.to) == ("My Shop", TO)

    def test_long_ids_and_words_are_stored_shortened_but_told_apart(self, provider):
        provider.answers(SentPart(provider_id="x" * 900 + "1", error_code="c" * 900))
        first = send_text("Hi", FRM, TO)
        provider.answers(SentPart(provider_id="x" * 900 + "2"))
        assert first.provider_id != send_text("Hi", FRM, TO).provider_id
        assert provider.reports(provider_id="x" * 900 + "1", status="delivered").status_code == 200
        assert stored(first).status == "delivered"

    @pytest.mark.parametrize("price", ["NaN", "Infinity", "1e30", "-1e30"])
    def test_a_price_that_is_none_does_not_harm(self, provider, price):
        provider.accepts(price=Decimal(price))
        message = send_text("Hi", FRM, TO)
        assert (stored(message).status, stored(message).price) == ("sending", None)

    def test_what_no_database_stores_is_cleaned_out_of_the_answer(self, provider):
        provider.accepts(raw={"a\0": "b\0\ud800", "c": {1, 2}, "d": b"\xff", "e": float("nan")})
        assert stored(send_text("Hi", FRM, TO)).status == "sending"


@committed
class TestOrder:
    def test_the_row_is_committed_before_the_call_and_marked_as_attempted(self, provider, database):
        seen = []

        def look() -> None:
            seen.extend(TextMessage.objects.values_list("status", "attempted_on"))
            connections.close_all()

        def answer(message):
            other = threading.Thread(target=look)
            other.start()
            other.join()
            return SendResult.accepted("x")

        provider.answer = answer
        send_text("Hi", FRM, TO)
        ((status, attempted_on),) = seen
        assert status == "created"
        assert attempted_on is not None

    def test_no_transaction_is_open_during_the_call(self, provider, database):
        def answer(message):
            assert not connections[database].in_atomic_block
            return SendResult.accepted("x")

        provider.answer = answer
        assert send_text("Hi", FRM, TO).status == "sending"

    def test_receivers_are_told_of_the_new_row_and_then_of_the_answer(self, provider):
        heard = []

        def hear(instance, created, **kwargs):
            heard.append((created, str(instance.status)))

        post_save.connect(hear, sender=TextMessage)
        try:
            send_text("Hi", FRM, TO)
        finally:
            post_save.disconnect(hear, sender=TextMessage)
        assert heard == [(True, "created"), (False, "sending")]

    def test_a_receiver_that_refuses_the_new_row_stops_the_send(self, provider):
        def refuse(instance, created, **kwargs):
            raise RuntimeError("no")

        post_save.connect(refuse, sender=TextMessage)
        try:
            with pytest.raises(RuntimeError):
                send_text("Hi", FRM, TO)
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        assert provider.sent == []
        assert not TextMessage.objects.exists()

    def test_an_integrity_error_of_a_receiver_is_no_key_used_before(self, provider):
        def refuse(created, **kwargs):
            raise IntegrityError("the receiver's own")

        post_save.connect(refuse, sender=TextMessage)
        try:
            for key in (None, "order-1"):
                with pytest.raises(IntegrityError, match="the receiver's own"):
                    send_text("Hi", FRM, TO, key=key)
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        assert provider.sent == []

    def test_a_receiver_that_raises_after_the_call_cannot_undo_the_answer(self, provider):
        def refuse(instance, created, **kwargs):
            if not created:
                raise RuntimeError("no")

        provider.accepts("abc")
        post_save.connect(refuse, sender=TextMessage)
        try:
            with pytest.raises(RuntimeError):
                send_text("Hi", FRM, TO)
        finally:
            post_save.disconnect(refuse, sender=TextMessage)
        row = TextMessage.objects.get()
        assert (row.status, row.provider_id) == ("sending", "abc")


class TestOutcomes:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (Refused("no", code="7"), "refused"),
            (AuthenticationFailed("no", code="7"), "refused"),
            (InsufficientFunds("no", code="7"), "refused"),
            (RecipientBlocked("no", code="7"), "refused"),
            (TemporarilyUnavailable("no", code="7"), "failed"),
            (Throttled("no", code="7", retry_after=1.0), "failed"),
            (OutcomeUnknown("no", code="7"), "unknown"),
            (SendError("no", code="7"), "unknown"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
    )
    def test_a_failure_is_on_the_row_with_the_providers_words(self, provider, error, status):
        provider.fails(error)
        row = stored(send_text("Hi", FRM, TO))
        assert (row.status, row.error_code, row.error_text) == (status, "7", "no")
        assert row.error_kind == type(error).__name__

    def test_a_failure_is_raised_as_well_when_asked_for(self, provider):
        provider.fails(Refused("no", code="7"))
        with pytest.raises(Refused, match="no"):
            send_text("Hi", FRM, TO, fail_silently=False)
        assert TextMessage.objects.get().status == "refused"

    def test_an_unforeseen_error_leaves_the_outcome_unknown(self, provider):
        provider.fails(ZeroDivisionError("secret"))
        row = stored(send_text("Hi", FRM, TO))
        assert row.status == "unknown"
        assert "ZeroDivisionError" in row.error_text
        assert "secret" not in row.error_text

    def test_an_unforeseen_error_is_raised_as_an_unknown_outcome(self, provider):
        provider.fails(ZeroDivisionError())
        with pytest.raises(OutcomeUnknown) as caught:
            send_text("Hi", FRM, TO, fail_silently=False)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    @pytest.mark.parametrize("answer", [None, {}, "ok", SendResult(parts=())], ids=repr)
    def test_a_backend_that_answers_nonsense_leaves_the_outcome_unknown(self, provider, answer):
        provider.answer = lambda message: answer
        assert stored(send_text("Hi", FRM, TO)).status == "unknown"

    def test_an_error_of_the_backends_own_is_kept_by_the_name_of_ours(self, provider):
        class SlowDown(Throttled):
            pass

        provider.fails(SlowDown("wait"))
        assert stored(send_text("Hi", FRM, TO)).error_kind == "Throttled"

    def test_a_backend_may_refuse_what_it_cannot_express(self, provider):
        provider.fails(InvalidText("too long for me"))
        row = stored(send_text("Hi", FRM, TO))
        assert (row.status, row.error_text) == ("refused", "too long for me")
        assert row.error_kind == "InvalidText"

    def test_nothing_is_sent_again_by_itself(self, provider):
        for error in (OutcomeUnknown("?"), TemporarilyUnavailable("later"), RuntimeError()):
            provider.sent.clear()
            provider.fails(error)
            send_text("Hi", FRM, TO)
            assert len(provider.sent) == 1

    def test_each_attempt_is_a_line_of_the_log(self, provider, caplog):
        caplog.set_level("INFO", logger="djsms")
        ok = send_text("my secret text", FRM, TO)
        provider.fails(Throttled("slow down, +447700900002", code="9"))
        failed = send_text("my secret text", FRM, TO)
        lines = [record for record in caplog.records if record.levelname == "INFO"]
        assert [(line.ref, line.outcome, line.code) for line in lines] == [
            (ok.ref, "sending", ""),
            (failed.ref, "Throttled", "9"),
        ]
        for line in lines:
            assert (line.account, line.backend) == ("default", "memory")
            assert 0 <= line.milliseconds < 60_000
            assert line.ref in line.getMessage()
            assert "secret" not in line.getMessage()
            assert TO not in line.getMessage()

    def test_logs_hold_neither_text_nor_whole_numbers(self, provider, caplog):
        provider.fails(Refused("no"))
        send_text("my secret text", FRM, TO)
        assert caplog.text
        assert "secret" not in caplog.text
        assert TO not in caplog.text

    def test_neither_does_its_repr(self, provider):
        message = send_text("my secret text", FRM, TO)
        assert message.ref in repr(message)
        assert "secret" not in repr(message)
        assert TO not in repr(message)


class TestParts:
    def test_each_part_has_its_event_and_the_price_is_their_sum(self, provider):
        provider.answers(
            SentPart(provider_id="a", price=Decimal("0.1")),
            SentPart(provider_id="b", price=Decimal("0.2")),
            currency="EUR",
        )
        row = stored(send_text("x" * 200, FRM, TO))
        assert (row.parts, row.price, row.provider_id) == (2, Decimal("0.3"), "a")
        assert [e.provider_id for e in row.events.order_by("number")] == ["a", "b"]

    def test_one_refused_part_makes_the_message_refused_and_keeps_the_ids_of_the_others(
        self, provider
    ):
        provider.answers(
            SentPart(provider_id="a"),
            SentPart(status=Status.REFUSED, error_code="1", error_text="too fast"),
        )
        row = stored(send_text("x" * 200, FRM, TO))
        assert (row.status, row.error_code, row.error_text) == ("refused", "1", "too fast")
        assert row.error_kind == "Refused"
        assert row.provider_id == "a"

    def test_a_message_stands_where_its_slowest_part_stands(self, provider):
        provider.answers(SentPart(status=Status.SENT), SentPart(status=Status.SENDING))
        assert send_text("x" * 200, FRM, TO).status == "sending"


@committed
def test_a_killed_process_leaves_a_row_that_says_so(child_environment, database, tmp_path):
    """The real thing: a process that is killed in the middle of the provider's call."""
    script = f"""
import os, signal, sys
sys.path[:0] = {[str(path) for path in sys.path if path]!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django; django.setup()
import routers; routers.current = {database!r}
from django.db import connections
for alias in connections: connections[alias].settings_dict["NAME"] = NAMES[alias]
from djsms import hookimpl, send_text
from djsms.accounts import gateways
class Killed:
    @hookimpl
    def send(self, message):
        os.kill(os.getpid(), signal.SIGKILL)
with gateways.replaced(lambda alias: Killed()):
    send_text("Hi", {FRM!r}, {TO!r})
"""
    names = {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
    script = script.replace("NAMES", repr(names))
    child = subprocess.run([sys.executable, "-c", script], env=child_environment, check=False)
    assert child.returncode == -9
    row = TextMessage.objects.get()
    assert row.status == "created"
    assert row.attempted_on is not None
    assert not StatusEvent.objects.exists()


def test_a_text_that_is_refused_before_any_call_is_told_in_the_log(provider, caplog):
    message = send_text("Hi", FRM, "07700 900123")
    assert f"Text {message.ref}: refused before any call, by InvalidNumber" in caplog.text
    assert "900123" not in caplog.text
