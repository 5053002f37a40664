"""The engine is woken after the commit, for accounts that have texts due."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from djsms import enqueue_text, enqueue_texts, queue
from djsms.accounts import engines
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

ALICE = "+447700900123"


@pytest.fixture(autouse=True)
def accounts(settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}


def waits(**fields: Any) -> TextMessage:
    return enqueue_text("Hi", "Bistro", ALICE, False, **fields)


def test_not_before_the_commit(database: str, engine: Any) -> None:
    with transaction.atomic(using=database):
        waits()
        assert engine.woken == []
    assert engine.woken == ["default"]


def test_outside_of_a_transaction_at_once(engine: Any) -> None:
    waits()
    waits()
    assert engine.woken == ["default", "default"]


def test_once_for_each_account_and_transaction(database: str, engine: Any) -> None:
    with transaction.atomic(using=database):
        for _ in range(3):
            waits()
            waits(using="alerts")
    assert sorted(engine.woken) == ["alerts", "default"]


def test_not_after_a_rollback(database: str, engine: Any) -> None:
    with transaction.atomic(using=database):
        waits()
        transaction.set_rollback(True, using=database)
    assert engine.woken == []
    waits()
    assert engine.woken == ["default"]


def test_if_the_savepoint_of_the_first_text_is_rolled_back(database: str, engine: Any) -> None:
    with transaction.atomic(using=database):
        with transaction.atomic(using=database):
            waits()
            transaction.set_rollback(True, using=database)
        waits()
    assert engine.woken == ["default"]


def test_again_in_the_next_transaction(database: str, engine: Any) -> None:
    for _ in range(2):
        with transaction.atomic(using=database):
            waits()
    assert engine.woken == ["default", "default"]


def test_not_for_what_goes_later_or_is_refused(engine: Any) -> None:
    waits(run_after=timedelta(hours=1))
    enqueue_text("Hi", "Bistro", "no number")
    assert engine.woken == []


def test_once_for_each_lot_of_many(engine: Any) -> None:
    enqueue_texts([("Hi", "Bistro", ALICE)] * 501)
    assert engine.woken == ["default", "default"]


def test_when_an_account_is_resumed(engine: Any) -> None:
    queue.pause("alerts")
    assert engine.woken == []
    queue.resume("alerts")
    assert engine.woken == ["alerts"]


def test_for_the_account_that_takes_over(settings: Any, engine: Any, provider: Any) -> None:
    from djsms.exceptions import TemporarilyUnavailable

    settings.DJSMS_ACCOUNTS = {
        "alerts": {"BACKEND": "memory", "FALLBACK": "spare"},
        "spare": {"BACKEND": "memory"},
    }
    provider.fails(TemporarilyUnavailable("down"))
    waits(using="alerts")
    queue.drain("alerts", limit=1)
    assert engine.woken == ["alerts", "spare"]


class TestFailure:
    def test_costs_no_text_and_is_logged_once(
        self, engine: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine.error = ConnectionRefusedError("no broker")
        with caplog.at_level(logging.INFO, "djsms"):
            waits()
            waits()
        assert TextMessage.objects.filter(due_on__isnull=False).count() == 2
        [record] = [record for record in caplog.records if record.levelname == "ERROR"]
        assert "ConnectionRefusedError: no broker" in record.getMessage()

    def test_is_not_tried_again_at_once_so_that_a_hanging_broker_holds_up_one_request_only(
        self, engine: Any
    ) -> None:
        engine.error = TimeoutError("no broker")
        waits()
        waits()
        assert engine.tries == 1

    def test_is_over_when_it_works_again(
        self, engine: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "QUIET", 0.0)
        engine.error = TimeoutError("no broker")
        with caplog.at_level(logging.INFO, "djsms"):
            waits()
            waits()
            engine.error = None
            waits()
            waits()
        assert engine.woken == ["default", "default"]
        said = [record.getMessage() for record in caplog.records if record.name == "djsms"]
        assert [words for words in said if "engine" in words] == [
            said[0],
            "The engine can be woken again",
        ]

    def test_skips_no_later_callback_of_the_project(self, database: str, engine: Any) -> None:
        engine.error = TimeoutError("no broker")
        done = []
        with transaction.atomic(using=database):
            waits()
            transaction.on_commit(lambda: done.append(True), using=database)
        assert done

    def test_an_unknown_engine_costs_no_text(
        self, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.DJSMS_ENGINE = "no-such-engine"
        assert waits().due_on
        assert "No installed engine is named 'no-such-engine'" in caplog.text
