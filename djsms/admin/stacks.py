"""Where the pieces of a bar are, one upon the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["stacked"]

# So that a single text among thousands is seen.
LEAST = 2


def stacked(
    counts: Iterable[tuple[str, int]], most: int, height: int
) -> Iterator[tuple[str, int, int]]:
    """Yield kind, top and height of each piece that is there, from below.

    ``most`` is what a bar of the whole ``height`` stands for.
    """
    top = height
    for kind, count in counts:
        if count:
            size = max(LEAST, round(height * count / most))
            top = max(0, top - size)
            yield kind, top, min(size, height - top)
