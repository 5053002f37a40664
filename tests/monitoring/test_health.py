"""Views for monitoring: what anybody may hear, and what takes the token."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from djsms import enqueue_text, health, queue
from djsms.models import Gate, TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
    pytest.mark.urls("monitoring.health_urls"),
]

TOKEN = "a token for tests only"
TOKEN = TOKEN.replace(" ", "-")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TO = "+447700900123"


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.DJSMS_HEALTH_TOKEN = TOKEN
    health._recent.clear()


def due_for(**age: int) -> None:
    enqueue_text("lobster", "Acme", TO)
    TextMessage.objects.update(due_on=timezone.now() - timedelta(**age))


class TestLive:
    def test_says_ok(self, client: Client) -> None:
        response = client.get("/health/live/")
        assert (response.status_code, response.content) == (200, b"ok\n")
        assert response["Cache-Control"] == "no-store"

    def test_says_no_more_than_that_it_cannot_tell(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Away:
            def __getitem__(self, alias: str) -> Any:
                raise OperationalError("password authentication failed for user shop")

        monkeypatch.setattr(health, "connections", Away())
        response = client.get("/health/live/")
        assert (response.status_code, response.content) == (503, b"cannot tell\n")

    def test_is_for_reading_only(self, client: Client) -> None:
        assert client.post("/health/live/").status_code == 405

    def test_troubles_of_the_queue_take_no_web_process_out(self, client: Client) -> None:
        due_for(hours=1)
        assert client.get("/health/live/").status_code == 200


class TestAlerts:
    def test_is_quiet_while_texts_go(self, client: Client) -> None:
        due_for(seconds=10)
        response = client.get("/health/alerts/")
        assert (response.status_code, response.content) == (200, b"ok\n")

    def test_anybody_may_ask_as_often_as_they_like(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.get("/health/alerts/")
        with monkeypatch.context() as patch:
            patch.setattr(queue, "state", lambda: pytest.fail("It is counted again."))
            assert client.get("/health/alerts/").status_code == 200
            assert client.get("/health/alerts/?max_age=1").status_code == 200
        due_for(minutes=10)
        assert client.get("/health/alerts/", headers=BEARER).status_code == 503
        later = time.monotonic() + 6
        monkeypatch.setattr(health.time, "monotonic", lambda: later)
        assert client.get("/health/alerts/").status_code == 503

    def test_tells_of_texts_that_nobody_takes(self, client: Client) -> None:
        due_for(minutes=10)
        response = client.get("/health/alerts/")
        assert (response.status_code, response.content) == (503, b"trouble\n")

    def test_tells_who_has_the_token_what_is_wrong(self, client: Client) -> None:
        due_for(minutes=10)
        response = client.get("/health/alerts/", headers=BEARER)
        assert response.status_code == 503
        assert "Nobody has taken anything" in response.json()["troubles"]["default"]
        assert "lobster" not in response.content.decode()

    @pytest.mark.parametrize("scheme", ["", "Basic ", "Bearer x"])
    def test_tells_nobody_else(self, client: Client, scheme: str) -> None:
        due_for(minutes=10)
        response = client.get("/health/alerts/", headers={"Authorization": f"{scheme}{TOKEN}"})
        assert response.content == b"trouble\n"

    def test_an_empty_token_opens_nothing(self, client: Client, settings: Any) -> None:
        settings.DJSMS_HEALTH_TOKEN = ""
        response = client.get("/health/alerts/", headers={"Authorization": "Bearer "})
        assert response.content == b"ok\n"

    def test_minds_the_age_also_in_a_paused_account(self, client: Client) -> None:
        queue.pause("default")
        due_for(minutes=4)
        assert client.get("/health/alerts/").status_code == 200
        assert client.get("/health/alerts/?max_age=200").status_code == 503

    @pytest.mark.parametrize("age", ["", "x", "-1", "5m", "²", "604801", "9" * 30])
    def test_an_age_that_is_none_is_told(self, client: Client, age: str) -> None:
        response = client.get("/health/alerts/", {"max_age": age})
        assert response.status_code == 400
        assert response.content == b"max_age must be a whole number of seconds, at most 604800\n"

    def told(self, client: Client) -> str:
        troubles = client.get("/health/alerts/", headers=BEARER).json()["troubles"]
        return str(troubles["default"])

    def test_says_of_late_texts_that_an_open_account_does_not_keep_up(self, client: Client) -> None:
        due_for(minutes=10)
        Gate.objects.update_or_create(
            account="default", slot="", defaults={"turn_on": timezone.now()}
        )
        assert self.told(client) == (
            "A text has been due for 10 min: texts go, but not as fast as they become due."
        )

    def test_says_of_late_texts_that_the_account_is_paused_and_why(self, client: Client) -> None:
        queue.pause("default", "wrong prices")
        due_for(minutes=10)
        told = self.told(client)
        assert told.startswith("A text has been due for 10 min: the account is paused since ")
        assert told.endswith(" (wrong prices).")

    def test_texts_of_a_lost_account_are_trouble(self, client: Client) -> None:
        enqueue_text("Hi", "Acme", TO)
        Gate.objects.get_or_create(account="lost-health", slot="")
        TextMessage.objects.update(account="lost-health")
        response = client.get("/health/alerts/", headers=BEARER)
        assert list(response.json()["troubles"]) == ["lost-health"]


class TestMetrics:
    def test_are_for_who_has_the_token(self, client: Client, settings: Any) -> None:
        settings.DJSMS_PROMETHEUS = True
        assert client.get("/health/metrics/").status_code == 404
        response = client.get("/health/metrics/", headers=BEARER)
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain")
        assert "python_info" in response.content.decode()

    def test_are_not_there_unless_asked_for(self, client: Client) -> None:
        assert client.get("/health/metrics/", headers=BEARER).status_code == 404
