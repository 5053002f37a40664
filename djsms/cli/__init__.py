"""The command line: ``djsms X``, which under a project is also ``manage.py djsms X``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.core.management.base import BaseCommand

__all__ = ["SUBCOMMANDS", "command", "main", "overview", "subcommands"]

# Each is a module of this package that holds a Django command named Command. What they say of
# themselves stands here, so that asking for help imports none of them.
SUBCOMMANDS = {
    "balance": "Ask the providers how much credit the accounts have left.",
    "cancel": "Take back texts that wait.",
    "demo": "Watch texts go out, be reported and be answered; needs no settings.",
    "export": "Write messages as CSV, for spreadsheets and programs.",
    "forget": "Erase a person's number and texts, and keep what they cost.",
    "listbackends": "List the installed backends and engines, and what is wrong with them.",
    "pause": "Let no text of an account go that waits, until it is resumed.",
    "queue": "Show how the texts stand that wait, and who sends them.",
    "refresh": "Ask the providers how messages stand.",
    "resend": "Send again what did not arrive, as new messages.",
    "resume": "Let the texts of an account go again that wait.",
    "send": "Send a text message, or many from a file, and tell what became of it.",
    "startbackend": "Begin a backend for a provider: write a complete distribution.",
    "sweep": "Wake the engine for what is due: run it every half minute where no worker runs.",
    "tidy": "Put in order what only time can tell: run it every few minutes.",
    "webhooks": "Show the addresses to paste into the provider's settings.",
    "work": "Send the texts that wait, until told to stop.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the console script ``djsms``; return its exit code, or exit with one that is not 0."""
    from djsms.cli import streams

    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments:
        _parser().print_help(sys.stderr)
        return 2

    _look_here_first()

    def run() -> None:
        # Looking for those of plugins takes time that our own need not wait for.
        ours = arguments[0] in SUBCOMMANDS
        chosen = arguments[0] if ours else _parser().parse_args(arguments[:1]).subcommand
        command(chosen).run_from_argv(["djsms", *arguments])

    streams.run(run)
    return 0


def command(subcommand: str) -> BaseCommand:
    """Return the Django command behind a subcommand."""
    from importlib import import_module

    if subcommand not in SUBCOMMANDS:
        from djsms.cli import contributed

        return contributed.command(subcommand)
    made: BaseCommand = import_module(f"djsms.cli.{subcommand}").Command()
    return made


def subcommands() -> dict[str, str]:
    """Return all subcommands with what each does: ours, and those that installed plugins bring."""
    from djsms.cli import contributed

    # A name that is ours already stays ours.
    return SUBCOMMANDS | {
        name: words for name, words in contributed.names().items() if name not in SUBCOMMANDS
    }


def overview() -> str:
    """Return the subcommands, one a line, each with what it does."""
    known = subcommands()
    width = max(map(len, known))
    lines = [f"  {name:<{width}}  {purpose}" for name, purpose in known.items()]
    return "\n".join(["subcommands:", *lines])


def _look_here_first() -> None:
    """Find the project in the working folder, as ``manage.py`` and ``python -m`` do."""
    if "" not in sys.path:
        sys.path.insert(0, "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="djsms",
        usage="djsms subcommand [options]",
        description="Text messages from Django. Each subcommand has its own --help.",
        epilog=overview(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version)
    parser.add_argument(
        "subcommand", choices=subcommands(), metavar="subcommand", help="One of those below."
    )
    return parser


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="Show the version and exit.")

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        # Reading it takes longer than all the rest of --help.
        from importlib.metadata import version

        print(version("django-simple-sms"))
        parser.exit()
