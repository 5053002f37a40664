"""Letting those listen whom the settings name; what they do not name is not even imported."""

from __future__ import annotations

from functools import cache

from djsms import conf
from djsms.observing import observers
from djsms.observing.observers import Observer

__all__ = ["PACKAGES", "missing", "start"]

PACKAGES = {
    "DJSMS_PROMETHEUS": ("prometheus_client", "prometheus"),
    "DJSMS_OPENTELEMETRY": ("opentelemetry", "opentelemetry"),
}
"""The module that a setting needs, and the extra of ours that brings it."""


def start() -> None:
    """Begin; what lacks its package is left out, and told by the system checks."""
    observers.silence()
    if conf.prometheus() and not missing("DJSMS_PROMETHEUS"):
        observers.listen(_figures())
    if conf.opentelemetry() and not missing("DJSMS_OPENTELEMETRY"):
        from djsms.observing.spans import Spans

        observers.listen(Spans())


@cache
def _figures() -> Observer:
    """Return the figures, made once: a process has one registry, and apps may be ready again."""
    from djsms.monitoring.queue_figures import register
    from djsms.observing.figures import Figures

    register()
    return Figures()


def missing(setting: str) -> bool:
    """Return whether the package that a setting needs is not there."""
    from importlib.util import find_spec

    return find_spec(PACKAGES[setting][0]) is None
