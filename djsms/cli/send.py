"""``djsms send``: text messages from the command line, one, or to many from a file."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand
from djsms.conf import MAX_CONCURRENCY
from djsms.types import Encoding, Status

if TYPE_CHECKING:
    from argparse import _ArgumentGroup

    from django.core.management.base import CommandParser

    from djsms.models import TextMessage

__all__ = ["Command"]

TO_MANY = ("template", "delimiter", "encoding", "results", "concurrency", "yes")


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['send']} Exits with 1 if the provider did not take it. With --csv: to each "
        "recipient in a file, after showing what it would be and asking."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("to", nargs="?", help="Whom to, such as +447700900123.")
        parser.add_argument("text", nargs="?", help="What to say; - reads it from standard input.")
        parser.add_argument(
            "--from",
            dest="frm",
            metavar="SENDER",
            help="Who says it: a number with +, a short code or a name; if not given, the "
            "account's own.",
        )
        parser.add_argument(
            "--using", default="default", metavar="ACCOUNT", help="Which account sends it."
        )
        parser.add_argument(
            "--status-report", action="store_true", help="Ask the provider how it fares."
        )
        parser.add_argument(
            "--key",
            help="Send only if no message has been sent with this key before; with --csv, a new "
            "key sends the same file once more.",
        )
        self._add_file_arguments(parser.add_argument_group("to many"))

    def _add_file_arguments(self, group: _ArgumentGroup) -> None:
        group.add_argument(
            "--csv",
            type=Path,
            metavar="FILE",
            help="A file with the columns to and text, named in its first line.",
        )
        group.add_argument(
            "--template",
            help="The text, with columns in braces instead of a column text: 'Dear {name}!'",
        )
        group.add_argument(
            "--delimiter", type=_delimiter, help="Between cells; guessed if not given."
        )
        group.add_argument("--encoding", help="Of the file; UTF-8 if not given.")
        group.add_argument(
            "--results",
            type=Path,
            metavar="FILE",
            help="Where to write what became of each line; beside the file if not given.",
        )
        group.add_argument(
            "--concurrency",
            type=_count,
            metavar="N",
            help="How many calls to the provider at once; if not given, as many as the backend "
            "is made for.",
        )
        group.add_argument("--yes", action="store_true", help="Do not ask before sending.")

    def handle(self, *, csv: Path | None, verbosity: int, **options: Any) -> None:
        _require_fitting(csv, options)
        if csv is not None:
            from djsms.cli.send_file import SendFile

            if options["template"] is not None:
                options["template"] = _decoded(options["template"])
            SendFile(self, csv, {**options, "verbosity": verbosity}).run()
            return
        message = _send(options)
        if message.status is Status.REFUSED and message.attempted_on is None:
            raise CommandError(message.error_text)
        if verbosity:
            self._tell(message)
        if message.status.is_failure or message.status is Status.UNKNOWN:
            is_ours = message.attempted_on is None
            reason = message.error_text if is_ours else f"{message.status.explanation}."
            raise CommandError(f"{message.status}: {reason}")

    def _tell(self, message: TextMessage) -> None:
        from djsms.cli.tables import visible

        facts = {
            "status": f"{message.status} ({message.status.explanation})",
            "account": f"{message.account} ({message.backend})",
            "ref": message.ref,
            "provider id": message.provider_id,
            "segments": _segments(message),
            "price": _price(message),
            "error": " ".join(filter(None, (message.error_code, message.error_text))),
        }
        width = max(map(len, facts))
        for name, value in facts.items():
            if value:
                self.say(f"{name:<{width}}  {visible(value)}")


def _require_fitting(csv: Path | None, options: dict[str, Any]) -> None:
    """Refuse arguments of the one way to send in the other."""
    one = [name for name in ("to", "text") if options[name] is not None]
    many = [name for name in TO_MANY if options[name] not in (None, False)]
    if csv is not None and one:
        raise CommandError(f"With --csv there is no {one[0]}: it is in the file.", returncode=2)
    if csv is None and len(one) < 2:
        raise CommandError("Whom to, and what to say? Give both, or a file: --csv.", returncode=2)
    if csv is None and many:
        raise CommandError(f"--{many[0]} goes with --csv.", returncode=2)


def _delimiter(value: str) -> str:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(value, value)
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise ArgumentTypeError(f"say one character, or tab, not {value!r}")
    return delimiter


def _count(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= MAX_CONCURRENCY):
        raise ArgumentTypeError(f"say a whole number from 1 to {MAX_CONCURRENCY}, not {value!r}")
    return int(value)


def _send(options: dict[str, Any]) -> TextMessage:
    from djsms.sending.now import send_text

    names = ("frm", "to", "using", "status_report", "key")
    text = _standard_input() if options["text"] == "-" else options["text"]
    return send_text(_decoded(text), **{name: options[name] for name in names})


def _standard_input() -> str:
    if sys.stdin is None:
        raise CommandError("The text was to come from standard input, which is closed.")
    try:
        text = sys.stdin.read()
    except (OSError, ValueError) as error:
        raise CommandError(f"Standard input cannot be read: {errors.sentence(error)}") from error
    # The newline that ends the last line is the shell's, not the message's.
    return text.removesuffix("\n")


def _decoded(text: str) -> str:
    """Return a text from the shell, which Python may have read in a poorer encoding than UTF-8."""
    try:
        return os.fsencode(text).decode()
    except UnicodeError:
        raise CommandError("The text is not in UTF-8.") from None


def _price(message: TextMessage) -> str:
    if message.price is None:
        return ""
    return f"{message.price.normalize():f} {message.currency}".rstrip()


def _segments(message: TextMessage) -> str:
    from djsms.segments import ucs2_characters

    told = f"{message.segments}, {message.encoding}"
    if message.encoding != Encoding.UCS2:
        return told
    return f"{told}, because of {' '.join(ucs2_characters(message.text)[:10])}"
