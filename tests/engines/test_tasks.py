"""The engine ``tasks``: one task of Django's, that is given nothing but an account."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.core import checks
from django.db import transaction
from django.db.models.signals import post_save

from djsms import enqueue_text, enqueue_texts
from djsms.accounts.engines import TASKS_MODULE
from djsms.models import TextMessage
from djsms.waiting import shifts

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

ALICE = "+447700900123"
IMMEDIATE = f"{TASKS_MODULE}.backends.immediate.ImmediateBackend"
DUMMY = f"{TASKS_MODULE}.backends.dummy.DummyBackend"

tasks = import_module(TASKS_MODULE)


@pytest.fixture(autouse=True)
def engine(settings: Any) -> None:
    settings.DJSMS_ENGINE = "tasks"


def waits(text: str = "Hi") -> TextMessage:
    return enqueue_text(text, "Bistro", ALICE, False)


class TestAtOnce:
    """Django's default, for development: tasks run where they are enqueued."""

    def test_what_waits_is_sent_after_the_commit(self, database: str, provider: Any) -> None:
        with transaction.atomic(using=database):
            waits()
            assert provider.sent == []
        assert len(provider.sent) == 1

    @pytest.mark.django_db(databases="__all__", transaction=False)
    def test_nothing_is_sent_inside_a_transaction(
        self,
        provider: Any,
        django_capture_on_commit_callbacks: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            waits()
        assert provider.sent == []
        assert "not inside a transaction" in caplog.text

    def test_all_are_sent_however_many(
        self, provider: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shifts, "TRIAL", 1)
        monkeypatch.setattr(shifts, "TEXTS", 2)
        enqueue_texts([("Hi", "Bistro", ALICE)] * 7)
        assert len(provider.sent) == 7

    def test_what_a_receiver_stores_is_sent_too(self, provider: Any) -> None:
        def store_another(instance: TextMessage, **kwargs: Any) -> None:
            if instance.text == "first" and instance.status == "sending":
                waits("second")

        post_save.connect(store_another, sender=TextMessage)
        try:
            waits("first")
        finally:
            post_save.disconnect(store_another, sender=TextMessage)
        assert [message.text for message in provider.sent] == ["first", "second"]

    def test_a_drain_that_fails_is_told_and_costs_no_text(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(shifts, "work_off", lambda *args, **kwargs: 1 / 0)
        waits()
        assert TextMessage.objects.filter(due_on__isnull=False).count() == 1
        assert "The engine cannot be woken" in caplog.text
        assert "ZeroDivisionError" in caplog.text


class TestWithWorkers:
    """The backend that keeps tasks, as one with workers does."""

    @pytest.fixture
    def results(self, settings: Any) -> Any:
        settings.TASKS = {"default": {"BACKEND": DUMMY, "QUEUES": ["default", "sms"]}}
        return tasks.task_backends["default"].results

    def test_a_task_is_given_the_account_alone(self, results: Any, provider: Any) -> None:
        waits("secret")
        [result] = results
        assert (result.args, result.kwargs) == (["default"], {})
        assert (result.task.run_after, result.task.priority) == (None, 0)
        assert provider.sent == []

    def test_running_the_task_sends(self, results: Any, provider: Any) -> None:
        waits()
        [result] = results
        assert result.task.call(*result.args) == 1
        assert len(provider.sent) == 1

    def test_it_is_in_the_queue_of_the_options(self, results: Any, settings: Any) -> None:
        settings.DJSMS_ENGINE_OPTIONS = {"queue_name": "sms"}
        waits()
        assert [result.task.queue_name for result in results] == ["sms"]


class TestCheck:
    def problems(self, id: str) -> list[str]:
        return [
            message.msg
            for message in checks.run_checks(tags=["djsms"], databases=[])
            if message.id == id
        ]

    def test_tasks_that_run_at_once_are_for_development(self, settings: Any) -> None:
        settings.DEBUG = False
        [problem] = self.problems("djsms.W013")
        assert "ImmediateBackend" in problem
        settings.DEBUG = True
        assert self.problems("djsms.W013") == []

    def test_tasks_that_are_only_kept(self, settings: Any) -> None:
        settings.TASKS = {"default": {"BACKEND": DUMMY}}
        [problem] = self.problems("djsms.W013")
        assert "nothing that waits is sent" in problem

    @pytest.mark.parametrize("options", [{"backend": "lost"}, {"queue_name": "lost"}])
    def test_what_tasks_do_not_know(self, settings: Any, options: dict[str, str]) -> None:
        settings.DJSMS_ENGINE_OPTIONS = options
        [problem] = self.problems("djsms.W014")
        assert "'lost'" in problem or "lost" in problem

    def test_an_engine_that_is_not_installed(self, settings: Any) -> None:
        settings.DJSMS_ENGINE = "no-such-engine"
        [problem] = self.problems("djsms.E011")
        assert "No installed engine is named 'no-such-engine'" in problem

    def test_an_engine_whose_package_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("djsms.engines.TASKS_MODULE", "no_such_package")
        [problem] = self.problems("djsms.E011")
        assert "install django-tasks, or move to Django 6.0" in problem
