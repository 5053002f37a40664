"""What ends a job is raised whatever ``fail_silently`` says, once it is recorded as unknown."""

from __future__ import annotations

import asyncio
import signal
import threading

import pytest

from djsms import SendResult, hookimpl, send_text, send_texts
from djsms.accounts import gateways
from djsms.models import TextMessage
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
