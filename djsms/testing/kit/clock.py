"""The clock that a backend looks at, moved."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

__all__ = ["in_zone", "later"]

NANO = 10**9


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Let ``time`` tell a later time, so that what was fetched before has aged."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("time", "monotonic"):
            _move(patch, name, seconds)
            _move(patch, f"{name}_ns", round(seconds * NANO))
        yield


@contextmanager
def in_zone(name: str) -> Iterator[None]:
    """Let the machine, and Django, be in a time zone."""
    before = os.environ.get("TZ")
    try:
        _set_zone(name)
        with timezone.override(name):
            yield
    finally:
        _set_zone(before)


def _set_zone(name: str | None) -> None:
    if name is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = name
    if hasattr(time, "tzset"):
        time.tzset()


def _move(patch: pytest.MonkeyPatch, name: str, seconds: float) -> None:
    original = getattr(time, name)

    def moved() -> Any:
        return original() + seconds

    patch.setattr(time, name, moved)
