"""Calls that never come back: those of a worker that died are given up, and no others."""

from __future__ import annotations

from datetime import timedelta

import pytest

from djsms import Status, enqueue_text
from djsms.accounts import gateways
from djsms.exceptions import TemporarilyUnavailable
from djsms.ledger import clock
from djsms.ledger.statuses import put_back
from djsms.models import TextMessage, Worker
from djsms.waiting.units import claim_units
from djsms.waiting.upkeep import give_up, give_up_calls_of_the_dead

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database", "provider"),
]


def worker(seconds: float) -> Worker:
    """One that was seen so long ago."""
    now = clock.now()
    seen_on = clock.stored(now - timedelta(seconds=seconds))
    return Worker.objects.create(host="h", pid=1, started_on=clock.stored(now), seen_on=seen_on)


def claimed_by(worker: Worker | None = None) -> TextMessage:
    message = enqueue_text("Hi", "Bistro", "+447700900123", False)
    claim_units(gateways.get("default"), str(worker.pk) if worker else "", 1)
    message.refresh_from_db()
    return message


def test_those_of_a_worker_that_died_are_of_unknown_outcome() -> None:
    message = claimed_by(worker(seconds=70))
    assert give_up_calls_of_the_dead() == 1
    message.refresh_from_db()
    assert message.status is Status.UNKNOWN
    assert not Worker.objects.exists()


def test_those_of_a_worker_that_lives_go_on_beside() -> None:
    living = worker(seconds=50)
    worker(seconds=70)
    message = claimed_by(living)
    assert give_up_calls_of_the_dead() == 0
    message.refresh_from_db()
    assert message.status is Status.CREATED
    assert Worker.objects.get() == living


def test_one_that_came_back_meanwhile_is_not_given_up() -> None:
    message = claimed_by()
    looked_at = TextMessage.objects.get()
    put_back(message, TemporarilyUnavailable("down"), due_on=clock.stored(clock.now()))
    assert not give_up(looked_at, "It never came back.")
    assert TextMessage.objects.get().status is Status.CREATED


def test_nor_if_it_is_called_for_anew_meanwhile() -> None:
    message = claimed_by()
    looked_at = TextMessage.objects.get()
    put_back(message, TemporarilyUnavailable("down"), due_on=clock.stored(clock.now()))
    claim_units(gateways.get("default"), "", 1)
    assert not give_up(looked_at, "It never came back.")
    assert TextMessage.objects.get().status is Status.CREATED


def test_nor_one_that_waits_though_it_was_called_for_before() -> None:
    message = claimed_by()
    TextMessage.objects.update(due_on=clock.stored(clock.now()))
    assert not give_up(message, "It never came back.")
