"""Long Unicode texts that Kannel would cut in the middle of a character.

Kannel cuts after every 67 code units of UTF-16, even between the two of which an emoji consists,
and a phone that reads each part for itself shows neither half. Such a text, and no other, is cut
here, and its parts are sent one by one with the header that joins them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from djsms import Encoding, OutgoingText

__all__ = ["Part", "parts"]

ALONE, JOINED = 70, 67
"""Code units that fit a message, and a part of one (3GPP TS 23.040, 9.2.3.24.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is sent with one call: a whole text as a rule, without ``ident`` and ``udh``."""

    text: str = field(repr=False)
    ident: str = ""
    """What tells this part from the others in the status reports."""
    udh: bytes = b""


def parts(message: OutgoingText) -> list[Part]:
    """Return what to send for a message, in order."""
    if message.encoding is Encoding.GSM7 or not _is_torn(message.text):
        return [Part(text=message.text)]
    pieces = list(_cut(message.text))
    # Phones tell the texts of one sender apart by this octet.
    reference = bytes.fromhex(message.ref[:2])
    return [
        Part(
            text=piece,
            ident=f"{message.ref}-{number}",
            udh=b"\x05\x00\x03" + reference + bytes([len(pieces), number]),
        )
        for number, piece in enumerate(pieces, 1)
    ]


def _is_torn(text: str) -> bool:
    units = text.encode("utf-16-be")
    if len(units) <= 2 * ALONE:
        return False
    ends = range(2 * JOINED, len(units), 2 * JOINED)
    return any(0xDC <= units[end] <= 0xDF for end in ends)


def _cut(text: str) -> Iterator[str]:
    piece, size = "", 0
    for char in text:
        width = 2 if char > "\uffff" else 1
        if size + width > JOINED:
            yield piece
            piece, size = "", 0
        piece, size = piece + char, size + width
    yield piece
