"""Subcommands that installed plugins bring, by the entry points of the group ``djsms.commands``.

Each names a Django command, a class. None is imported before it is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from djsms.accounts import plugins

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

__all__ = ["command", "names"]


def names() -> dict[str, str]:
    """Return the name of each, with where it is from: what it does would have to be imported."""
    found = plugins.installed(plugins.COMMANDS)
    return {entry.name: f"From {plugins.describe(entry)}." for entry in found}


def command(name: str) -> BaseCommand:
    """Return the Django command of a name; raise ``CommandError`` if it cannot be had."""
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management.base import CommandError

    try:
        made: BaseCommand = plugins.load(name, plugins.COMMANDS)()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error
    return made
