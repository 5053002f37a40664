"""Whether receivers have heard of a change since: what they do, no try of ours may do again."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["count", "note"]


class _Told(threading.local):
    times = 0


_told = _Told()


def count() -> int:
    """Return how often this thread has begun to tell receivers of a change."""
    return _told.times


def note(**kwargs: Any) -> None:
    """Note it; the first of the receivers, since it is connected where the model is made."""
    _told.times += 1
