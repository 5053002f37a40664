"""``djsms startbackend``: begin a backend for a provider that has none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from djsms.cli import SUBCOMMANDS
from djsms.cli.base import Subcommand

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

__all__ = ["Command"]


class Command(Subcommand):
    help = f"{SUBCOMMANDS['startbackend']} Its first test run lists what is left to do."
    needs_project = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name", help="What DJSMS_BACKEND will say, such as acme; also the package's name."
        )
        parser.add_argument(
            "directory",
            nargs="?",
            type=Path,
            default=Path(),
            help="Where to write its folder; the current one if not given.",
        )

        parser.add_argument(
            "--auth",
            choices=("key", "basic", "token"),
            default="key",
            help="How the provider knows the account: by an API key, by user name and password, "
            "or by a token that it lends.",
        )
        parser.add_argument(
            "--webhooks",
            choices=("token", "signed"),
            default="token",
            help="How its webhooks are proved: by the token in their address, or by a signature.",
        )

    def handle(
        self,
        *,
        name: str,
        directory: Path,
        auth: str,
        webhooks: str,
        verbosity: int,
        **options: Any,
    ) -> None:
        from djsms import scaffold

        if not directory.is_dir():
            raise CommandError(f"There is no folder {directory}.")
        try:
            files = scaffold.write(name, directory, auth=auth, webhooks=webhooks)
        except (scaffold.InvalidName, OSError) as error:
            raise CommandError(str(error)) from error
        if not verbosity:
            return
        folder = directory / scaffold.Names.of(name).distribution
        for file in files:
            self.say(f"  {file}")
        self.say(
            f"\nNext:\n\n  cd {folder}\n  python -m pip install --upgrade pip\n"
            "  python -m pip install --group test -e .\n  pytest\n\n"
            "The tests that fail are what is left to do."
        )
