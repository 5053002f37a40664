"""``djsms resume``: opens an account that was paused, or that had closed by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand
from djsms.cli.tables import counted

__all__ = ["Command"]


class Command(Subcommand):
    help = f"{SUBCOMMANDS['resume']} Opens it as well if it had closed by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT")

    def handle(self, *, account: str, verbosity: int, **options: Any) -> None:
        from djsms import queue
        from djsms.waiting.queued import waiting

        with errors.told():
            queue.resume(account)
        if verbosity:
            self.say(f"{account} is open. {counted(waiting(account).count(), 'text')} waiting.")
