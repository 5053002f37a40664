"""``resend_text``: a new message that names the old, and each only once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from djsms import Status, resend_text, send_text
from djsms.exceptions import AccountNotFound, OutcomeUnknown, TemporarilyUnavailable
from djsms.models import TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]
committed = pytest.mark.django_db(transaction=True, databases="__all__")

FRM, TO = "+447700900001", "+447700900002"


def stored(**columns: object) -> TextMessage:
    return TextMessage.objects.create(**{"text": "Hi", "frm": FRM, "to": TO} | columns)


@pytest.mark.parametrize("error", [OutcomeUnknown("?"), TemporarilyUnavailable("later")])
def test_it_is_a_new_message_that_names_the_old(provider, error):
    provider.fails(error)
    old = send_text("Hi", FRM, TO, status_report=True, extra={"ttl": 5}, key="order-1")
    provider.accepts("abc")
    new = resend_text(old)
    assert (new.resend_of, new.status, new.provider_id) == (old, "sending", "abc")
    assert new.ref != old.ref
    assert (new.text, new.frm, new.to) == (old.text, old.frm, old.to)
    assert (new.status_report, new.extra, new.key) == (True, {"ttl": 5}, None)
    assert TextMessage.objects.get(pk=old.pk).status == old.status
    assert list(old.resends.all()) == [new]


def test_by_another_account_and_until_another_time(provider, settings):
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    new = resend_text(stored(status="unknown"), using="alerts", expires=timedelta(hours=1))
    assert new.account == "alerts"
    assert provider.sent[0].expires_on is not None


@pytest.mark.parametrize(
    "status", [status for status in Status if status not in (Status.CREATED, Status.RECEIVED)]
)
def test_whatever_became_of_it(provider, status):
    assert resend_text(stored(status=status)).status == "sending"


def test_one_whose_turn_never_came_goes_out_as_the_new_one_alone(provider):
    old = stored(key="order-1")
    assert resend_text(old).status == "sending"
    assert TextMessage.objects.get(pk=old.pk).status == "cancelled"
    assert send_text("Hi", FRM, TO, key="order-1").status == "cancelled"
    assert len(provider.sent) == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"direction": "incoming", "status": "received"}, "incoming"),
        ({"due_on": timezone.now()}, "waits"),
        ({"attempted_on": timezone.now(), "attempts": 1}, "under way"),
    ],
    ids=["incoming", "waiting", "under way"],
)
@pytest.mark.parametrize("fail_silently", [True, False])
def test_what_is_not_to_be_sent_again(provider, columns, words, fail_silently):
    old = stored(**columns)
    with pytest.raises(ValueError, match=words):
        resend_text(old, fail_silently=fail_silently)
    assert TextMessage.objects.count() == 1
    assert provider.sent == []


def test_it_is_judged_by_the_row_and_not_by_an_old_instance(provider):
    old = stored(status="unknown")
    TextMessage.objects.update(status="created", due_on=timezone.now())
    with pytest.raises(ValueError, match="waits"):
        resend_text(old)


def test_once_and_then_the_newer_one(provider):
    old = stored(status="unknown")
    new = resend_text(old)
    with pytest.raises(ValueError, match=new.ref):
        resend_text(old)
    assert resend_text(new).resend_of == new


@committed
def test_of_two_at_once_one_sends(provider):
    old = stored(status="unknown")
    results: list[object] = []

    def press() -> None:
        try:
            results.append(resend_text(TextMessage.objects.get(pk=old.pk)))
        except ValueError as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert len(provider.sent) == 1


def test_a_failure_is_silent_or_raised(provider):
    provider.fails(TemporarilyUnavailable("later"))
    assert resend_text(stored(status="unknown")).status == "failed"
    with pytest.raises(TemporarilyUnavailable):
        resend_text(stored(status="unknown"), fail_silently=False)


def test_what_cannot_be_sent_any_more_is_refused(provider):
    new = resend_text(stored(status="unknown", text=""))
    assert (new.status, new.error_kind) == ("refused", "InvalidText")


def test_an_account_that_is_gone(provider):
    with pytest.raises(AccountNotFound):
        resend_text(stored(status="unknown", account="gone"))
    assert TextMessage.objects.count() == 1


@pytest.mark.parametrize("message", [None, "ref", 7], ids=repr)
def test_what_is_no_message(provider, message):
    with pytest.raises(TypeError, match="message"):
        resend_text(message)


def test_one_that_is_not_stored(provider):
    with pytest.raises(ValueError, match="not stored"):
        resend_text(TextMessage(text="Hi", frm=FRM, to=TO))
