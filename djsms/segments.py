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
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import Promise

__all__ = [
    "DEFAULT_ALPHABET",
    "EXTENSION_TABLE",
    "Encoding",
    "Segmentation",
    "count",
    "is_gsm7",
    "plain",
    "split",
    "to_gsm",
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

# fmt: off
_SIGNS = str.maketrans({
    "…": "...", "‥": "..", "․": ".", "‼": "!!", "⁇": "??", "⁈": "?!", "⁉": "!?", "•": "*",
    "∗": "*", "×": "x", "⁄": "/", "∕": "/", "∶": ":", "¦": "|", "ˆ": "^", "˜": "~", "∼": "~",
    "〜": "~", "￡": "£", "￥": "¥", "Ĳ": "IJ", "ĳ": "ij", "ŉ": "'n", "ſ": "s", "ẞ": "SS",
    "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st",
})
# fmt: on

# What the GSM alphabet writes otherwise. No letter is among it but those that only their shape sets
# apart: ligatures and wide letters.
_NEAREST: dict[int, str] = {
    **dict.fromkeys(map(ord, "‘’‚‛‹›′‵´`ʼ＇｀"), "'"),
    **dict.fromkeys(map(ord, "“”„‟«»″‶〝〞＂"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−⁃﹘﹣－"), "-"),
    **dict.fromkeys([0x09, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "),
    **dict.fromkeys([0x0B, 0x85, 0x2028, 0x2029], "\n"),
    # Break and hyphenate nothing, or order and shape letters that the alphabet has none of.
    **dict.fromkeys(
        [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)], ""
    ),
    **dict.fromkeys([0xFE0E, 0xFE0F, 0xFEFF], ""),
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F) if chr(code) not in "＇｀＂－"},
    **_SIGNS,
}

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


def split(text: str | Promise) -> Segmentation:
    """Cut a text into segments, each as long as it may be.

    A character is never split: neither the escape pair of the extension table nor a surrogate pair,
    which moves to the next segment as a whole. So 306 septets may need three segments. The empty
    text is one segment of 0 units: sent at all, it is one message.
    """
    text = plain(text)
    encoding = Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2
    single, joined, width = _MEASURES[encoding]
    units = width(text)
    segments = (text,) if units <= single else tuple(_cut(text, joined, width))
    return Segmentation(encoding=encoding, segments=segments, units=units)


def count(text: str | Promise) -> tuple[Encoding, int]:
    """Return the encoding and the number of segments: what ``split`` says, without the pieces."""
    text = plain(text)
    encoding = Encoding.GSM7 if is_gsm7(text) else Encoding.UCS2
    single, joined, width = _MEASURES[encoding]
    units = width(text)
    if units <= single:
        return encoding, 1
    if units == len(text) and (encoding is Encoding.GSM7 or not _lone_pair(text)):
        return encoding, -(-units // joined)  # Nothing is two units long, so nothing can straddle.
    return encoding, sum(1 for _ in _cut(text, joined, width))


def is_gsm7(text: str | Promise) -> bool:
    """Tell whether the GSM 7 bit default alphabet and its extension table suffice for a text."""
    return _gsm7(plain(text)) is not None


def ucs2_characters(text: str | Promise) -> tuple[str, ...]:
    """Return the distinct characters that force a text into UCS-2, in order of appearance."""
    return tuple(dict.fromkeys(_find_ucs2(plain(text))))


def to_gsm(text: str | Promise) -> str:
    """Return the nearest text in the GSM alphabet, which fits more characters into a segment.

    Curly quotes, dashes, spaces, dots, ligatures and wide letters become their plain forms, marks
    that nobody sees go, and a letter with its accent apart becomes one. No letter loses its accent
    or becomes another: a text with letters that the alphabet has none for, or with an emoji, is
    returned as it is, since nothing is gained. So is one that would take more segments.
    """
    text = plain(text)
    nearest = unicodedata.normalize("NFC", text).translate(_NEAREST)
    return nearest if is_gsm7(nearest) and count(nearest)[1] <= count(text)[1] else text


def plain(value: object, argument: str = "text", kind: str = "a text") -> str:
    """Return a text as plain ``str``: a lazy translation in the language that is active now.

    Raises ``TypeError``, which names the argument and the kind that it should be of, for what is no
    text.
    """
    if not isinstance(value, str):
        # Not imported above: the alphabet has no need of Django.
        from django.utils.functional import Promise

        if not isinstance(value, Promise):
            raise TypeError(f"{argument} must be {kind}, not {type(value).__name__}.")
        value = str(value)
    # A subclass may return itself for its text, as Django's safe strings do.
    return str.__str__(value)


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
