"""How many texts a rate allows now: the generic cell rate algorithm, in whole microseconds.

It keeps one number, the time at which the next text is free to go. There are no windows whose edges
let twice as many through, and a text may cost more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from djsms.conf import Rate
from djsms.types import MAX_PARTS

__all__ = ["Meter"]

SECOND = 1_000_000
# Workers wake up a little late: without any burst what they missed would be lost to them.
BURST = SECOND // 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The arithmetic of one rate. Times are microseconds since 1970, by the database's clock."""

    by_segment: bool
    count: int
    period: int
    """How long ``count`` texts, or segments, take."""
    dearest: int = 1
    """What one text costs at most."""

    @classmethod
    def of(cls, rate: Rate, *, max_segments: int = MAX_PARTS) -> Self:
        return cls(
            by_segment=rate.by_segment,
            count=rate.count,
            period=rate.seconds * SECOND,
            dearest=max_segments if rate.by_segment else 1,
        )

    def cost(self, segments: int) -> int:
        """Return what a text of so many segments costs."""
        return segments if self.by_segment else 1

    def take(self, free_at: int, now: int, segments: Sequence[int]) -> tuple[int, int]:
        """Return how many of these texts, from the first on, may go now, and the new ``free_at``.

        A text goes as soon as its time has come, and is paid for after: a long one is not kept
        back until its whole price is there, which a steady stream of short ones could prevent.
        """
        free_at = self._plausible(free_at, now)
        for number, count in enumerate(segments):
            if free_at > now:
                return number, free_at
            free_at += self._time(self.cost(count))
        return len(segments), free_at

    def free(self, free_at: int, now: int) -> int:
        """Return how many texts of one segment may go now."""
        free_at = self._plausible(free_at, now)
        return 0 if free_at > now else (now - free_at) * self.count // self.period + 1

    def wait(self, free_at: int, now: int) -> float:
        """Return after how many seconds the next text may go."""
        return max(0, self._plausible(free_at, now) - now) / SECOND

    def _plausible(self, free_at: int, now: int) -> int:
        # No text reaches further ahead than the dearest does: what does comes of a clock that was
        # set back since, and would stop the account until it has caught up.
        if free_at > now + self._time(self.dearest):
            return now
        # Time that nobody used is saved up for one burst, and no more.
        return max(free_at, now - max(0, BURST - self._time(1)))

    def _time(self, cost: int) -> int:
        return -(-cost * self.period // self.count)
