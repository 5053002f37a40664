"""A chart of what became of texts, drawn as SVG: no script, and the page's own colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from djsms.admin.stacks import stacked

__all__ = ["KINDS", "Bar", "chart"]

KINDS = ("delivered", "way", "failed", "unknown")
"""Of what a bar is made, from below."""

STEP = 20
WIDTH = 16
HEIGHT = 120

Bar = tuple[str, dict[str, int]]
"""What a bar is called, and how many there are of each kind."""


def chart(bars: Sequence[Bar], summary: str) -> SafeString:
    """Return a stacked bar for each slice of time; ``summary`` says in words what they show."""
    most = max(sum(counts.values()) for _, counts in bars)
    groups = format_html_join(
        "",
        "<g><title>{}</title>{}</g>",
        (
            (label, format_html_join("", RECT, _rects(number, counts, most)))
            for number, (label, counts) in enumerate(bars)
        ),
    )
    return format_html(
        '<svg class="djsms-chart" viewBox="0 0 {width} {height}" preserveAspectRatio="none" '
        'role="img"><title>{summary}</title>'
        '<rect class="djsms-base" x="0" y="{bottom}" width="{width}" height="1"/>{groups}</svg>',
        width=STEP * len(bars),
        height=HEIGHT + 1,
        bottom=HEIGHT,
        summary=summary,
        groups=groups,
    )


RECT = '<rect class="djsms-bar-{}" x="{}" y="{}" width="{}" height="{}"/>'


def _rects(
    number: int, counts: dict[str, int], most: int
) -> Iterator[tuple[str, int, int, int, int]]:
    left = number * STEP + (STEP - WIDTH) // 2
    for kind, top, height in stacked(((kind, counts[kind]) for kind in KINDS), most, HEIGHT):
        yield kind, left, top, WIDTH, height
