"""How a text is cut into SMS segments, which is what providers bill and carriers limit.

A text whose characters are all in the GSM 7 bit default alphabet or its extension table (3GPP TS
23.038 §6.2.1 and §6.2.1.1) is measured in septets; one other character makes the whole text UCS-2,
measured in UTF-16 code units (§6.2.3). One short message carries 140 octets: 160 septets or 70 code
units. In a longer text each segment gives 6 octets to the header that joins them (3GPP TS 23.040
§9.2.3.24.1), which leaves 153 septets or 67 code units.

National language shift tables are not counted on: a provider does not use them unasked.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

__all__ = [
    "DEFAULT_ALPHABET",
    "EXTENSION_TABLE",
    "Encoding",
    "Segmentation",
    "count",
    "is_gsm7",
    "split",
    "ucs2_characters",
]

# The escape at 0x1B, between Ξ and Æ, is left out: it announces a character and is none itself.
DEFAULT_ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The characters of one septet each, in the order of their codes: 3GPP TS 23.038 §6.2.1."""

EXTENSION_TABLE = "\f^{}\\[~]|€"
"""The characters of two septets each, an escape and a code: 3GPP TS 23.038 §6.2.1.1."""

# The possessive repeat spares the engine one backtracking point for each character.
_gsm7 = re.compile(f"[{re.escape(DEFAULT_ALPHABET + EXTENSION_TABLE)}]*+").fullmatch
_find_ucs2 = re.compile(f"[^{re.escape(DEFAULT_ALPHABET + EXTENSION_TABLE)}]").findall

# Two lone surrogates side by side, as careless JSON brings them, are a pair once they are sent.
_lone_pair = re.compile("[\ud800-\udbff][\udc00-\udfff]").search


class Encoding(enum.StrEnum):
    """How a text travels over the air; it decides how many characters fit a segment."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """A text as it is cut into segments."""

    encoding: Encoding

    segments: tuple[str, ...] = field(repr=False)
    """The text of each segment, at least one; joined they are the text."""

    units: int
    """The whole text in septets (GSM 7 bit) or UTF-16 code units (UCS-2), without any header."""

    @property
    def count(self) -> int:
        """The number of segments."""
        return len(self.segments)

    @property
    def limit(self) -> int:
        """The units that fit into each segment of this text: fewer as soon as there are two."""
        single, joined, _ = _MEASURES[self.encoding]
        return single if self.count == 1 else joined

    @property
    def remaining(self) -> int:
        """The units still free in the last segment."""
        _, _, width = _MEASURES[self.encoding]
        return self.limit - width(self.segments[-1])


def split(text: str) -> Segmentation:
    """Cut a text into segments, each as long as it may be.

    A character is never split: neither the escape pair of the extension table nor a surrogate pair,
    which moves to the next segment as a whole. So 306 septets may need three segments. The empty
    text is one segment of 0 units: sent at all, it is one message.
    """
    encoding = Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2
    single, joined, width = _MEASURES[encoding]
    units = width(text)
    segments = (text,) if units <= single else tuple(_cut(text, joined, width))
    return Segmentation(encoding=encoding, segments=segments, units=units)


def count(text: str) -> tuple[Encoding, int]:
    """Return the encoding and the number of segments: what ``split`` says, without the pieces."""
    encoding = Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2
    single, joined, width = _MEASURES[encoding]
    units = width(text)
    if units <= single:
        return encoding, 1
    if units == len(text) and (encoding is Encoding.GSM7 or not _lone_pair(text)):
        return encoding, -(-units // joined)  # Nothing is two units long, so nothing can straddle.
    return encoding, sum(1 for _ in _cut(text, joined, width))


def is_gsm7(text: str) -> bool:
    """Tell whether the GSM 7 bit default alphabet and its extension table suffice for a text."""
    return _gsm7(text) is not None


def ucs2_characters(text: str) -> tuple[str, ...]:
    """Return the distinct characters that force a text into UCS-2, in order of appearance."""
    return tuple(dict.fromkeys(_find_ucs2(text)))


def _septets(text: str) -> int:
    # Ten searches in C are faster than one look at each character.
    return len(text) + sum([text.count(char) for char in EXTENSION_TABLE if char in text])


def _code_units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# Units in a message of one segment, units in each of several, and the units that a text takes.
_MEASURES: dict[Encoding, tuple[int, int, Callable[[str], int]]] = {
    Encoding.GSM7: (160, 153, _septets),
    Encoding.UCS2: (70, 67, _code_units),
}


def _cut(text: str, limit: int, width: Callable[[str], int]) -> Iterator[str]:
    start = 0
    while start < len(text):
        piece = text[start : start + limit]
        # A character takes at most two units, so this drops no more than it must.
        while (excess := width(piece) - limit) > 0:
            piece = piece[: -((excess + 1) // 2)]
        end = start + len(piece)
        if _lone_pair(text, end - 1, end + 1):
            piece = piece[:-1]
        yield piece
        start += len(piece)
