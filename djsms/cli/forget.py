"""``djsms forget``: shows what is stored of a number, asks, and erases it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from djsms.cli import SUBCOMMANDS, errors, streams
from djsms.cli.base import Subcommand

if TYPE_CHECKING:
    from djsms.erasing import Forgotten, Holdings

__all__ = ["Command"]

# More than a person reads.
SHOWN = 20


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['forget']} Shows first what would be erased. Status, times, segments, "
        "prices and ids of the messages stay. What waits is cancelled; exits with 1 if a message "
        "is under way and had to be left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="The person's phone number.")
        parser.add_argument("--yes", action="store_true", help="Do not ask before.")

    def handle(self, *, number: str, yes: bool, verbosity: int, **options: Any) -> None:
        from djsms.cli.progress import progress_bar
        from djsms.erasing import forget, holdings

        with errors.told():
            held = holdings(number)
        if verbosity or not yes:
            self._tell_held(held)
        if held.total:
            question = "Erase them? Nothing brings them back."
            self.confirm(question, yes=yes, otherwise="Nothing was erased.")
        with (
            errors.told(),
            progress_bar(
                "erasing",
                held.outgoing + held.incoming,
                out=streams.standard_error(),
                colourful=self.is_colourful,
            ) as show,
        ):
            try:
                done = forget(number, progress=show)
            except ValueError as error:
                raise CommandError(str(error)) from error
        if verbosity:
            self._tell_done(done)
        if done.left:
            raise CommandError(
                "Left, since the provider is being called for them just now: "
                f"{', '.join(done.left[:SHOWN])}. Run the command again in a minute."
            )

    def _tell_held(self, held: Holdings) -> None:
        self.say(f"{held.outgoing:>9,}  messages sent")
        if held.waiting:
            self.say(f"{held.waiting:>9,}  of them wait, and would be cancelled")
        if held.in_flight:
            self.say(f"{held.in_flight:>9,}  of them under way, and would be left")
        self.say(f"{held.incoming:>9,}  messages received")
        if held.parts:
            self.say(f"{held.parts:>9,}  parts of texts that wait for the rest")

    def _tell_done(self, done: Forgotten) -> None:
        self.say(f"{done.erased:>9,}  messages erased")
        if done.cancelled:
            self.say(f"{done.cancelled:>9,}  of them cancelled before")
        if done.parts:
            self.say(f"{done.parts:>9,}  waiting parts deleted")
        if done.reports:
            self.say(f"{done.reports:>9,}  reports of no message emptied")
