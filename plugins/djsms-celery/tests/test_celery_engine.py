"""The engine keeps the contract, and the broker gets nothing but the account's name."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import celery
import kombu
import pytest
from celery.app import app_or_default
from celery.exceptions import SoftTimeLimitExceeded
from django.core.checks import CheckMessage
from djsms import enqueue_text, enqueue_texts, queue
from djsms.testing import EngineConformance
from djsms_celery import BEAT_SCHEDULE, tasks
from djsms_celery.engine import PATIENCE, CeleryEngine, _impatient

ALICE = "+447700900123"


@pytest.fixture(autouse=True)
def app() -> Iterator[celery.Celery]:
    """A project's Celery app, with a broker in memory."""
    before = app_or_default()
    app = celery.Celery("shop", broker="memory://", set_as_current=True)
    app.conf.beat_schedule = dict(BEAT_SCHEDULE)
    yield app
    with kombu.Connection("memory://") as connection:
        for name in ("celery", "sms"):
            connection.SimpleQueue(name).clear()
    app.close()
    # One that is closed and still current would take no task of whoever comes next.
    before.set_current()


def messages(app: celery.Celery, name: str = "celery") -> list[Any]:
    """Take what is in a queue of the broker."""
    found = []
    with app.connection_for_read() as connection:
        waiting = connection.SimpleQueue(name)
        while waiting.qsize():
            message = waiting.get_nowait()
            message.ack()
            found.append(message)
    return found


class TestContract(EngineConformance):
    name = "celery"

    def run_woken(self) -> None:
        for message in messages(celery.current_app):
            args, kwargs, _ = message.payload
            tasks.drain(*args, **kwargs)


@pytest.fixture
def engine(settings: Any) -> None:
    settings.DJSMS_ENGINE = "celery"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engine")
