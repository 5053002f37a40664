"""What all subcommands have in common."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.core.management.color import no_style

from djsms.cli import errors, project, streams

__all__ = ["Subcommand"]


class Output(OutputWrapper):
    """Standard output as commands write it; what is lost is told before the next step."""

    def write(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as Django's
        with streams.telling_loss():
            super().write(*args, **kwargs)
            self.flush()


class Subcommand(BaseCommand):
    """A Django command that also runs from the console script, where nothing is set up yet."""

    # One account's broken backend must not keep the others from being used or listed.
    requires_system_checks = ()
    needs_project = True
    _colour: bool | None = None

    def __init__(self, stdout: Any = None, stderr: Any = None, **options: Any) -> None:
        super().__init__(stdout, stderr or streams.standard_error(), **options)
        self.stdout = Output(stdout or streams.standard_output())

    def run_from_argv(self, argv: list[str]) -> None:
        streams.run(lambda: super(Subcommand, self).run_from_argv(argv))

    def get_version(self) -> str:
        from importlib.metadata import version

        return version("django-simple-sms")

    def execute(self, *args: Any, **options: Any) -> str | None:
        if options["force_color"]:
            self._colour = True
        elif options["no_color"] or os.environ.get("NO_COLOR"):
            self._colour = False
            options["no_color"] = True
            # Django does so too, but only after what may go wrong here.
            self.style = no_style()
            self.stderr.style_func = None
        if self.needs_project:
            project.set_up()
        with errors.told():
            return super().execute(*args, **options)

    @property
    def is_colourful(self) -> bool:
        """Whether to print for a person at a terminal; else plainly, for programs and logs."""
        return self.stdout.isatty() if self._colour is None else self._colour

    @property
    def encoding(self) -> str:
        """The encoding of standard output; UTF-8 if it has none, as when it is kept in memory."""
        return getattr(self.stdout, "encoding", None) or "utf-8"

    def say(self, text: str = "") -> None:
        """Print a line on standard output, whatever its encoding can express."""
        self.stdout.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))

    def note(self, text: str) -> None:
        """Tell a person something beside the output; not in red, as nothing is wrong."""
        self.stderr.write(text, self.style.WARNING)

    def confirm(self, question: str, *, yes: bool, otherwise: str = "Nothing was sent.") -> None:
        """Ask a person before something is done; raise ``CommandError`` if nobody says yes."""
        if yes:
            return
        self.stderr.write(f"{question} [y/N] ", lambda text: text, ending="")
        self.stderr.flush()
        answer = sys.stdin.readline() if sys.stdin else ""
        if answer.strip().casefold() not in ("y", "yes"):
            raise CommandError(f"{otherwise} Answer y, or give --yes where nobody answers.")

    def say_table(self, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table; cells may be ``tables.Styled``."""
        from djsms.cli import tables

        table = tables.render(
            headers,
            rows,
            colourful=self.is_colourful,
            ascii_only="utf" not in self.encoding.lower(),
        )
        self.say(table)
