"""Keys: a second call sends what surely never went out, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from cables import LossyCable
from children import Children
from django.db import OperationalError, connections, transaction
from django.db.models.signals import post_save
from django.utils import timezone

from djsms import SendResult, Status, send_text, send_texts
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    KeyReused,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.models import StatusEvent, TextMessage
from djsms.sending import attempts
from djsms.sending.attempts import claim

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]
committed = pytest.mark.django_db(transaction=True, databases="__all__")

FRM, TO = "+447700900001", "+447700900002"
SOON = timedelta(hours=1)


def order(**changes: object) -> dict[str, object]:
    return {"text": "Hi", "frm": FRM, "to": TO, "key": "order-1"} | changes


def stored(**columns: object) -> TextMessage:
    """The row that somebody else's first call has left."""
    return TextMessage.objects.create(text="Hi", frm=FRM, to=TO, key="order-1", **columns)


@pytest.fixture(params=["send_text", "send_texts"])
def send(request):
    """Both ways to send one text."""
    if request.param == "send_text":
        return send_text
    return lambda **arguments: send_texts([arguments])[0]


@contextmanager
def hearing() -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(instance, **kwargs):
        heard.append(instance.status)

    post_save.connect(hear, sender=TextMessage)
    try:
        yield heard
    finally:
        post_save.disconnect(hear, sender=TextMessage)


class TestAnotherText:
    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"text": "Ho"}, "another text"),
            ({"frm": "Bistro"}, "another sender"),
            ({"to": "+447700900003"}, "another recipient"),
            ({"using": "alerts"}, "another account"),
            ({"text": "Ho", "frm": "Bistro"}, "another text and another sender"),
        ],
        ids=str,
    )
    def test_is_refused_without_the_key(self, send, provider, settings, change, words):
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        first = send(**order())
        second = send(**order(**change))
        assert second.pk != first.pk
        assert (second.status, second.error_kind, second.key) == ("refused", "KeyReused", None)
        second.refresh_from_db()
        assert (second.attempted_on, second.attempts) == (None, 0)
        assert words in second.error_text
        assert first.ref in second.error_text
        assert len(provider.sent) == 1

    def test_is_raised_when_asked_for_and_not_stored(self, send, provider):
        send(**order())
        with pytest.raises(KeyReused, match="another text"):
            send(**order(text="Ho", fail_silently=False))
        assert TextMessage.objects.count() == 1

    def test_what_is_written_differently_is_the_same(self, send, provider):
        first = send(**order())
        assert send(**order(to="+44 7700 900-002")).pk == first.pk

    def test_a_fallback_account_does_not_count(self, send, provider, settings):
        settings.DJSMS_FALLBACK = "alerts"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        first = stored(account="alerts", status="sending", attempted_on=timezone.now())
        assert send(**order()).pk == first.pk
        assert provider.sent == []

    def test_keys_are_compared_to_the_letter(self, send, provider):
        assert send(**order(key="a")).pk != send(**order(key="A")).pk
        assert len(provider.sent) == 2


class TestNeverAttempted:
    def test_is_sent_now(self, send, provider):
        first = stored()
        message = send(**order())
        assert (message.pk, message.status, message.attempts) == (first.pk, "sending", 1)
        assert [text.ref for text in provider.sent] == [first.ref]

    def test_one_that_waits_is_sent_now_and_waits_no_more(self, send, provider):
        first = stored(due_on=timezone.now() + SOON)
        message = send(**order())
        assert (message.pk, message.status) == (first.pk, "sending")
        assert TextMessage.objects.get().due_on is None

    def test_one_that_waits_after_a_first_attempt_is_sent_now(self, send, provider):
        stored(due_on=timezone.now() + SOON, attempted_on=timezone.now(), attempts=1)
        message = send(**order())
        assert (message.status, message.attempts) == ("sending", 2)

    def test_one_that_expired_is_not_sent_and_waits_no_more(self, send, provider):
        stored(expires_on=timezone.now() - SOON, due_on=timezone.now())
        message = send(**order())
        for row in (message, TextMessage.objects.get()):
            assert (row.status, row.attempted_on, row.due_on) == ("expired", None, None)
            assert row.error_text == "It expired before its turn to be sent came."
        assert provider.sent == []

    def test_receivers_are_told_of_one_that_expired(self, send, provider):
        stored(expires_on=timezone.now() - SOON)
        with hearing() as heard:
            send(**order())
        assert heard == ["expired"]

    def test_one_whose_claim_is_broken_off_waits_again(self, monkeypatch):
        def break_off(*args):
            change(*args)
            raise KeyboardInterrupt

        due_on = timezone.now() + SOON
        message = stored(due_on=due_on)
        change = attempts._change_idle
        monkeypatch.setattr(attempts, "_change_idle", break_off)
        with pytest.raises(KeyboardInterrupt):
            claim(message)
        row = TextMessage.objects.get()
        assert (row.due_on, row.attempted_on, row.attempts) == (due_on, None, 0)

    def test_who_claims_it_holds_it_as_it_is_stored(self):
        message = stored(due_on=timezone.now(), worker="w")
        assert claim(message)
        row = TextMessage.objects.get()
        names = [field.attname for field in TextMessage._meta.concrete_fields]
        assert {name: getattr(row, name) for name in names} == {
            name: getattr(message, name) for name in names
        }

    def test_unless_the_second_call_wants_it_for_longer(self, send, provider):
        stored(expires_on=timezone.now() - SOON)
        message = send(**order(expires=SOON))
        assert message.status == "sending"
        assert TextMessage.objects.get().expires_on > timezone.now()


