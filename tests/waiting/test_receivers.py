"""What receivers of ``post_save`` raise: it costs no text its turn, and keeps no other from its."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.signals import post_save
from django.utils import timezone
from scripted import Provider

from djsms import Status, enqueue_text, queue
from djsms.accounts import gateways
from djsms.exceptions import TemporarilyUnavailable
from djsms.models import Gate, TextMessage, Worker
from djsms.waiting import gates
from djsms.waiting.crews import Crew
from djsms.waiting.units import claim_units
from djsms.waiting.upkeep import give_up_calls_of_the_dead

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)


class Upset(Exception):
    """What a receiver raises."""


@contextmanager
def upset_by(status: Status) -> Iterator[None]:
    def receiver(instance: TextMessage, created: bool, **kwargs: Any) -> None:
        if instance.status is status and not created:
            raise Upset

    post_save.connect(receiver, sender=TextMessage)
    try:
        yield
    finally:
        post_save.disconnect(receiver, sender=TextMessage)


def waits(text: str = "Hi") -> TextMessage:
    return enqueue_text(text, "Bistro", "+447700900123", False)


def test_text_that_was_surely_not_taken_waits_on(database: str, provider: Provider) -> None:
    provider.fails(TemporarilyUnavailable("down"))
    message = waits()
    with upset_by(Status.CREATED):
        queue.drain()
    message.refresh_from_db()
    assert message.status is Status.CREATED
    assert message.due_on is not None
    assert message.attempted_on is None


def test_text_whose_time_is_over_ends_and_the_next_one_is_sent(
    database: str, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    late, other = waits("late"), waits("in time")
    hour_ago = timezone.now() - timedelta(hours=1)
    TextMessage.objects.filter(pk=late.pk).update(expires_on=hour_ago, due_on=hour_ago)
    with upset_by(Status.EXPIRED):
        assert queue.drain() == 1
    late.refresh_from_db()
    other.refresh_from_db()
    assert (late.status, other.status) == (Status.EXPIRED, Status.SENDING)
    assert "Upset" in caplog.text


def test_calls_of_a_worker_that_died_are_given_up_each_by_itself(
    database: str, provider: Provider
) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    worker = Worker.objects.create(host="h", pid=1, started_on=hour_ago, seen_on=hour_ago)
    for text in ("one", "two"):
        waits(text)
    TextMessage.objects.update(due_on=None, attempted_on=hour_ago, attempts=1, worker=worker.pk)
    with upset_by(Status.UNKNOWN):
        give_up_calls_of_the_dead()
    assert not Worker.objects.exists()


def test_account_that_had_closed_opens_for_the_others(database: str, provider: Provider) -> None:
    Gate.objects.create(account="default", failures=5, closings=1)
    waits("tries the provider")
    waits("next")
    with upset_by(Status.SENDING):
        queue.drain()
    assert len(provider.sent) == 2


def test_outcomes_that_a_worker_kept_are_all_stored(
    database: str, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    waits("one")
    waits("two")
    crew = Crew(1)
    _, crew.unsettled = claim_units(gateways.get("default"), "me", 2)
    for unit in crew.unsettled:
        unit.call()
    with upset_by(Status.SENDING):
        crew.settle()
    assert set(TextMessage.objects.values_list("status", flat=True)) == {Status.SENDING}
    assert not crew.unsettled
    assert caplog.text.count("its receivers failed") == 2


def test_text_is_enqueued_though_what_follows_the_commit_fails(
    database: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise Upset

    # A gate that is missing is made by whoever claims.
    monkeypatch.setattr(gates, "make", fail)
    monkeypatch.setattr(gates, "_provided", set())
    assert waits().due_on is not None


def test_reason_of_a_pause_is_cleaned(database: str, provider: Provider) -> None:
    queue.pause("default", "half \ud83c and NUL \0")
    assert queue.state().accounts[0].reason == "half \ufffd and NUL "
