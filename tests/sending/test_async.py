"""Asynchronous code: calls overlap, rows are Django's thread's, and nothing is lost by a cancel."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connections
from django.http import HttpResponse
from django.test import AsyncClient, TestCase
from django.urls import path

from djsms import SendResult, asend_text, asend_texts, hookimpl
from djsms.accounts import gateways
from djsms.exceptions import Refused
from djsms.models import TextMessage

FRM, TO = "+447700900001", "+447700900002"
WAIT = 20  # seconds, for what must happen


class Meeting:
    """A backend whose calls wait for each other."""

    def __init__(self, size: int) -> None:
        self.barrier = threading.Barrier(size, timeout=WAIT)

    @hookimpl
    def send(self, message):
        self.barrier.wait()
        return SendResult.accepted(message.ref)


async def gathered(count: int) -> list[TextMessage]:
    return await asyncio.gather(*(asend_text(str(n), FRM, TO) for n in range(count)))


def assert_overlapping() -> None:
    with gateways.replaced(lambda alias: Meeting(10)):
        sent = async_to_sync(gathered)(10)
    assert {message.status for message in sent} == {"sending"}
    assert TextMessage.objects.filter(status="sending").count() == 10


@pytest.mark.django_db(databases="__all__")
def test_calls_overlap_inside_a_transaction(database):
    assert_overlapping()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_calls_overlap(database):
    assert_overlapping()


class InATestCase(TestCase):
    def test_calls_overlap(self):
        assert_overlapping()

    async def test_calls_overlap_in_an_async_test(self):
        with gateways.replaced(lambda alias: Meeting(10)):
            sent = await gathered(10)
        assert {message.status for message in sent} == {"sending"}

    async def test_many(self):
        with gateways.replaced(lambda alias: Meeting(5)):
            sent = await asend_texts([(str(n), FRM, TO) for n in range(20)], concurrency=5)
        assert [message.text for message in sent] == [str(n) for n in range(20)]
        assert {message.status for message in sent} == {"sending"}


async def view(request):
    sent = await gathered(5)
    return HttpResponse(" ".join(message.status for message in sent))


urlpatterns = [path("send/", view)]


@pytest.mark.django_db
def test_under_asgi(settings):
    settings.ROOT_URLCONF = __name__
    with gateways.replaced(lambda alias: Meeting(5)):
        response = async_to_sync(AsyncClient().get)("/send/")
    assert response.content == b"sending sending sending sending sending"


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestTheRest:
    @pytest.fixture(autouse=True)
    def _database(self, database):
        pass

    def test_asend_text_is_as_send_text(self, provider):
        sent = async_to_sync(asend_text)("Hi", FRM, TO, key="k", expires=timedelta(hours=1))
        again = async_to_sync(asend_text)("Hi", FRM, TO, key="k")
        assert (again.pk, again.status, len(provider.sent)) == (sent.pk, "sending", 1)
        assert provider.sent[0].expires_on is not None
        assert async_to_sync(asend_text)("Hi", FRM, "nobody").status == "refused"
        provider.fails(Refused("no"))
        with pytest.raises(Refused):
            async_to_sync(asend_text)("Hi", FRM, TO, fail_silently=False)
        with pytest.raises(TypeError, match="to"):
            async_to_sync(asend_text)("Hi", FRM, None)

    def test_many_batches_overlap(self):
        async def both():
            messages = [(str(n), FRM, TO) for n in range(6)]
            return await asyncio.gather(
                asend_texts(messages, concurrency=3), asend_texts(messages, concurrency=3)
            )

        with gateways.replaced(lambda alias: Meeting(6)):
            first, second = async_to_sync(both)()
        assert {message.status for message in [*first, *second]} == {"sending"}

    def test_a_batch_raises_as_send_texts_does(self, provider):
        with pytest.raises(TypeError, match="index 0"):
            async_to_sync(asend_texts)([7])

    def test_a_cancelled_call_is_recorded(self):
        called, go = threading.Event(), threading.Event()

        class Slow:
            @hookimpl
            def send(self, message):
                called.set()
                go.wait(WAIT)
                return SendResult.accepted("abc")

        async def cancelled():
            task = asyncio.ensure_future(asend_text("Hi", FRM, TO))
            await asyncio.to_thread(called.wait, WAIT)
            task.cancel()
            await asyncio.sleep(0)
            go.set()
            await task

        with gateways.replaced(lambda alias: Slow()), pytest.raises(asyncio.CancelledError):
            async_to_sync(cancelled)()
        row = TextMessage.objects.get()
        assert (row.status, row.provider_id) == ("sending", "abc")

    def test_a_cancelled_batch_ends_in_good_order(self):
        called, go = threading.Event(), threading.Event()

        class Slow:
            @hookimpl
            def send(self, message):
                called.set()
                go.wait(WAIT)
                return SendResult.accepted(message.ref)

        async def cancelled():
            messages = [(str(n), FRM, TO) for n in range(60)]
            task = asyncio.ensure_future(asend_texts(messages, concurrency=2))
            await asyncio.to_thread(called.wait, WAIT)
            task.cancel()
            await asyncio.sleep(0)
            go.set()
            await task

        with gateways.replaced(lambda alias: Slow()), pytest.raises(asyncio.CancelledError):
            async_to_sync(cancelled)()
        rows = TextMessage.objects.all()
        assert {(row.status, row.attempted_on is None) for row in rows} == {
            ("sending", False),
            ("created", True),
        }

    def test_no_thread_of_ours_keeps_a_connection(self, provider, settings, database):
        settings.DJSMS_EXTENSIONS = [f"{__name__}.UsesTheOrm"]
        opened = []
        connect = type(connections[database]).connect

        def noted(self):
            opened.append((threading.current_thread().name, self))
            connect(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(connections[database]), "connect", noted)
            async_to_sync(gathered)(5)
        theirs = [one for name, one in opened if name.startswith("djsms")]
        assert theirs
        assert [one for one in theirs if one.connection is not None] == []


class UsesTheOrm:
    """An extension that asks the database during the call."""

    @hookimpl(wrapper=True)
    def send(self, message):
        TextMessage.objects.count()
        return (yield)


@pytest.mark.django_db
def test_extensions_see_what_an_open_transaction_holds(provider, settings):
    settings.DJSMS_EXTENSIONS = [f"{__name__}.UsesTheOrm"]
    assert {message.status for message in async_to_sync(gathered)(3)} == {"sending"}
