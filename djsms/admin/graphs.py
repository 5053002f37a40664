"""A graph of the last hour's calls, drawn as SVG: no script, and the page's own colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from djsms.admin.numbering import number
from djsms.admin.stacks import stacked
from djsms.waiting.recent import Minute

__all__ = ["graph", "summary"]

STEP = 10
BAR = 8
HEIGHT = 48
KINDS = ("taken", "failed", "unknown")
"""Of what a bar is made, from below."""


def graph(minutes: Sequence[Minute]) -> SafeString:
    """Return a bar for each minute, stacked of what was taken, what failed and what is unknown."""
    most = max(minute.total for minute in minutes)
    bars = format_html_join(
        "", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', _bars(minutes, most)
    )
    return format_html(
        '<svg class="djsms-graph" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img">'
        "<title>{}</title>{}</svg>",
        STEP * len(minutes),
        HEIGHT + 1,
        summary(minutes),
        bars,
    )


def summary(minutes: Sequence[Minute]) -> str:
    """Return in words what the graph shows."""
    taken, failed, unknown = (sum(getattr(minute, kind) for minute in minutes) for kind in KINDS)
    most = max(minute.total for minute in minutes)
    return _(
        "%(taken)s taken, %(failed)s not taken, %(unknown)s unknown in the last hour; at most "
        "%(most)s in a minute"
    ) % {
        "taken": number(taken),
        "failed": number(failed),
        "unknown": number(unknown),
        "most": number(most),
    }


def _bars(minutes: Sequence[Minute], most: int) -> Iterator[tuple[str, int, int, int, int]]:
    # Where nothing was, the base line shows that it was looked at.
    yield "djsms-base", 0, HEIGHT, STEP * len(minutes), 1
    for place, minute in enumerate(minutes):
        counts = ((kind, getattr(minute, kind)) for kind in KINDS)
        for kind, top, height in stacked(counts, most, HEIGHT):
            yield f"djsms-{kind}", place * STEP, top, BAR, height
