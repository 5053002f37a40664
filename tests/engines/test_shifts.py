"""A shift is bounded, and sees to it that somebody goes on; a sweep wakes whoever was not woken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from djsms import (
    OutgoingText,
    SendResult,
    SentText,
    Status,
    StatusReport,
    engines,
    enqueue_text,
    enqueue_texts,
    hookimpl,
    queue,
)
from djsms.accounts import gateways
from djsms.backends import LocalBackend
from djsms.exceptions import AccountNotFound, OutcomeUnknown
from djsms.models import TextMessage
from djsms.waiting import shifts

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

ALICE = "+447700900123"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "TRIAL", 2)
    monkeypatch.setattr(shifts, "TEXTS", 5)


def waits(count: int, **fields: Any) -> None:
    enqueue_texts([("Hi", "Bistro", ALICE)] * count, **fields)


def test_sends_what_is_due(database: str, provider: Any, engine: Any) -> None:
    waits(4)
    engine.woken.clear()
    assert engines.drain_bounded("default") == 4
    assert len(provider.sent) == 4
    assert engine.woken == []


def test_ends_after_so_many_texts_and_has_the_engine_woken_for_the_others(
    provider: Any, engine: Any
) -> None:
    waits(5)
    engine.woken.clear()
    assert engines.drain_bounded("default") == 5
    assert engine.woken == []
    waits(5)
    enqueue_text("Hi", "Bistro", ALICE, priority="bulk")
    engine.woken.clear()
    assert engines.drain_bounded("default") == 5
    assert engine.woken[-1] == "default"


def test_ends_after_some_time(provider: Any, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shifts, "SECONDS", 0.0)
    waits(3)
    engine.woken.clear()
    assert engines.drain_bounded("default") == 0
    assert engine.woken == ["default"]


def test_calls_for_help_if_there_is_more_than_it_can_send(
    provider: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(8)
    sent = []
    monkeypatch.setattr(engine, "wake", lambda self, account: sent.append(len(provider.sent)))
    engines.drain_bounded("default")
    assert sent == [2, 5]


def test_calls_for_no_help_where_the_rate_is_the_limit(
    settings: Any, provider: Any, engine: Any
) -> None:
    settings.DJSMS_RATE = "5/s"
    waits(8)
    engine.woken.clear()
    engines.drain_bounded("default")
    assert engine.woken == ["default"]


def test_does_not_go_round_in_circles_for_an_account_that_is_paused(
    provider: Any, engine: Any
) -> None:
    waits(8)
    queue.pause("default")
    engine.woken.clear()
    assert engines.drain_bounded("default") == 0
    assert engine.woken == []


def test_an_account_that_is_not_there_is_told() -> None:
    with pytest.raises(AccountNotFound):
        engines.drain_bounded("lost")


class TestSweep:
    def test_wakes_for_what_became_due_in_the_meantime(self, settings: Any, engine: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}, "idle": {"BACKEND": "memory"}}
        waits(1, using="alerts", run_after=timedelta(hours=1))
        assert engines.sweep() == []
        TextMessage.objects.update(due_on=timezone.now() - timedelta(seconds=1))
        assert engines.sweep() == ["alerts"]
        assert engine.woken == ["alerts"]

    def test_tidies(self, engine: Any) -> None:
        waits(1)
        old = timezone.now() - timedelta(hours=1)
        TextMessage.objects.update(due_on=None, attempted_on=old, created_on=old)
        engines.sweep()
        assert TextMessage.objects.get().status is Status.UNKNOWN

    def test_asks_the_provider_about_texts_of_unknown_outcome(self, engine: Any) -> None:
        class Backend(LocalBackend):
            @hookimpl
            def send(self, message: OutgoingText) -> SendResult:
                raise OutcomeUnknown("no answer")

            @hookimpl
            def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
                return [
                    StatusReport(ref=message.ref, status=Status.DELIVERED) for message in messages
                ]

        with gateways.replaced(lambda alias: Backend()):
            waits(1)
            queue.drain()
            TextMessage.objects.update(attempted_on=timezone.now() - timedelta(hours=1))
            engines.sweep()
        assert TextMessage.objects.get().status is Status.DELIVERED

    def test_an_account_that_cannot_send_keeps_no_other_from_it(
        self, settings: Any, engine: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {
            "broken": {"BACKEND": "no-such-backend"},
            "alerts": {"BACKEND": "memory"},
        }
        waits(1, using="alerts")
        engine.woken.clear()
        assert engines.sweep() == ["alerts"]
