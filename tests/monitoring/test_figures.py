"""What Prometheus reads: how calls, webhooks and the queue go, without a number in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from scripted import Provider

from djsms import SentPart, Status, enqueue_text, queue, send_text
from djsms.accounts import addresses
from djsms.exceptions import InvalidMessage, OutcomeUnknown
from djsms.models import TextMessage
from djsms.monitoring import queue_figures
from djsms.observing import observers
from djsms.observing.figures import Figures
from djsms.tidying import tidy

pytestmark = pytest.mark.django_db

BOARD = Path(__file__).parents[2] / "examples" / "grafana" / "djsms.json"
FRM, TO = "+447700900001", "+447700900123"


@pytest.fixture
def registry(provider: Provider) -> Iterator[CollectorRegistry]:
    registry = CollectorRegistry()
    observers.listen(Figures(registry))
    queue_figures.register(registry)
    yield registry
    observers.silence()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, {"account": "default", **labels})


def test_calls_whose_process_died_are_counted_as_unknown(registry: CollectorRegistry) -> None:
    died = timezone.now() - timedelta(hours=1)
    TextMessage.objects.create(
        text="Hi", frm=FRM, to=TO, backend="memory", attempted_on=died, attempts=1
    )
    assert tidy().unknown == 1
    names = {"backend": "memory", "outcome": "OutcomeUnknown"}
    assert value(registry, "djsms_attempts_total", **names) == 1
    assert value(registry, "djsms_attempt_seconds_count", backend="memory") is None


def test_calls_are_counted_by_how_they_ended(
    registry: CollectorRegistry, provider: Provider
) -> None:
    send_text("Hi", FRM, TO)
    provider.fails(OutcomeUnknown("?"))
    send_text("Hi", FRM, TO)
    for outcome in ("sending", "OutcomeUnknown"):
        assert value(registry, "djsms_attempts_total", backend="memory", outcome=outcome) == 1
    assert value(registry, "djsms_attempt_seconds_count", backend="memory") == 2


def test_segments_count_of_what_was_taken(registry: CollectorRegistry, provider: Provider) -> None:
    send_text("x" * 200, FRM, TO)
    provider.fails(OutcomeUnknown("?"))
    send_text("x" * 200, FRM, TO)
    assert value(registry, "djsms_segments_total", backend="memory") == 2


def test_webhooks_are_counted_by_their_answer(
    registry: CollectorRegistry, provider: Provider
) -> None:
    provider.reports(provider_id="x", status="sent")
    provider.reports(provider_id="x")
    for status in ("200", "400"):
        counted = value(registry, "djsms_webhooks_total", hook="parse_callback", status=status)
        assert counted == 1


def test_addresses_of_a_former_key_are_counted(
    registry: CollectorRegistry, provider: Provider, settings: Any
) -> None:
    old = addresses.token("default")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    provider.reports(provider_id="x", status="sent")
    assert value(registry, "djsms_former_key_webhooks_total", hook="parse_callback") is None
    Client().post(
        f"/djsms/callback/default/{old}/",
        '{"provider_id": "y", "status": "sent"}',
        content_type="application/json",
    )
    assert value(registry, "djsms_former_key_webhooks_total", hook="parse_callback") == 1


def test_names_that_somebody_makes_up_are_one_figure(
    registry: CollectorRegistry, client: Any
) -> None:
    for name in ("one", "two"):
        client.post(f"/djsms/callback/{name}/", "{}", content_type="application/json")
    labels = {"account": "", "hook": "parse_callback", "status": "404"}
    assert registry.get_sample_value("djsms_webhooks_total", labels) == 2
    assert b'"one"' not in generate_latest(registry)


@pytest.mark.parametrize(
    "wrong", [{"DJSMS_BASE_URL": "example"}, {"DJSMS_ACCOUNTS": 5}, {"DJSMS_BACKEND": ""}]
)
def test_so_they_are_where_settings_are_wrong(
    client: Any, settings: Any, wrong: dict[str, Any]
) -> None:
    registry = CollectorRegistry()
    observers.listen(Figures(registry))
    for name, value in wrong.items():
        setattr(settings, name, value)
    try:
        for name in ("one", "two"):
            client.post(f"/djsms/callback/{name}/", "{}", content_type="application/json")
    finally:
        observers.silence()
    read = generate_latest(registry)
    assert b'djsms_webhooks_total{account="",' in read
    assert b'"one"' not in read


def test_the_queue_is_read_when_it_is_asked_for(registry: CollectorRegistry) -> None:
    enqueue_text("Hi", FRM, TO)
    enqueue_text("Hi", FRM, TO, priority="bulk")
    assert value(registry, "djsms_queue_waiting", priority="bulk") == 1
    assert value(registry, "djsms_queue_due") == 2
    assert value(registry, "djsms_queue_open") == 1
    queue.drain()
    assert value(registry, "djsms_queue_due") == 0
    assert value(registry, "djsms_enqueued_total", priority="normal") == 1
    assert value(registry, "djsms_claimed_total") == 2


def test_a_paused_account_is_not_open(registry: CollectorRegistry) -> None:
    queue.pause("default")
    assert value(registry, "djsms_queue_open") == 0


def test_what_was_refused_makes_no_figure_of_the_queue(registry: CollectorRegistry) -> None:
    with pytest.raises(InvalidMessage):
        enqueue_text("", FRM, TO, fail_silently=False)
    assert value(registry, "djsms_enqueued_total", priority="normal") is None


def test_no_number_and_no_text_is_in_a_label(
    registry: CollectorRegistry, provider: Provider
) -> None:
    send_text("lobster", FRM, TO)
    enqueue_text("lobster", FRM, TO)
    provider.delivers(frm=TO, to=FRM, text="lobster")
    read = generate_latest(registry).decode()
    assert "7700900" not in read
    assert "lobster" not in read


def test_a_database_that_is_away_costs_the_queues_figures_alone(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_text("Hi", FRM, TO)

    def fail() -> None:
        raise RuntimeError("away")

    monkeypatch.setattr(queue_figures.queue, "state", fail)
    read = generate_latest(registry).decode()
    assert "djsms_attempts_total{" in read
    assert "djsms_queue_due{" not in read


def test_an_observer_that_fails_costs_no_text(provider: Provider) -> None:
    class Broken:
        def around(self, facts: object) -> Any:
            raise RuntimeError("broken")

    observers.listen(Broken())
    try:
        assert send_text("Hi", FRM, TO).status == "sending"
    finally:
        observers.silence()


class TestBoard:
    """The board for Grafana in examples/."""

    def names(self) -> set[str]:
        return set(re.findall(r"djsms_\w+", BOARD.read_text()))

    def test_asks_for_figures_that_there_are(self) -> None:
        registry = CollectorRegistry()
        Figures(registry)
        queue_figures.register(registry)
        assert self.names() <= set(registry._names_to_collectors)

    def test_leaves_no_figure_out(self) -> None:
        registry = CollectorRegistry()
        Figures(registry)
        queue_figures.register(registry)
        families = {
            family.name
            for collector in registry._collector_to_names
            for family in collector.describe()
        }
        asked = self.names()
        assert not {name for name in families if not any(n.startswith(name) for n in asked)}

    def test_counts_as_unknown_also_what_a_provider_did_not_say(
        self, registry: CollectorRegistry, provider: Provider
    ) -> None:
        provider.answers(SentPart(status=Status.UNKNOWN))
        send_text("Hi", FRM, TO)
        provider.fails(OutcomeUnknown("?"))
        send_text("Hi", FRM, TO)
        [panel] = [
            panel
            for panel in json.loads(BOARD.read_text())["panels"]
            if panel["title"] == "Unknown in the last hour"
        ]
        [asked] = re.findall('outcome=~"([^"]+)"', panel["targets"][0]["expr"])
        counts = [
            sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name == "djsms_attempts_total"
            and re.fullmatch(asked, sample.labels["outcome"])
        ]
        assert counts == [1, 1]

    def test_each_panel_has_a_place_and_a_question(self) -> None:
        panels = json.loads(BOARD.read_text())["panels"]
        assert all(panel["targets"] and panel["gridPos"] for panel in panels)
        assert len({panel["id"] for panel in panels}) == len(panels)
