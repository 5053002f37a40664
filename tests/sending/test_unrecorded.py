"""A text that is out is recorded, or else said to be out: never taken for one that was not sent."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import OperationalError, connections
from django.db.models.signals import post_save

from djsms import SendResult, send_text, send_texts
from djsms.exceptions import TemporarilyUnavailable
from djsms.models import TextMessage
from djsms.sending import outcomes

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"


@pytest.fixture
def other(database) -> Iterator[psycopg.Connection]:
    """Another connection to the same PostgreSQL."""
    if database != "postgresql":
        pytest.skip("locks and kills as PostgreSQL does")
    other = connections.create_connection(database)
    other.ensure_connection()
    yield other.connection
    other.close()


def test_a_row_that_somebody_else_locks_for_a_while(provider, other, database):
    other.autocommit = False

    def answer(message):
        other.execute("SELECT 1 FROM djsms_textmessage WHERE ref = %s FOR UPDATE", [message.ref])
        return SendResult.accepted("abc")

    enter, tries = outcomes.enter_answer, []

    def noted(*args, **kwargs):
        tries.append(args)
        if len(tries) == 3:
            other.rollback()
        with connections[database].cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        return enter(*args, **kwargs)

    provider.answer = answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcomes, "enter_answer", noted)
        message = send_text("Hi", FRM, TO)
    row = TextMessage.objects.get()
    assert (message.status, row.status, row.provider_id) == ("sending", "sending", "abc")


def test_a_connection_that_dies_when_receivers_are_told(provider, other, database):
    other.autocommit = True

    def kill(instance, created, **kwargs):
        if not created:
            pid = connections[database].connection.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    post_save.connect(kill, sender=TextMessage)
    try:
        assert send_text("Hi", FRM, TO).status == "sending"
    finally:
        post_save.disconnect(kill, sender=TextMessage)
    assert TextMessage.objects.get().status == "sending"


class TestForGood:
    """The database takes no answer any more."""

    @pytest.fixture(autouse=True)
    def refusing(self, monkeypatch):
        def refuse(*args, **kwargs):
            raise OperationalError("the disk is full")

        monkeypatch.setattr(outcomes, "enter_answer", refuse)
        monkeypatch.setattr("djsms.ledger.transactions.PAUSE", 0)

    def test_is_raised_as_itself_and_says_that_the_text_is_out(self, provider, caplog):
        provider.accepts("abc")
        with pytest.raises(OperationalError, match="the disk is full") as caught:
            send_text("Hi", FRM, TO)
        row = TextMessage.objects.get()
        (note,) = caught.value.__notes__
        assert "was handed to the provider" in note
        for told in (note, caplog.text):
            assert row.ref in told
            assert "abc" in told
        assert row.attempted_on is not None

    def test_of_many_all_ids_are_logged(self, provider, caplog):
        provider.answer = lambda message: SendResult.accepted(f"id-{message.text}")
        with pytest.raises(OperationalError):
            send_texts([(str(n), FRM, TO) for n in range(9)], concurrency=3)
        for text in provider.sent:
            assert f"id-{text.text}" in caplog.text


def test_a_connection_that_dies_before_another_account_takes_over(
    provider, other, database, settings
):
    settings.DJSMS_FALLBACK = "second"
    settings.DJSMS_ACCOUNTS = {"second": {"BACKEND": "memory"}}
    calls = []

    def answer(message):
        calls.append(message)
        if len(calls) == 1:
            other.autocommit = True
            pid = connections[database].connection.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            raise TemporarilyUnavailable("closed")
        return SendResult.accepted("abc")

    provider.answer = answer
    message = send_text("Hi", FRM, TO)
    row = TextMessage.objects.get()
    assert (message.status, row.status, row.account) == ("sending", "sending", "second")