class TestSurelyNotSent:
    @pytest.mark.parametrize("error", [TemporarilyUnavailable, Throttled])
    def test_is_sent_again_in_the_same_row(self, send, provider, error):
        provider.fails(error("later", code="7"))
        first = send(**order())
        assert first.status == "failed"
        provider.accepts("abc")
        second = send(**order())
        row = TextMessage.objects.get()
        for message in (second, row):
            assert (message.pk, message.status, message.attempts) == (first.pk, "sending", 2)
            assert (message.error_kind, message.error_code, message.error_text) == ("", "", "")
        assert [(event.source, event.status) for event in row.events.order_by("pk")] == [
            ("answer", "failed"),
            ("attempt", "failed"),
            ("answer", "sending"),
        ]

    def test_as_often_as_it_takes_and_each_is_an_event(self, send, provider):
        provider.fails(Throttled("later", code="7"))
        for _ in range(3):
            message = send(**order())
        assert (message.status, message.attempts, len(provider.sent)) == ("failed", 3, 3)
        sources = message.events.order_by("pk").values_list("source", flat=True)
        assert list(sources) == ["answer", "attempt", "answer", "attempt", "answer"]

    def test_a_task_that_is_run_again_sends(self, send, provider):
        """As Celery does it: ``autoretry_for=[TemporarilyUnavailable]``."""
        provider.fails(TemporarilyUnavailable("later"))
        with pytest.raises(TemporarilyUnavailable):
            send(**order(fail_silently=False))
        with pytest.raises(TemporarilyUnavailable):
            send(**order(fail_silently=False))
        provider.accepts("abc")
        assert send(**order(fail_silently=False)).status == "sending"

    def test_not_if_a_report_says_that_the_provider_has_it(self, send, provider):
        provider.fails(TemporarilyUnavailable("later"))
        first = send(**order())
        provider.reports(ref=first.ref, status="failed")
        assert send(**order()).status == "failed"
        assert len(provider.sent) == 1

    def test_not_if_a_part_was_taken(self, send, provider):
        stored(
            status="failed",
            error_kind="Throttled",
            parts=2,
            attempts=1,
            attempted_on=timezone.now(),
        )
        assert send(**order()).status == "failed"
        assert provider.sent == []


class TestAnythingElse:
    @pytest.mark.parametrize(
        "status", [Status.SENDING, Status.SENT, Status.DELIVERED, Status.CANCELLED, Status.EXPIRED]
    )
    def test_is_returned_and_not_sent(self, send, provider, status):
        stored(status=status, attempted_on=timezone.now(), attempts=1)
        assert send(**order(fail_silently=False)).status == status
        assert provider.sent == []

    def test_one_under_way_is_returned(self, send, provider):
        stored(attempted_on=timezone.now(), attempts=1)
        message = send(**order(fail_silently=False))
        assert (message.status, message.attempts) == ("created", 1)
        assert provider.sent == []

    @pytest.mark.parametrize(
        "error",
        [Refused, AuthenticationFailed, InsufficientFunds, RecipientBlocked, OutcomeUnknown],
    )
    def test_one_that_failed_is_returned_or_raises_what_it_ended_with(self, send, provider, error):
        provider.fails(error("no", code="7"))
        first = send(**order())
        assert send(**order()).pk == first.pk
        with pytest.raises(error) as caught:
            send(**order(fail_silently=False))
        assert type(caught.value) is error
        assert (caught.value.text, caught.value.code) == ("no", "7")
        assert len(provider.sent) == 1

    def test_a_refused_one_is_returned_again(self, send, provider):
        first = send(**order(to="nobody"))
        assert send(**order(to="nobody")).pk == first.pk
        assert first.error_kind == "InvalidNumber"


