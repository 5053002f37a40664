"""``djsms sweep``: wakes the engine for what is due; for a timer, where no ``djsms work`` runs."""

from __future__ import annotations

from typing import Any

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand

__all__ = ["Command"]


class Command(Subcommand):
    help = SUBCOMMANDS["sweep"]

    def handle(self, *, verbosity: int, **options: Any) -> None:
        from djsms.engines import sweep

        with errors.told():
            due = sweep()
        if verbosity and due:
            self.say(f"The engine was woken for {', '.join(due)}.")
