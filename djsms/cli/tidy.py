"""``djsms tidy``: for cron, every few minutes."""

from __future__ import annotations

from typing import Any

from djsms.cli import SUBCOMMANDS
from djsms.cli.base import Subcommand

__all__ = ["Command"]


class Command(Subcommand):
    help = SUBCOMMANDS["tidy"]

    def handle(self, *, verbosity: int, **options: Any) -> None:
        from djsms.tidying import tidy

        tidied = tidy()
        if verbosity:
            self.say(
                f"{tidied.unknown:>6}  calls to the provider that never came back, now unknown"
            )
            self.say(f"{tidied.failed:>6}  messages whose turn to be sent never came, now failed")
            self.say(f"{tidied.expired:>6}  messages that waited until their time was over")
            self.say(f"{tidied.reports:>6}  status reports that found their message only now")
            self.say(f"{tidied.released:>6}  incoming texts released without their missing parts")
            self.say(f"{tidied.parts:>6}  old parts of joined texts deleted")
            self.say(f"{tidied.erased:>6}  old messages whose text and number are erased")
            self.say(f"{tidied.hours:>6}  hours whose sums have changed")
