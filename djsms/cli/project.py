"""The project whose settings a subcommand works with."""

from __future__ import annotations

import os

import django
from django.apps import apps
from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.management.base import CommandError

from djsms.cli.errors import sentence

__all__ = ["ProjectBroken", "ProjectMissing", "load", "set_up"]


class ProjectMissing(CommandError):
    """Nothing says which project this is about."""


class ProjectBroken(CommandError):
    """The project's settings, or one of its apps, cannot be imported."""


def set_up() -> None:
    """Set up Django with the project's settings, for what needs the project's database."""
    load()
    if not apps.is_installed("djsms"):
        raise CommandError('The project does not use djsms: add "djsms" to INSTALLED_APPS.')


def load() -> None:
    """Set up Django with the project's settings, if that has not been done."""
    if apps.ready:
        return
    module = os.environ.get(ENVIRONMENT_VARIABLE)
    if not module and not settings.configured:
        raise ProjectMissing(
            f"No Django project: set {ENVIRONMENT_VARIABLE} (or give --settings) to the dotted "
            "path of its settings, or run python manage.py djsms in the project's folder."
        )
    try:
        django.setup()
    # settings may also say sys.exit("Set SHOP_ENV.")
    except (Exception, SystemExit) as error:
        if not settings.configured:
            # At its end a command closes connections, for which Django would read them again.
            settings.configure()
        hint = " Run it in the project's folder, or name that by --pythonpath."
        raise ProjectBroken(
            f"Django cannot be set up with the settings {module!r}: "
            f"{type(error).__name__}: {sentence(error)}"
            f"{hint if _is_missing(error, module) else ''}"
        ) from error


def _is_missing(error: BaseException, module: str | None) -> bool:
    return (
        isinstance(error, ModuleNotFoundError)
        and error.name is not None
        and f"{module}.".startswith(f"{error.name}.")
    )
