"""``djsms pause``: nothing of an account goes that waits, by any worker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand
from djsms.cli.tables import counted

__all__ = ["Command"]


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['pause']} Holds for all workers; calls under way end. What is sent at once, "
        "by send_text, is sent all the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", metavar="ACCOUNT")
        parser.add_argument("--reason", default="", help="Why; for others to see.")

    def handle(self, *, account: str, reason: str, verbosity: int, **options: Any) -> None:
        from djsms import queue
        from djsms.waiting.queued import waiting

        with errors.told():
            queue.pause(account, reason)
        if verbosity:
            self.say(f"{account} is paused. {counted(waiting(account).count(), 'text')} waiting.")
