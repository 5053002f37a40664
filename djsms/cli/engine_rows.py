"""The engines as ``djsms listbackends`` shows them: what is installed, used, and wrong."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from djsms import conf
from djsms.accounts import engines, plugins
from djsms.accounts.plugins import EntryPoint

__all__ = ["EngineRow", "problem_of_engine", "rows_of_engines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    name: str
    distribution: str
    version: str
    path: str
    is_used: bool
    problem: str


def rows_of_engines() -> list[EngineRow]:
    """Return what is known of each installed engine, found without making one."""
    used = _used()
    return [_row(entry, used) for entry in plugins.installed(plugins.ENGINES)]


def problem_of_engine() -> str:
    """Return what keeps the project's engine from being woken; empty if nothing does."""
    try:
        engines.make()
    except ImproperlyConfigured as error:
        return f"DJSMS_ENGINE: {error}"
    return ""


def _used() -> str:
    try:
        return conf.engine()
    except ImproperlyConfigured:
        return ""


def _row(entry: EntryPoint, used: str) -> EngineRow:
    name, version = plugins.distribution(entry)
    return EngineRow(
        name=entry.name,
        distribution=name,
        version=version,
        path=entry.value,
        is_used=entry.name == used,
        problem=_problem(entry),
    )


def _problem(entry: EntryPoint) -> str:
    try:
        # What a module prints when it is imported must not get into the list.
        with contextlib.redirect_stdout(sys.stderr):
            plugins.import_from(entry)
        plugins.find(entry.name, plugins.ENGINES)
    except ImproperlyConfigured as error:
        return str(error)
    return ""
