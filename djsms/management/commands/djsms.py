"""``manage.py djsms X``: the console script's subcommands, with the project's settings."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

from djsms.cli import command, overview, streams, subcommands

__all__ = ["Command"]


FLAGS = ("traceback", "no_color", "force_color")


class Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Leaves the list of subcommands in its lines."""


class Command(BaseCommand):
    help = "Text messages. Each subcommand has its own --help."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, epilog=overview(), formatter_class=Formatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "subcommand", choices=subcommands(), metavar="subcommand", help="One of those below."
        )
        parser.add_argument(
            "arguments", nargs=argparse.REMAINDER, help="What the subcommand takes."
        )

    def run_from_argv(self, argv: list[str]) -> None:
        # The subcommand is a Django command of its own, and so has its own options and --help.
        if argv[2:] and argv[2] in subcommands():
            command(argv[2]).run_from_argv([f"{os.path.basename(argv[0])} {argv[1]}", *argv[2:]])  # noqa: PTH119
        else:
            streams.run(lambda: self._run_own(argv))

    def _run_own(self, argv: list[str]) -> None:
        if not argv[2:]:
            self.create_parser(argv[0], argv[1]).print_help(sys.stderr)
            raise SystemExit(2)
        super().run_from_argv(argv)

    def handle(self, *, subcommand: str, arguments: list[str], **options: Any) -> None:
        # First, so that what stands after the subcommand wins.
        common = [f"--verbosity={options['verbosity']}"]
        common += [f"--{name.replace('_', '-')}" for name in FLAGS if options[name]]
        call_command(
            command(subcommand), *common, *arguments, stdout=self.stdout, stderr=self.stderr
        )
