"""The one way back: a text that surely did not go out waits again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.models.signals import post_save
from django.utils import timezone

from djsms import SendResult, SentPart, Status, StatusReport, send_text
from djsms.exceptions import (
    InsufficientFunds,
    OutcomeUnknown,
    Refused,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.ledger import statuses
from djsms.ledger.statuses import kind_of, pass_over, put_back
from djsms.models import StatusEvent, TextMessage
from djsms.receiving.reports import take_report
from djsms.sending import outcomes
from djsms.sending.outcomes import record_answer, record_failure

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"


def at_once(work: Callable[[], Any]) -> None:
    """Do the work on a connection of its own, and commit it."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def stored(message: TextMessage) -> TextMessage:
    return TextMessage.objects.get(pk=message.pk)


def a_text(**fields: Any) -> TextMessage:
    return TextMessage.objects.create(frm=FRM, to=TO, text="Hi", **fields)


def in_flight(**fields: Any) -> TextMessage:
    return a_text(attempted_on=timezone.now(), attempts=1, **fields)


def unsent(**fields: Any) -> TextMessage:
    values = {"status": "failed", "error_kind": "Throttled", "error_code": "429", "attempts": 1}
    return a_text(attempted_on=timezone.now(), **values | fields)


def test_a_text_in_flight_waits_again_with_what_kept_it():
    message, later = in_flight(), timezone.now() + timedelta(seconds=30)
    assert put_back(message, InsufficientFunds("no credit", code="9"), due_on=later)
    for row in (message, stored(message)):
        assert (row.status, row.due_on, row.attempted_on) == ("created", later, None)
        assert (row.error_kind, row.error_code, row.error_text) == (
            "InsufficientFunds",
            "9",
            "no credit",
        )


def test_a_text_that_surely_was_not_taken_waits_again_with_its_own_error():
    message = unsent()
    assert put_back(message)
    row = stored(message)
    assert (row.status, row.due_on, row.attempted_on) == ("created", None, None)
    assert (row.error_kind, row.error_code) == ("Throttled", "429")


def test_each_attempt_is_an_event_of_its_number():
    message = in_flight()
    for number in (1, 2):
        assert put_back(message, Throttled("too fast"))
        event = StatusEvent.objects.latest("pk")
        assert (event.source, event.number, event.status) == ("attempt", number, "failed")
        TextMessage.objects.update(attempted_on=timezone.now(), attempts=number + 1)
        message = stored(message)


def test_receivers_are_told(django_capture_on_commit_callbacks):
    message, told = unsent(), []

    def hear(instance, update_fields, **kwargs):
        told.append((instance.status, "status" in update_fields))

    post_save.connect(hear, sender=TextMessage)
    try:
        put_back(message)
    finally:
        post_save.disconnect(hear, sender=TextMessage)
    assert told == [("created", True)]


@pytest.mark.parametrize("status", [s.value for s in Status if s not in ("created", "failed")])
def test_no_other_status_is_left_backwards(status):
    message = unsent(status=status)
    assert not put_back(message)
    assert stored(message).status == status


@pytest.mark.parametrize("kind", ["", "OutcomeUnknown", "Refused", "InvalidText"])
def test_a_text_that_failed_otherwise_stays_failed(kind):
    assert not put_back(unsent(error_kind=kind))


def test_a_text_of_which_a_part_was_taken_stays_failed(provider):
    provider.answers(
        SentPart(provider_id="a"), SentPart(status=Status.FAILED, error_text="no connection")
    )
    message = send_text("x" * 200, FRM, TO)
    TextMessage.objects.update(error_kind="TemporarilyUnavailable")
    assert not put_back(stored(message))


def test_a_text_that_the_provider_reported_on_stays_failed():
    message = unsent()
    take_report("default", StatusReport(ref=message.ref, status=Status.SENT))
    assert not put_back(message)


def test_a_waiting_text_is_not_in_flight():
    assert not put_back(a_text(due_on=timezone.now()), Throttled("too fast"))
    assert not put_back(a_text(), Throttled("too fast"))


def test_an_instance_of_an_earlier_attempt_puts_nothing_back():
    message = in_flight()
    TextMessage.objects.update(attempts=2)
    assert not put_back(message, Throttled("too fast"))


@pytest.mark.django_db(databases="__all__", transaction=True)
@pytest.mark.parametrize(
    ("undo", "account"),
    [(put_back, "default"), (partial(pass_over, account="second"), "second")],
    ids=["put back", "passed over"],
)
def test_one_whose_first_try_the_database_took_back_is_undone_by_the_second(
    monkeypatch, undo, account
):
    insert, tries = statuses.insert_unless_there, []

    def failing_once(event):
        tries.append(event)
        if len(tries) == 1:
            raise OperationalError("deadlock")
        insert(event)

    message = in_flight()
    monkeypatch.setattr(statuses, "insert_unless_there", failing_once)
    assert undo(message, Throttled("too fast"))
    row = stored(message)
    assert (row.error_kind, row.account) == ("Throttled", account)
    assert StatusEvent.objects.count() == 1