class TestMessages:
    def test_are_an_account_and_nothing_else(self, app: celery.Celery, sms_outbox: Any) -> None:
        enqueue_text("secret", "Bistro", ALICE, False)
        [message] = messages(app)
        assert message.payload[:2] == [["default"], {}]
        assert ALICE not in str(message.headers)
        assert message.headers["task"] == "djsms_celery.tasks.drain"

    def test_expire_and_are_not_for_later(self, app: celery.Celery, sms_outbox: Any) -> None:
        enqueue_text("Hi", "Bistro", ALICE, False)
        [message] = messages(app)
        assert message.headers["eta"] is None
        assert message.headers["expires"]
        assert message.headers["ignore_result"] is True

    def test_go_to_the_queue_of_the_options(
        self, app: celery.Celery, settings: Any, sms_outbox: Any
    ) -> None:
        settings.DJSMS_ENGINE_OPTIONS = {"queue": "sms"}
        enqueue_text("Hi", "Bistro", ALICE, False)
        assert len(messages(app, "sms")) == 1

    def test_of_the_sweep_go_where_the_drains_do(
        self, app: celery.Celery, settings: Any, sms_outbox: Any
    ) -> None:
        settings.DJSMS_ENGINE_OPTIONS = {"queue": "sms"}
        tasks.sweep.apply_async(expires=30)
        assert [message.headers["task"] for message in messages(app, "sms")] == [
            "djsms_celery.tasks.sweep"
        ]

    def test_of_the_sweep_go_where_the_schedule_says(
        self, app: celery.Celery, settings: Any, sms_outbox: Any
    ) -> None:
        settings.DJSMS_ENGINE_OPTIONS = {"queue": "sms"}
        tasks.sweep.apply_async(queue="celery")
        assert len(messages(app)) == 1

    @pytest.mark.parametrize("engine", ["celery", "worker"])
    def test_of_the_sweep_go_by_celerys_routing_if_the_options_name_no_queue(
        self, app: celery.Celery, settings: Any, sms_outbox: Any, engine: str
    ) -> None:
        settings.DJSMS_ENGINE = engine
        tasks.sweep.apply_async()
        assert len(messages(app)) == 1

    def test_are_one_for_a_sweep_and_account(self, app: celery.Celery, sms_outbox: Any) -> None:
        enqueue_text("Hi", "Bistro", ALICE, False)
        messages(app)
        tasks.sweep()
        assert [message.payload[0] for message in messages(app)] == [["default"]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("engine")
class TestTrouble:
    @pytest.mark.parametrize(
        "broker",
        [
            "amqp://127.0.0.1:1//",
            "redis://127.0.0.1:1/0",
            ["redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"],
        ],
    )
    def test_a_broker_that_is_not_there_costs_no_text(
        self,
        app: celery.Celery,
        broker: str | list[str],
        sms_outbox: Any,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        app.conf.broker_url = broker
        enqueue_text("Hi", "Bistro", ALICE, False)
        enqueue_text("Hi", "Bistro", ALICE, False)
        assert caplog.text.count("The engine cannot be woken") == 1
        assert queue.drain() == 2

    def test_of_several_brokers_none_is_waited_for_without_end(self, app: celery.Celery) -> None:
        app.conf.broker_url = ["redis://127.0.0.1:1/0", "redis://127.0.0.1:2/0"]
        with _impatient() as connection:
            assert connection is not None
            assert connection.transport_options["socket_timeout"] == PATIENCE["socket_timeout"]

    @pytest.mark.parametrize("scheme", ["amqp", "redis"])
    def test_a_broker_that_hangs_holds_up_one_text_and_not_the_next(
        self,
        app: celery.Celery,
        scheme: str,
        sms_outbox: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("djsms_celery.engine.PATIENCE", {"socket_timeout": 0.5})
        with socket.create_server(("127.0.0.1", 0)) as silent:
            app.conf.broker_url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}//"
            app.conf.broker_connection_timeout = 0.5
            enqueue_text("Hi", "Bistro", ALICE, False)
            enqueue_text("Hi", "Bistro", ALICE, False)
            silent.setblocking(False)
            callers = []
            with contextlib.suppress(BlockingIOError):
                while True:
                    callers.append(silent.accept()[0])
            for caller in callers:
                caller.close()
        assert len(callers) == 1
        assert queue.drain() == 2

    def test_a_soft_time_limit_ends_a_drain_and_the_call_is_of_unknown_outcome(
        self,
        sms_outbox: Any,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def hang(*args: Any) -> None:
            raise SoftTimeLimitExceeded()

        message = enqueue_text("Hi", "Bistro", ALICE, False)
        waits = enqueue_text("Hi", "Bistro", ALICE, False)
        monkeypatch.setattr(type(sms_outbox), "take", hang)
        tasks.drain("default")
        message.refresh_from_db()
        waits.refresh_from_db()
        assert (message.status, waits.status) == ("unknown", "created")
        assert waits.due_on
        assert "soft time limit" in caplog.text

    def test_eager_tasks_send_at_once_however_many_texts_there_are(
        self, app: celery.Celery, sms_outbox: Any
    ) -> None:
        app.conf.task_always_eager = True
        enqueue_texts([("Hi", "Bistro", ALICE)] * 250)
        assert len(sms_outbox) == 250


class TestChecks:
    def ids(self) -> list[str | None]:
        return [message.id for message in CeleryEngine().check()]

    @pytest.fixture(autouse=True)
    def installed(self, settings: Any) -> None:
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "djsms_celery"]

    def test_find_nothing_wrong_with_a_sound_project(self) -> None:
        assert self.ids() == []

    def test_no_app(self) -> None:
        script = (
            "import django; from django.conf import settings; settings.configure(); django.setup();"
            "from djsms_celery.engine import CeleryEngine; print(CeleryEngine().check()[0].id)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stdout.strip() == "djsms_celery.W001", done.stderr

    def test_eager_tasks_in_production(self, app: celery.Celery, settings: Any) -> None:
        app.conf.task_always_eager = True
        assert self.ids() == ["djsms_celery.W002"]
        settings.DEBUG = True
        assert self.ids() == []

    def test_no_broker(self, app: celery.Celery) -> None:
        app.conf.broker_url = None
        assert self.ids() == ["djsms_celery.W003"]

    @pytest.mark.parametrize(
        ("namespace", "written"), [("CELERY", "CELERY_BROKER_URL"), (None, "broker_url")]
    )
    def test_name_a_setting_as_the_project_writes_it(
        self, app: celery.Celery, namespace: str | None, written: str
    ) -> None:
        app.namespace = namespace
        app.conf.broker_url = None
        [found] = CeleryEngine().check()
        assert f"Set {written}, such as" in str(found.hint)

    def test_tasks_that_workers_do_not_know(self, settings: Any) -> None:
        settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "djsms_celery"]
        assert self.ids() == ["djsms_celery.W004"]

    def test_no_sweep(self, app: celery.Celery) -> None:
        app.conf.beat_schedule = {}
        assert self.ids() == ["djsms_celery.W005"]
        app.conf.beat_scheduler = "django_celery_beat.schedulers:DatabaseScheduler"
        assert self.ids() == []

    def test_none_shows_the_brokers_password(self, app: celery.Celery) -> None:
        app.conf.broker_url = "amqp://user:hidden@127.0.0.1//"
        app.conf.beat_schedule = {}
        found: list[CheckMessage] = CeleryEngine().check()
        assert "hidden" not in str(found)


def test_a_queue_must_have_a_name() -> None:
    with pytest.raises(TypeError, match="queue must be the name of a queue"):
        CeleryEngine(queue=5)  # type: ignore[arg-type]


def test_importing_the_schedule_imports_no_celery() -> None:
    script = "import sys, djsms_celery; print('celery' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
