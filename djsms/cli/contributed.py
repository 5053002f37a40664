"""Subcommands that installed plugins bring, by the entry points of the group ``djsms.commands``.

Each names a Django command, a class. None is imported before it is run.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if sys.version_info >= (3, 12):
    from importlib.metadata import entry_points
else:
    from importlib_metadata import entry_points

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

__all__ = ["GROUP", "command", "names"]

GROUP = "djsms.commands"


def names() -> dict[str, str]:
    """Return the name of each, with where it is from: what it does would have to be imported."""
    found = {entry.name: entry.dist for entry in entry_points(group=GROUP)}
    return {name: f"From {dist.name}." if dist else "" for name, dist in sorted(found.items())}


def command(name: str) -> BaseCommand:
    """Return the Django command of a name; raise ``CommandError`` if it cannot be imported."""
    [entry, *_] = entry_points(group=GROUP, name=name)
    try:
        made: BaseCommand = entry.load()()
    except Exception as error:
        from django.core.management.base import CommandError

        raise CommandError(
            f"The subcommand {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    return made