def test_the_first_is_that_of_the_key_however_many_there_are(send, provider):
    send(**order(key=None))
    first = send(**order())
    assert send(**order()).pk == first.pk
    assert len(provider.sent) == 2


def test_it_works_inside_a_transaction_of_the_callers(provider, database):
    send_text(**order())
    with transaction.atomic(using=database):
        send_text(**order())
        send_text(**order(key="order-2"))
        send_texts([order(), order(key="order-3")])
    assert TextMessage.objects.count() == 3


@committed
def test_one_whom_the_database_kept_waiting_claims_nothing_that_another_has(monkeypatch):
    change, tries = attempts._change_idle, []

    def beaten(*args):
        tries.append(args)
        if len(tries) == 1:
            assert claim(TextMessage.objects.get())
            raise OperationalError("lock wait timeout exceeded")
        return change(*args)

    message = stored()
    monkeypatch.setattr(attempts, "_change_idle", beaten)
    assert not claim(message)


@committed
def test_of_many_threads_with_one_key_one_sends(provider):
    def send() -> None:
        try:
            sent.append(send_text(**order()).pk)
        finally:
            connections.close_all()

    sent: list[int] = []
    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 8
    assert len(set(sent)) == 1
    assert len(provider.sent) == 1


@pytest.fixture
def children(database, child_environment, tmp_path) -> Children:
    return Children(database, child_environment, tmp_path / "calls")


SECOND_CALL = 'send_text("Hi", FRM, TO, key="order-1")'


@committed
class TestProcesses:
    def test_of_two_with_one_key_one_calls(self, children):
        script = """
        for number in range(20):
            send_text("Hi", FRM, TO, key=f"order-{number}")
            send_texts([dict(text="Hi", frm=FRM, to=TO, key=f"lot-{number}-{n}") for n in range(5)])
        """
        both = [children.start(script) for _ in range(2)]
        for child in both:
            _, errors = child.communicate(timeout=100)
            assert child.returncode == 0, errors
        assert len(children.calls) == len(set(children.calls)) == 120
        assert set(TextMessage.objects.values_list("status", flat=True)) == {"sending"}

    def test_killed_before_the_row_is_stored(self, children):
        killed = """
        from django.db.models.signals import pre_save
        pre_save.connect(lambda **kwargs: die(), weak=False)
        """
        assert children.run(killed, SECOND_CALL) == -9
        assert children.run(SECOND_CALL) == 0
        assert TextMessage.objects.get().status == "sending"
        assert len(children.calls) == 1

    def test_killed_before_the_row_is_committed(self, children):
        killed = """
        from django.db.models.signals import post_save
        post_save.connect(lambda **kwargs: die(), weak=False)
        """
        assert children.run(killed, SECOND_CALL) == -9
        assert children.run(SECOND_CALL) == 0
        assert TextMessage.objects.get().status == "sending"
        assert len(children.calls) == 1

    def test_killed_during_the_call(self, children):
        assert children.run("backend.answer = lambda message: die()", SECOND_CALL) == -9
        assert children.run(SECOND_CALL) == 0
        row = TextMessage.objects.get()
        assert (row.status, row.attempts) == ("created", 1)
        assert len(children.calls) == 1

    def test_killed_before_the_answer_is_stored(self, children):
        killed = """
        from djsms.sending import outcomes
        outcomes.enter_answer = lambda *args, **kwargs: die()
        """
        assert children.run(killed, SECOND_CALL) == -9
        assert children.run(SECOND_CALL) == 0
        assert TextMessage.objects.get().status == "created"
        assert len(children.calls) == 1

    def test_killed_between_two_texts_of_a_batch(self, children):
        batch = """
        send_texts([dict(text="Hi", frm=FRM, to=TO, key=f"order-{n}") for n in range(40)])
        """
        killed = """
        def answer(message):
            return die() if len(open(CALLS).readlines()) == 10 else SendResult.accepted(message.ref)
        backend.answer = answer
        """
        assert children.run(killed, batch) == -9
        assert len(children.calls) == 10
        assert children.run(batch) == 0
        assert len(children.calls) == len(set(children.calls)) == 40
        statuses = list(TextMessage.objects.values_list("status", flat=True))
        assert (statuses.count("sending"), statuses.count("created")) == (39, 1)

    def test_killed_after_a_failed_text_was_put_back(self, children, provider):
        stored(status="failed", error_kind="Throttled", attempted_on=timezone.now(), attempts=1)
        killed = """
        from djsms.sending import keys
        keys.claim = lambda message: die()
        """
        assert children.run(killed, SECOND_CALL) == -9
        assert TextMessage.objects.get().status == "created"
        assert children.run(SECOND_CALL) == 0
        row = TextMessage.objects.get()
        assert (row.status, row.attempts) == ("sending", 2)
        assert StatusEvent.objects.filter(source="attempt").count() == 1


