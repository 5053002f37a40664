"""Where an error was raised, for messages that must not repeat what it says."""

from __future__ import annotations

import traceback

__all__ = ["place_of"]


def place_of(error: Exception) -> str:
    """Return where an error was raised, as the end of a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
