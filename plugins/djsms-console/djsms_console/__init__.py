"""Prints texts on the terminal instead of sending them: the backend for development."""

from __future__ import annotations

import sys
import threading
import uuid

from djsms import OutgoingText, SendResult, Status, hookimpl
from djsms.backends import LocalBackend
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable

__all__ = ["ConsoleBackend", "block"]

GUTTER = "  | "

# One for all accounts: they share the terminal.
_printing = threading.Lock()


class ConsoleBackend(LocalBackend):
    """Prints each message on standard output, as one block.

    Raises ``TemporarilyUnavailable`` if there is no standard output or it is closed, and
    ``OutcomeUnknown`` if printing fails half-way, as on a broken pipe.
    """

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        # Looked up now, since pytest and other programs replace it while they run.
        stream = sys.stdout
        if stream is None:
            raise TemporarilyUnavailable("There is no standard output to print on.")
        lines = block(message)
        # Not every stand-in for standard output has an encoding.
        if encoding := getattr(stream, "encoding", None):
            lines = lines.encode(encoding, "backslashreplace").decode(encoding)
        try:
            with _printing:
                stream.write(lines)
                stream.flush()
        except ValueError as error:
            raise TemporarilyUnavailable(f"Standard output is not usable: {error}") from error
        except OSError as error:
            # What the stream still holds in its buffer may yet come out.
            raise OutcomeUnknown(f"Printing failed: {error.strerror}") from error
        return SendResult.accepted(f"console-{uuid.uuid4().hex}", status=Status.SENT)


def block(message: OutgoingText) -> str:
    """Return the lines that show ``message``, in printable characters and newlines alone.

    Only the first line starts at the margin and only lines of the text have the gutter, so no text
    can pass for another message, and none can give commands to the terminal.
    """
    plural = "" if message.segments == 1 else "s"
    lines = [
        f"Text from {_visible(message.frm)} to {_visible(message.to)}"
        f" ({message.segments} segment{plural}, {message.encoding})",
        f"  ref {_visible(message.ref)}",
    ]
    if message.status_report:
        address = _visible(message.callback_url) or (
            "nowhere: djsms webhooks says what the project lacks"
        )
        lines.append(f"  status reports to {address}")
    lines += [GUTTER + _visible(line) for line in message.text.split("\n")]
    return "\n".join([*lines, "", ""])


def _visible(text: str) -> str:
    # What is not printable: controls, bidirectional and zero-width marks, separators, surrogates.
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
