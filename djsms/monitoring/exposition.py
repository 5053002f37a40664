"""All figures as Prometheus reads them, in a view or from a port of a worker's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import connections
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
    start_http_server,
)
from prometheus_client.registry import Collector

from djsms.monitoring.queue_figures import register

if TYPE_CHECKING:
    from prometheus_client import Metric

__all__ = ["CONTENT_TYPE_LATEST", "serve", "text"]


def text() -> bytes:
    """Return the figures: of all processes, where ``PROMETHEUS_MULTIPROC_DIR`` collects them."""
    return generate_latest(_registry())


def serve(host: str, port: int) -> int:
    """Answer at an address in a thread of its own; return the port, as 0 is any that is free."""
    registry = CollectorRegistry()
    registry.register(_Closing())
    server, _thread = start_http_server(port, host, registry)
    return int(server.server_port)


class _Closing(Collector):
    """Closes the connections that were opened: each request has a thread of its own."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        try:
            yield from list(_registry().collect())
        finally:
            connections.close_all()


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    register(registry)
    return registry
