"""``djsms send``: one text message from the command line."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand
from djsms.types import Encoding, Status

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from djsms.models import TextMessage

__all__ = ["Command"]


class Command(Subcommand):
    help = f"{SUBCOMMANDS['send']} Exits with 1 if the provider did not take it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("to", help="Whom to, such as +447700900123.")
        parser.add_argument("text", help="What to say; - reads it from standard input.")
        parser.add_argument(
            "--from",
            dest="frm",
            required=True,
            metavar="SENDER",
            help="Who says it: a number with +, a short code or a name.",
        )
        parser.add_argument(
            "--using", default="default", metavar="ACCOUNT", help="Which account sends it."
        )
        parser.add_argument(
            "--status-report", action="store_true", help="Ask the provider how it fares."
        )
        parser.add_argument(
            "--key", help="Send only if no message has been sent with this key before."
        )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        message = _send(options)
        if message.status is Status.REFUSED and message.attempted_on is None:
            raise CommandError(message.error_text)
        if verbosity:
            self._tell(message)
        if message.status.is_failure or message.status is Status.UNKNOWN:
            raise CommandError(f"{message.status}: {message.status.explanation}.")

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
        raise CommandError(f"Standard input cannot be read: {errors.one_line(error)}.") from error
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
