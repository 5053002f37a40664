"""What all subcommands have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand

from djsms.cli import project

__all__ = ["Subcommand"]


class Subcommand(BaseCommand):
    """A Django command that also runs from the console script, where nothing is set up yet."""

    # One account's broken backend must not keep the others from being used or listed.
    requires_system_checks = ()
    needs_project = True
    _colour: bool | None = None

    def get_version(self) -> str:
        from importlib.metadata import version

        return version("django-simple-sms")

    def execute(self, *args: Any, **options: Any) -> str | None:
        if options["force_color"]:
            self._colour = True
        elif options["no_color"] or os.environ.get("NO_COLOR"):
            self._colour = False
            options["no_color"] = True
        if self.needs_project:
            project.set_up()
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
