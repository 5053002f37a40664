"""Tables for the terminal: with lines and colours for a person, else plain aligned columns."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

__all__ = ["Styled", "counted", "render", "visible"]

# Plain columns are for programs and logs, and never broken into lines.
UNLIMITED = 10_000


class Styled(str):
    """The text of a cell with its style, in rich's words: ``bold red``."""

    style: str

    def __new__(cls, text: str, style: str) -> Styled:
        styled = super().__new__(cls, text)
        styled.style = style
        return styled


def render(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    colourful: bool,
    ascii_only: bool = False,
) -> str:
    """Return a table as lines of text."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=(box.ASCII if ascii_only else box.ROUNDED) if colourful else None,
        pad_edge=colourful,
        header_style="bold",
        show_edge=colourful,
    )
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*(Text(visible(cell), style=getattr(cell, "style", "")) for cell in row))
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=colourful,
        color_system="standard" if colourful else None,
        width=None if colourful else UNLIMITED,
        legacy_windows=False,
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def visible(text: str) -> str:
    """Return a text in printable characters and line breaks: none can command the terminal."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def counted(number: int, thing: str) -> str:
    """Return ``1 text`` or ``1,204 texts``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
