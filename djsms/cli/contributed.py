"""Subcommands that installed plugins bring, by the entry points of the group ``djsms.commands``.

Each names a Django command, a class. None is imported before it is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from djsms.accounts import plugins

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

    from djsms.accounts.plugins import EntryPoint

__all__ = ["command", "names"]


def names() -> dict[str, str]:
    """Return the name of each, with what its distribution says of itself, and where it is from.

    What the command itself says would have to be imported.
    """
    return {entry.name: _told(entry) for entry in plugins.installed(plugins.COMMANDS)}


def _told(entry: EntryPoint) -> str:
    origin = plugins.describe(entry)
    summary = plugins.summary(entry)
    return f"{summary} ({origin})." if summary else f"From {origin}."


def command(name: str) -> BaseCommand:
    """Return the Django command of a name; raise ``CommandError`` if it cannot be had."""
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management.base import CommandError

    try:
        made: BaseCommand = plugins.load(name, plugins.COMMANDS)()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    return made
