"""``djsms demo``: the whole way of a text, in a project that exists in memory only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import django
from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.management import call_command
from django.core.management.base import CommandError

from djsms.cli import SUBCOMMANDS
from djsms.cli.base import Subcommand

__all__ = ["BACKEND", "SETTINGS", "Command"]

# The one backend that the core knows by name: it is what makes the demo visible.
BACKEND = "console"

SETTINGS: dict[str, Any] = {
    "INSTALLED_APPS": ["djsms"],
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "ROOT_URLCONF": "djsms.cli.demo_urls",
    "ALLOWED_HOSTS": ["example.com"],
    # Protects nothing: the project is gone when the demo ends.
    "SECRET_KEY": "demo",
    "USE_TZ": True,
    "DJSMS_BACKEND": BACKEND,
    "DJSMS_BASE_URL": "https://example.com",
}


class Command(Subcommand):
    help = f"{SUBCOMMANDS['demo']} No network, and nothing stays behind."
    needs_project = False

    def handle(self, **options: Any) -> None:
        if settings.configured:
            self._run_apart()
            return
        settings.configure(**SETTINGS)
        django.setup()
        self._require_backend()
        call_command("migrate", verbosity=0, interactive=False)
        from djsms.cli.demo_story import Story

        Story(self).tell()

    def _require_backend(self) -> None:
        from djsms.accounts import gateways, plugins
        from djsms.exceptions import BackendNotFound

        try:
            plugins.find(BACKEND)
        except BackendNotFound:
            raise CommandError(
                f"The demo prints its texts with the {BACKEND} backend, which is not installed: "
                f"pip install djsms-{BACKEND}"
            ) from None
        gateways.get()

    def _run_apart(self) -> None:
        """Run in another process: this one belongs to a project, with a database of its own."""
        environment = {
            **{k: v for k, v in os.environ.items() if k != ENVIRONMENT_VARIABLE},
            "COLUMNS": str(shutil.get_terminal_size().columns),
            "PYTHONIOENCODING": "utf-8",
        }
        colour = "--force-color" if self.is_colourful else "--no-color"
        run = subprocess.run(
            [sys.executable, "-m", "djsms.cli", "demo", colour],
            env=environment,
            capture_output=True,
            encoding="utf-8",
        )
        self.say(run.stdout.rstrip("\n"))
        if run.returncode:
            raise CommandError(run.stderr.strip().removeprefix("CommandError: "))