@committed
class TestLostAcknowledgement:
    """The COMMIT went through, and the connection broke before that was told."""

    @pytest.fixture
    def proxy(self, database) -> Iterator[LossyCable]:
        if database != "postgresql":
            pytest.skip("the proxy speaks to PostgreSQL")
        connection = connections[database]
        before = dict(connection.settings_dict)
        proxy = LossyCable(before["PORT"], before["HOST"])
        connection.close()
        options = {**before["OPTIONS"], "sslmode": "disable", "gssencmode": "disable"}
        connection.settings_dict.update(HOST="127.0.0.1", PORT=proxy.port, OPTIONS=options)
        yield proxy
        connection.close()
        connection.settings_dict.update(before)
        proxy.close()

    @pytest.mark.parametrize("key", ["order-1", None])
    def test_of_the_row(self, provider, proxy, key):
        proxy.armed = True
        message = send_text(**order(key=key))
        assert proxy.cut_commits == 1
        assert TextMessage.objects.get().status == message.status == "sending"
        assert len(provider.sent) == 1

    @pytest.mark.parametrize("key", ["order-1", None])
    def test_of_a_lot(self, provider, proxy, key):
        proxy.armed = True
        (message,) = send_texts([order(key=key)])
        assert proxy.cut_commits == 1
        assert TextMessage.objects.get().status == message.status == "sending"
        assert len(provider.sent) == 1

    def test_of_a_claim(self, provider, proxy):
        stored()
        proxy.armed = True
        message = send_text(**order())
        assert proxy.cut_commits == 1
        assert TextMessage.objects.get().status == message.status == "sending"
        assert len(provider.sent) == 1

    def test_of_what_is_put_back_by_its_key(self, provider, proxy):
        provider.fails(Throttled("later"))
        send_text(**order())
        provider.accepts("abc")
        proxy.armed = True
        message = send_text(**order())
        assert proxy.cut_commits == 1
        row = TextMessage.objects.get()
        assert (row.status, row.attempts, message.status) == ("sending", 2, "sending")
        assert row.events.filter(source="attempt").count() == 1
        assert len(provider.sent) == 2

    def test_of_what_another_account_takes_over(self, provider, proxy, settings):
        settings.DJSMS_FALLBACK = "alerts"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}

        def answer(message):
            if len(provider.sent) == 1:
                proxy.armed = True
                raise TemporarilyUnavailable("down")
            return SendResult.accepted("abc")

        provider.answer = answer
        message = send_text(**order())
        assert proxy.cut_commits == 1
        row = TextMessage.objects.get()
        assert (row.status, row.account, row.attempts) == ("sending", "alerts", 2)
        assert (message.status, len(provider.sent)) == ("sending", 2)
        assert row.events.filter(source="attempt").count() == 1

    def test_of_the_answer(self, provider, proxy):
        def answer(message):
            proxy.armed = True
            return SendResult.accepted("abc")

        provider.answer = answer
        message = send_text(**order())
        assert proxy.cut_commits == 1
        row = TextMessage.objects.get()
        assert (row.status, row.provider_id, row.events.count()) == ("sending", "abc", 1)
        assert message.status == "sending"
