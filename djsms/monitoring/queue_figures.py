"""Figures for Prometheus of how the queue stands, read when they are asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from djsms import queue
from djsms.queue import AccountState, QueueState

__all__ = ["QueueFigures", "register"]

logger = logging.getLogger("djsms")


class QueueFigures(Collector):
    """Gauges by account, the same in whichever process they are read."""

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return the names without values: whoever registers it must not wait for a database."""
        return _families()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        try:
            return _filled(queue.state())
        except Exception:
            # The other figures can be read.
            logger.exception("The queue's figures cannot be read")
            return []


def register(registry: CollectorRegistry = REGISTRY) -> None:
    """Have them read with the other figures of a registry."""
    registry.register(QueueFigures())


def _families() -> list[GaugeMetricFamily]:
    account = ["account"]
    return [
        GaugeMetricFamily(
            "djsms_queue_waiting", "Texts that wait.", labels=["account", "priority"]
        ),
        GaugeMetricFamily("djsms_queue_due", "Texts that wait and are due.", labels=account),
        GaugeMetricFamily(
            "djsms_queue_oldest_due_seconds",
            "Since when the oldest text is due; 0 if none is.",
            labels=account,
        ),
        GaugeMetricFamily(
            "djsms_queue_in_flight",
            "Texts for which providers are being called, or whose process has died.",
            labels=account,
        ),
        GaugeMetricFamily("djsms_queue_open", "1 if an account's texts may go.", labels=account),
        GaugeMetricFamily(
            "djsms_queue_neglected", "1 if nobody takes what is due.", labels=account
        ),
        GaugeMetricFamily("djsms_queue_workers", "Processes of djsms work that are alive."),
    ]


def _filled(state: QueueState) -> list[GaugeMetricFamily]:
    waiting, due, oldest, in_flight, is_open, neglected, workers = families = _families()
    for account in state.accounts:
        name = [account.account]
        for priority, count in account.by_priority.items():
            waiting.add_metric([*name, priority], count)
        due.add_metric(name, account.due)
        oldest.add_metric(name, _age(account, state))
        in_flight.add_metric(name, account.in_flight)
        is_open.add_metric(name, account.is_open)
        neglected.add_metric(name, account.is_neglected)
    workers.add_metric([], len(state.workers))
    return families


def _age(account: AccountState, state: QueueState) -> float:
    return (state.moment - account.oldest_due).total_seconds() if account.oldest_due else 0.0
