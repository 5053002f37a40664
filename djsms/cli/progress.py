"""How far a command has come, shown to a person at a terminal and to nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(
    words: str, total: int, *, out: TextIO, colourful: bool
) -> Iterator[Callable[[int], object]]:
    """Show a bar while something goes on; yield what to call with how much of it is done."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(file=out, no_color=not colourful)
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)