def test_a_text_of_unknown_outcome_never_waits_again():
    with pytest.raises(ValueError, match="may have gone out"):
        put_back(in_flight(), OutcomeUnknown("timed out"))


def test_a_report_takes_a_waiting_text_out_of_the_queue():
    message = a_text(due_on=timezone.now())
    take_report("default", StatusReport(ref=message.ref, status=Status.SENT))
    row = stored(message)
    assert (row.status, row.due_on) == ("sent", None)


def test_the_kind_of_an_error_is_the_class_of_ours_that_it_comes_from():
    class Maintenance(TemporarilyUnavailable):
        pass

    assert kind_of(Maintenance("tonight")) == "TemporarilyUnavailable"
    assert kind_of(Refused("no")) == "Refused"


def test_an_attempt_that_another_account_follows_leaves_the_text_in_flight():
    message = in_flight()
    assert pass_over(message, Throttled("too fast", code="429"), account="second", backend="other")
    for row in (message, stored(message)):
        assert (row.status, row.attempts, row.due_on) == ("created", 2, None)
        assert row.attempted_on is not None
        assert (row.account, row.backend, row.error_code) == ("second", "other", "429")


def test_and_is_kept_as_an_event_of_the_account_that_made_it():
    message = in_flight()
    pass_over(message, Throttled("too fast", code="429"), account="second")
    event = StatusEvent.objects.get()
    assert (event.source, event.number, event.account) == ("attempt", 1, "default")
    assert event.ref == message.ref
    assert (event.status, event.error_code, event.error_text) == ("failed", "429", "too fast")


def test_no_account_follows_on_a_text_that_the_provider_reported_on():
    message = in_flight()
    take_report("default", StatusReport(ref=message.ref, status=Status.SENT))
    assert not pass_over(message, Throttled("too fast"), account="second")
    assert stored(message).account == "default"


@pytest.mark.parametrize("fields", [{"attempted_on": None}, {"attempts": 2}, {"status": "failed"}])
def test_no_account_follows_on_an_attempt_that_is_not_in_flight(fields):
    message = in_flight()
    TextMessage.objects.update(**fields)
    assert not pass_over(message, Throttled("too fast"), account="second")


class TestOutcomeOfAnAttemptThatWasUndone:
    """It is recorded once more, as after a COMMIT whose acknowledgement was lost."""

    def test_does_not_end_the_text_that_waits(self):
        message = in_flight()
        late = stored(message)
        put_back(message, TemporarilyUnavailable("closed"))
        record_failure(late, TemporarilyUnavailable("closed"))
        assert stored(message).status == "created"

    def test_does_not_end_the_attempt_that_follows(self):
        message = in_flight()
        late = stored(message)
        pass_over(message, TemporarilyUnavailable("closed"), account="second")
        record_failure(late, TemporarilyUnavailable("closed"))
        assert stored(message).status == "created"

    def test_counts_if_it_is_that_the_text_was_taken_after_all(self):
        message = in_flight()
        late = stored(message)
        put_back(message, TemporarilyUnavailable("closed"))
        record_answer(late, SendResult.accepted("1"))
        assert stored(message).status == "sending"

    @pytest.mark.django_db(databases="__all__", transaction=True)
    def test_does_not_end_the_attempt_that_follows_if_it_is_stored_in_a_second_try(
        self, monkeypatch
    ):
        message, tries = in_flight(), []
        enter = outcomes.enter_answer

        def lost(*args, **kwargs):
            tries.append(args)
            if len(tries) == 1:
                at_once(lambda: TextMessage.objects.update(attempts=2))
                raise OperationalError("the connection is lost")
            return enter(*args, **kwargs)

        monkeypatch.setattr(outcomes, "enter_answer", lost)
        record_failure(message, TemporarilyUnavailable("closed"))
        assert len(tries) == 2
        assert stored(message).status == "created"


def test_how_it_waits_changes_in_the_same_moment():
    heard: list[Any] = []

    def hear(instance, **kwargs):
        heard.append(TextMessage.objects.get(pk=instance.pk).lane)

    message = unsent(lane=2)
    post_save.connect(hear, sender=TextMessage)
    try:
        assert put_back(message, due_on=timezone.now(), lane=0)
    finally:
        post_save.disconnect(hear, sender=TextMessage)
    assert heard == [0]
