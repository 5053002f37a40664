"""What ends a job is raised whatever ``fail_silently`` says, once it is recorded as unknown."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from contextlib import contextmanager

import pytest

from djsms import SendResult, enqueue_text, hookimpl, queue, send_text, send_texts
from djsms.accounts import gateways
from djsms.models import TextMessage
from djsms.observing import observers
from djsms.observing.facts import Attempt
from djsms.sending import outcomes

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"


class SoftTimeLimitExceeded(Exception):
    """As billiard has it, which Celery runs its tasks with."""


class JobTimeoutException(Exception):
    """As RQ has it."""


class OurTimeLimit(SoftTimeLimitExceeded):
    """As a project derives its own."""


class AbortedByRunner(Exception):
    __module__ = "dramatiq.middleware.threading"


CALLS = {
    "send_text": lambda: send_text("a", FRM, TO),
    "loudly": lambda: send_text("a", FRM, TO, fail_silently=False),
    "send_texts": lambda: send_texts([("a", FRM, TO)] * 3),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "error",
    [
        SoftTimeLimitExceeded(),
        JobTimeoutException(),
        OurTimeLimit(),
        AbortedByRunner(),
        KeyboardInterrupt(),
        SystemExit(),
        GeneratorExit(),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_is_recorded_as_unknown_and_raised(provider, call, error):
    provider.fails(error)
    with pytest.raises(type(error)) as caught:
        call()
    assert caught.value is error
    first, *rest = TextMessage.objects.order_by("pk")
    assert (first.status, first.error_kind) == ("unknown", "OutcomeUnknown")
    assert type(error).__name__ in first.error_text
    assert [(row.status, row.attempted_on) for row in rest] == [("created", None)] * len(rest)
    assert len(provider.sent) == 1


def test_a_backend_that_merely_times_out_ends_nothing(provider):
    provider.fails(TimeoutError())
    assert [message.status for message in send_texts([("a", FRM, TO)] * 2)] == ["unknown"] * 2


def test_a_signal_in_the_middle_of_calls_in_threads(database):
    """The real thing: the limit strikes while the calling thread waits."""
    called, go = threading.Event(), threading.Event()

    class Slow:
        @hookimpl
        def send(self, message):
            called.set()
            go.wait(20)
            return SendResult.accepted(message.ref)

    def limit(*args):
        go.set()
        raise SoftTimeLimitExceeded

    def strike():
        called.wait(20)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, limit)
    striker = threading.Thread(target=strike)
    striker.start()
    try:
        with gateways.replaced(lambda alias: Slow()), pytest.raises(SoftTimeLimitExceeded):
            send_texts([(str(n), FRM, TO) for n in range(60)], concurrency=2)
    finally:
        signal.signal(signal.SIGUSR1, before)
        striker.join()
    rows = TextMessage.objects.all()
    assert {(row.status, row.attempted_on is None) for row in rows} == {
        ("sending", False),
        ("created", True),
    }


def test_the_second_signal_waits_for_no_call(database):
    called, struck, go = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        @hookimpl
        def send(self, message):
            called.set()
            go.wait(5)
            return SendResult.accepted(message.ref)

    def limit(*args):
        struck.set()
        raise SoftTimeLimitExceeded

    def strike_twice():
        called.wait(20)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        struck.wait(20)
        time.sleep(0.1)  # until the calls under way are waited for
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, limit)
    striker = threading.Thread(target=strike_twice)
    striker.start()
    start = time.monotonic()
    try:
        with gateways.replaced(lambda alias: Slow()), pytest.raises(SoftTimeLimitExceeded):
            send_texts([(str(n), FRM, TO) for n in range(3)], concurrency=2)
        seconds = time.monotonic() - start
    finally:
        go.set()
        striker.join()
        signal.signal(signal.SIGUSR1, before)
    assert seconds < 5


def test_one_that_strikes_while_the_answer_is_stored(provider, monkeypatch):
    enter, tries = outcomes.enter_answer, []

    def struck(*args, **kwargs):
        tries.append(args)
        if len(tries) == 1:
            raise SoftTimeLimitExceeded
        return enter(*args, **kwargs)

    monkeypatch.setattr(outcomes, "enter_answer", struck)
    provider.accepts("abc")
    with pytest.raises(SoftTimeLimitExceeded):
        send_text("a", FRM, TO)
    row = TextMessage.objects.get()
    assert (row.status, row.provider_id, row.events.count()) == ("sending", "abc", 1)


class Struck:
    """An observer in which the time limit strikes, and one after it that sees what is left."""

    def __init__(self, when, error):
        self.when, self.error, self.left = when, error, []
        observers.listen(self)

    @contextmanager
    def around(self, facts):
        if self.when == "before" and isinstance(facts, Attempt):
            raise self.error
        try:
            yield
        finally:
            self.left.append(type(facts))
        if self.when == "after" and isinstance(facts, Attempt):
            raise self.error


@pytest.fixture
def observed():
    yield Struck
    observers.silence()


STRIKES = [SoftTimeLimitExceeded(), KeyboardInterrupt()]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("error", STRIKES, ids=lambda error: type(error).__name__)
def test_one_that_strikes_while_observers_are_left_costs_no_answer(provider, observed, call, error):
    first, struck = observed("never", error), observed("after", error)
    with pytest.raises(type(error)) as caught:
        call()
    assert caught.value is error
    row = TextMessage.objects.order_by("pk").first()
    assert (row.status, row.provider_id) == ("sending", f"id-{row.ref}")
    assert first.left == struck.left == [Attempt]


@pytest.mark.parametrize("error", STRIKES, ids=lambda error: type(error).__name__)
def test_one_that_strikes_while_observers_are_entered_keeps_the_call_from_being_made(
    provider, observed, error
):
    first = observed("never", error)
    observed("before", error)
    with pytest.raises(type(error)):
        send_text("a", FRM, TO)
    row = TextMessage.objects.get()
    assert (row.status, row.error_kind) == ("failed", "TemporarilyUnavailable")
    assert not provider.sent
    assert first.left == [Attempt]


def test_one_that_strikes_while_the_attempt_is_logged_costs_no_answer(provider):
    def strike(record):
        if record.msg.startswith("Attempt"):
            raise SoftTimeLimitExceeded
        return True

    logger = logging.getLogger("djsms")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addFilter(strike)
    try:
        with pytest.raises(SoftTimeLimitExceeded):
            send_text("a", FRM, TO)
    finally:
        logger.removeFilter(strike)
        logger.setLevel(level)
    assert TextMessage.objects.get().status == "sending"


def test_one_that_strikes_in_the_queue_costs_no_answer(provider, observed):
    observed("after", SoftTimeLimitExceeded())
    enqueue_text("a", FRM, TO)
    with pytest.raises(SoftTimeLimitExceeded):
        queue.drain()
    assert TextMessage.objects.get().status == "sending"
