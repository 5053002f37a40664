"""How long texts take, counted in steps of a tenth, so that a median needs no sorting of all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

__all__ = ["median", "step"]

# A step is a tenth longer than the one before: the median is right to five per cent.
GROWTH = 1.1
# Of step 0, in seconds; shorter is step 0 as well.
FIRST = 0.1


def step(delay: timedelta) -> int:
    """Return the step that a delay falls into."""
    seconds = delay.total_seconds()
    return 0 if seconds <= FIRST else math.ceil(math.log(seconds / FIRST, GROWTH))


def median(steps: Mapping[int, int]) -> timedelta | None:
    """Return the delay that half of them did not exceed; None if there are none.

    ``steps`` is how many fell into each step. What falls into one is taken for its middle.
    """
    half = sum(steps.values()) / 2
    seen = 0
    for number in sorted(steps):
        seen += steps[number]
        if steps[number] and seen >= half:
            return timedelta(seconds=FIRST * GROWTH ** (number - 0.5))
    return None
