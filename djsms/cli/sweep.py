"""``djsms sweep``: wakes the engine for what is due; for a timer, where no ``djsms work`` runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand

__all__ = ["Command"]


class Command(Subcommand):
    help = SUBCOMMANDS["sweep"]

    def handle(self, *, verbosity: int, **options: Any) -> None:
        from djsms import conf
        from djsms.accounts import engines
        from djsms.engines import sweep

        with errors.told():
            due = sweep()
        names = ", ".join(due)
        error = engines.bell().error
        if due and error is not None:
            raise CommandError(
                f"The engine cannot be woken for {names}: {type(error).__name__}: "
                f"{errors.sentence(error)} What waits is safe, and goes with the first sweep that "
                "can wake it."
            )
        if verbosity and due:
            is_woken = conf.engine() != "worker"
            self.say(
                f"The engine was woken for {names}."
                if is_woken
                else f"Texts are due for {names}: djsms work sends them."
            )
