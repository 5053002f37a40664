"""However many texts there are, few of them are held at a time."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db.models.signals import post_init
from scripted import Provider

from djsms import enqueue_texts, queue, send_texts
from djsms.models import StatusEvent, TextMessage

pytestmark = pytest.mark.django_db

LOT = 500


class Held:
    """How many rows of a model are in memory, and were at most."""

    def __init__(self) -> None:
        self.now = self.most = 0

    def add(self, instance: Any, **kwargs: Any) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        weakref.finalize(instance, self.drop)

    def drop(self) -> None:
        self.now -= 1


@contextmanager
def held(model: type[TextMessage | StatusEvent]) -> Iterator[Held]:
    rows = Held()
    post_init.connect(rows.add, sender=model)
    try:
        yield rows
    finally:
        post_init.disconnect(rows.add, sender=model)


def messages(count: int) -> Iterator[tuple[str, str, str]]:
    return (("Hi", "Bistro", "+447700900123") for _ in range(count))


def test_enqueuing_holds_two_lots_at_most(provider: Provider) -> None:
    with held(TextMessage) as rows:
        assert enqueue_texts(messages(3 * LOT)) == 3 * LOT
    assert LOT <= rows.most <= 2 * LOT + 1
    assert rows.now == 0


def test_drain_holds_the_text_that_is_sent_and_the_last_one(provider: Provider) -> None:
    enqueue_texts(messages(40))
    with held(TextMessage) as rows:
        assert queue.drain() == 40
    assert 1 <= rows.most <= 2
    assert rows.now == 0


def test_sending_many_holds_nothing_beside_the_list_that_it_returns(provider: Provider) -> None:
    with held(TextMessage) as rows, held(StatusEvent) as events:
        sent = send_texts(messages(100))
    assert rows.now == len(sent) == 100
    assert 1 <= events.most <= 2
    assert events.now == 0
