"""How messages name what they are about."""

from __future__ import annotations

import traceback

__all__ = ["label", "place_of"]


def label(alias: str) -> str:
    """Return how messages name an account."""
    return f"account {alias!r}"


def place_of(error: Exception) -> str:
    """Return where an error was raised, for messages that must not repeat what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
