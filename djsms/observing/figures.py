"""Figures for Prometheus of what this process does; needs ``prometheus-client``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from djsms.exceptions import OutcomeUnknown
from djsms.observing.facts import Attempt, Claim, Enqueuing, Facts, FormerKey, GivenUp, Webhook

__all__ = ["Figures"]

# Providers answer in tenths of a second, and are given up after tens of them.
BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Figures:
    """Counters and histograms, by account, backend and outcome."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.attempts = Counter(
            "djsms_attempts",
            "Calls to providers, by how they ended.",
            ("account", "backend", "outcome"),
            registry=registry,
        )
        self.segments = Counter(
            "djsms_segments",
            "Segments of the texts that providers took.",
            ("account", "backend"),
            registry=registry,
        )
        self.attempt_seconds = Histogram(
            "djsms_attempt_seconds",
            "How long calls to providers took.",
            ("account", "backend"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.webhooks = Counter(
            "djsms_webhooks",
            "Requests of providers, by how they were answered.",
            ("account", "hook", "status"),
            registry=registry,
        )
        self.webhook_seconds = Histogram(
            "djsms_webhook_seconds",
            "How long requests of providers took.",
            ("account", "hook"),
            registry=registry,
        )
        self.former_keys = Counter(
            "djsms_former_key_webhooks",
            "Requests of providers at an address of a former SECRET_KEY.",
            ("account", "hook"),
            registry=registry,
        )
        self.enqueued = Counter(
            "djsms_enqueued",
            "Texts that were stored to wait, also those that were rolled back later.",
            ("account", "priority"),
            registry=registry,
        )
        self.claimed = Counter(
            "djsms_claimed",
            "Texts that were taken from the queue.",
            ("account",),
            registry=registry,
        )

    @contextmanager
    def around(self, facts: Facts) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._count(facts, time.perf_counter() - start)

    def _count(self, facts: Facts, seconds: float) -> None:
        match facts:
            case Attempt():
                names = (facts.account, facts.backend)
                self.attempts.labels(*names, facts.outcome).inc()
                self.attempt_seconds.labels(*names).observe(seconds)
                if not facts.is_error:
                    self.segments.labels(*names).inc(facts.segments)
            case GivenUp():
                # How long it took is known to nobody.
                self.attempts.labels(facts.account, facts.backend, OutcomeUnknown.__name__).inc()
            case Webhook():
                self.webhooks.labels(facts.account, facts.hook, str(facts.status)).inc()
                self.webhook_seconds.labels(facts.account, facts.hook).observe(seconds)
            case FormerKey():
                self.former_keys.labels(facts.account, facts.hook).inc()
            case Enqueuing() if facts.count:
                self.enqueued.labels(facts.account, facts.priority).inc(facts.count)
            case Claim() if facts.count:
                self.claimed.labels(facts.account).inc(facts.count)
