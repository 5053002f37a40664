from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy, override
from hypothesis import given
from hypothesis import strategies as st

from djsms import segments
from djsms.types import Encoding

GSM7, UCS2 = Encoding.GSM7, Encoding.UCS2

# 3GPP TS 23.038 §6.2.1 by code point, sixteen codes a row; None is the escape at 0x1B.
# fmt: off
DEFAULT = [
    0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC, 0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5,
    0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E,
    None, 0xC6, 0xE6, 0xDF, 0xC9,
    0x20, 0x21, 0x22, 0x23, 0xA4, *range(0x25, 0x30),
    *range(0x30, 0x40),
    0xA1, *range(0x41, 0x50),
    *range(0x50, 0x5B), 0xC4, 0xD6, 0xD1, 0xDC, 0xA7,
    0xBF, *range(0x61, 0x70),
    *range(0x70, 0x7B), 0xE4, 0xF6, 0xF1, 0xFC, 0xE0,
]
# fmt: on
ONE_SEPTET = {chr(code) for code in DEFAULT if code is not None}
# §6.2.1.1, by code.
TWO_SEPTETS = {
    0x0A: "\N{FORM FEED}",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "\N{EURO SIGN}",
}
EXTENSION = set(TWO_SEPTETS.values())


def naive_width(char: str, encoding: Encoding) -> int:
    if encoding is GSM7:
        return 2 if char in EXTENSION else 1
    return 2 if ord(char) > 0xFFFF else 1


def naive_encoding(text: str) -> Encoding:
    return GSM7 if all(char in ONE_SEPTET or char in EXTENSION for char in text) else UCS2


def naive_split(text: str) -> list[str]:
    """Fill one segment after the other, character by character. Knows no lone surrogates."""
    encoding = naive_encoding(text)
    widths = [naive_width(char, encoding) for char in text]
    single, joined = (160, 153) if encoding is GSM7 else (70, 67)
    if sum(widths) <= single:
        return [text]
    pieces, used = [""], 0
    for char, width in zip(text, widths, strict=True):
        if used + width > joined:
            pieces.append("")
            used = 0
        pieces[-1] += char
        used += width
    return pieces


def fewest(text: str) -> int:
    """The smallest number of segments over every way to cut, not only the greedy one."""
    encoding = naive_encoding(text)
    widths = [naive_width(char, encoding) for char in text]
    single, joined = (160, 153) if encoding is GSM7 else (70, 67)
    if sum(widths) <= single:
        return 1
    best = [0] + [len(text)] * len(text)
    for end in range(1, len(text) + 1):
        start, used = end, 0
        while start and used + widths[start - 1] <= joined:
            start -= 1
            used += widths[start]
            best[end] = min(best[end], best[start] + 1)
    return best[-1]


def mix(*alphabets: str) -> st.SearchStrategy[str]:
    """Texts of up to some five segments, long enough for their ends to matter."""
    return st.lists(
        st.tuples(st.one_of(*map(st.sampled_from, alphabets)), st.integers(1, 90)), max_size=12
    ).map(lambda runs: "".join(char * times for char, times in runs))


gsm7_texts = mix("aé\n@", "".join(sorted(EXTENSION)))
ucs2_texts = mix("aяç`", "😀👍\U0010ffff")
texts = st.one_of(gsm7_texts, ucs2_texts, mix("aя", "€", "😀"), st.text())
surrogates = st.one_of(
    mix("aя😀", "\ud83d\ude00\udfff"), st.text(st.characters(categories=["Cs", "Lu"]))
)
any_texts = st.one_of(texts, surrogates)


class TestTheAlphabet:
    def test_the_default_alphabet_is_that_of_the_specification_in_its_order(self):
        assert [ord(char) for char in segments.DEFAULT_ALPHABET] == [
            code for code in DEFAULT if code is not None
        ]

    def test_the_extension_table_is_that_of_the_specification_in_its_order(self):
        assert list(segments.EXTENSION_TABLE) == list(TWO_SEPTETS.values())

    @pytest.mark.parametrize("char", segments.DEFAULT_ALPHABET)
    def test_a_character_of_the_default_alphabet_is_one_septet(self, char):
        assert segments.split(char).units == 1

    @pytest.mark.parametrize("char", segments.EXTENSION_TABLE)
    def test_a_character_of_the_extension_table_is_two_septets(self, char):
        assert segments.split(char).units == 2

    @pytest.mark.parametrize(
        "char",
        [
            pytest.param(char, id=unicodedata.name(char, f"U+{ord(char):04X}"))
            for char in "`ç\xa0\t\x1b\0‘’“”–…•áíóúêëŁşΑΒ\u2126\u2206я中😀\u200d\ufeff\ud83d\udfff"
        ],
    )
    def test_what_is_in_neither_needs_ucs2(self, char):
        assert not segments.is_gsm7(char)

    def test_no_other_character_of_the_basic_plane_is_gsm7(self):
        found = {char for char in map(chr, range(0x10000)) if segments.is_gsm7(char)}
        assert found == ONE_SEPTET | EXTENSION

    def test_one_foreign_character_anywhere_makes_the_whole_text_ucs2(self):
        assert not segments.is_gsm7("a" * 500 + "я" + "a" * 500)

    def test_a_line_break_at_the_end_hides_nothing_before_it(self):
        assert not segments.is_gsm7("ç\n")

    def test_the_empty_text_is_gsm7(self):
        assert segments.is_gsm7("")


class TestWhatForcesUCS2:
    def test_distinct_characters_are_named_in_order_of_appearance(self):
        assert segments.ucs2_characters("it’s “ça”, isn’t it “ça”") == ("’", "“", "ç", "”")

    def test_a_character_beyond_the_basic_plane_is_named_as_one(self):
        assert segments.ucs2_characters("well done 👍") == ("👍",)

    def test_gsm7_text_has_none(self):
        assert segments.ucs2_characters("Price: 5 € [net]\f") == ()

    @given(any_texts)
    def test_without_them_a_text_is_gsm7(self, text):
        for char in segments.ucs2_characters(text):
            text = text.replace(char, "")
        assert segments.is_gsm7(text)


BOUNDARIES = [
    # text, encoding, units in each segment
    ("", GSM7, [0]),
    ("a" * 160, GSM7, [160]),
    ("a" * 161, GSM7, [153, 8]),
    ("a" * 306, GSM7, [153, 153]),
    ("a" * 307, GSM7, [153, 153, 1]),
    ("a" * 459, GSM7, [153, 153, 153]),
    ("€" * 80, GSM7, [160]),
    ("€" * 81, GSM7, [152, 10]),
    ("€" * 152, GSM7, [152, 152]),
    ("€" * 153, GSM7, [152, 152, 2]),
    ("a" * 158 + "€", GSM7, [160]),
    ("a" * 159 + "€", GSM7, [153, 8]),
    ("a" * 151 + "€" + "a" * 153, GSM7, [153, 153]),
    ("a" * 152 + "€" + "a" * 151, GSM7, [152, 153]),
    ("a" * 152 + "€" + "a" * 152, GSM7, [152, 153, 1]),
    ("a" * 153 + "€" + "a" * 151, GSM7, [153, 153]),
    ("a" * 152 + "\f" + "a" * 152, GSM7, [152, 153, 1]),
    ("a" * 152 + "€" + "a" * 150 + "€", GSM7, [152, 152, 2]),
    ("я" * 70, UCS2, [70]),
    ("я" * 71, UCS2, [67, 4]),
    ("я" * 134, UCS2, [67, 67]),
    ("я" * 135, UCS2, [67, 67, 1]),
    ("я" + "a" * 70, UCS2, [67, 4]),
    ("я" + "€" * 69, UCS2, [70]),
    ("😀" * 35, UCS2, [70]),
    ("😀" * 36, UCS2, [66, 6]),
    ("😀" * 66, UCS2, [66, 66]),
    ("😀" * 67, UCS2, [66, 66, 2]),
    ("я" * 65 + "😀" + "я" * 67, UCS2, [67, 67]),
    ("я" * 66 + "😀" + "я" * 65, UCS2, [66, 67]),
    ("я" * 66 + "😀" + "я" * 66, UCS2, [66, 67, 1]),
    ("\ud83d" * 70, UCS2, [70]),
    ("\ud83d" * 71, UCS2, [67, 4]),
    ("\ude00" * 71, UCS2, [67, 4]),
    ("я" * 66 + "\ud83d\ude00" + "я" * 66, UCS2, [66, 67, 1]),
    ("я" * 66 + "\ud83d" + "я" * 67, UCS2, [67, 67]),
]


def abridged(text: str) -> str:
    runs: list[list[str]] = []
    for char in text:
        if runs and runs[-1][0] == char:
            runs[-1].append(char)
        else:
            runs.append([char])
    return "+".join(f"{len(run)}{ascii(run[0])[1:-1]}" for run in runs) or "empty"


@pytest.mark.parametrize(
    ("text", "encoding", "fill"), BOUNDARIES, ids=[abridged(row[0]) for row in BOUNDARIES]
)
class TestAtTheBoundaries:
    def test_the_encoding_is_exact(self, text, encoding, fill):
        assert segments.split(text).encoding is encoding

    def test_each_segment_holds_what_it_may(self, text, encoding, fill):
        pieces = segments.split(text).segments
        assert [sum(naive_width(char, encoding) for char in piece) for piece in pieces] == fill

    def test_all_units_are_counted(self, text, encoding, fill):
        assert segments.split(text).units == sum(fill)

    def test_the_count_is_exact(self, text, encoding, fill):
        assert segments.count(text) == (encoding, len(fill))

    def test_what_remains_is_the_room_in_the_last_segment(self, text, encoding, fill):
        limits = {GSM7: (160, 153), UCS2: (70, 67)}[encoding]
        assert segments.split(text).remaining == limits[len(fill) > 1] - fill[-1]


class TestASegmentation:
    def test_the_empty_text_is_one_empty_segment(self):
        assert segments.split("").segments == ("",)

    def test_it_counts_its_segments(self):
        assert segments.split("a" * 161).count == 2

    @pytest.mark.parametrize(
        ("text", "limit"), [("a", 160), ("a" * 161, 153), ("я", 70), ("я" * 71, 67)]
    )
    def test_the_limit_is_lower_once_there_are_several(self, text, limit):
        assert segments.split(text).limit == limit

    def test_an_extension_character_is_one_unit_in_ucs2(self):
        assert segments.split("я€").units == 2

    def test_equal_texts_are_cut_into_equal_values(self):
        assert segments.split("a" * 200) == segments.split("a" * 200)

    def test_its_repr_leaves_the_text_out(self):
        assert "secret" not in repr(segments.split("secret"))

    def test_it_cannot_be_changed(self):
        with pytest.raises(AttributeError):
            segments.split("a").units = 2  # type: ignore[misc]


LETTERS = [char for char in map(chr, range(0x250)) if char.isalpha()]


class TestTheNearestGSMText:
    @pytest.mark.parametrize(
        ("text", "nearest"),
        [
            ("“Don’t be late” – it’s ready…", "\"Don't be late\" - it's ready..."),
            ("‘a’ ‚b‛ „c‟ «d» ‹e›", "'a' 'b' \"c\" \"d\" 'e'"),
            ("a\xa0b\u202fc\td\u2028e", "a b c d\ne"),
            ("zero\u200bwidth\ufeff so\xadft \u200emark", "zerowidth soft mark"),
            ("eﬃcient ﬂight", "efficient flight"),
            ("ＡＢ１２！", "AB12!"),
            ("2 × 3 • done‼", "2 x 3 * done!!"),
            ("café à Ñandú".replace("ú", "u"), "café à Ñandu"),
            ("cafe\u0301", "café"),
            ("\u2126", "Ω"),
            ("5 € [net]", "5 € [net]"),
            ("", ""),
        ],
    )
    def test_writes_marks_the_plain_way(self, text, nearest):
        assert segments.to_gsm(text) == nearest

    @pytest.mark.parametrize("letter", "çáíóúâêœłşАΑ中²½ªº™")
    def test_is_the_text_itself_if_the_alphabet_lacks_a_letter(self, letter):
        text = f"It’s {letter}…"
        assert segments.to_gsm(text) == text

    @pytest.mark.parametrize("text", ["👍 it’s", "👩\u200d👧", "می\u200cخواهم", "\ud83d’"])
    def test_is_the_text_itself_if_nothing_is_gained(self, text):
        assert segments.to_gsm(text) == text

    def test_is_the_text_itself_if_it_would_take_more_segments(self):
        assert segments.to_gsm("…" * 70) == "…" * 70

    @pytest.mark.parametrize("letter", LETTERS)
    def test_never_takes_a_letter_for_another(self, letter):
        nearest = segments.to_gsm(letter)
        assert nearest == letter or nearest in unicodedata.normalize("NFKC", letter) + "'n"

    @given(any_texts)
    def test_is_never_longer_to_pay_for(self, text):
        nearest = segments.to_gsm(text)
        assert segments.count(nearest)[1] <= segments.count(text)[1]
        assert nearest == text or segments.is_gsm7(nearest)

    @given(any_texts)
    def test_of_itself_is_the_same(self, text):
        assert segments.to_gsm(segments.to_gsm(text)) == segments.to_gsm(text)

    @given(st.text(st.sampled_from(segments.DEFAULT_ALPHABET + segments.EXTENSION_TABLE)))
    def test_of_a_gsm_text_is_the_text(self, text):
        assert segments.to_gsm(text) == text

    @given(st.text(st.characters(categories=["Zs", "Pd", "Pi", "Pf"])))
    def test_has_every_space_dash_and_quotation_mark_of_running_text(self, text):
        common = "".join(char for char in text if ord(char) < 0x2E00 and char not in "֊־᐀᠆⸗")
        assert segments.is_gsm7(segments.to_gsm(common)) or len(common) > 160


class TestWhatATextMayBe:
    @pytest.mark.parametrize("value", [lazystr("it’s"), mark_safe("it’s")], ids=["lazy", "safe"])
    def test_is_what_a_project_holds_in_its_hands(self, value):
        assert segments.count(value) == segments.count("it’s")
        assert segments.split(value).segments == ("it’s",)
        assert segments.ucs2_characters(value) == ("’",)
        assert not segments.is_gsm7(value)
        assert segments.to_gsm(value) == "it's"
        assert type(segments.plain(value)) is str

    def test_is_read_in_the_language_that_is_active(self):
        with override("de"):
            assert segments.plain(gettext_lazy("Yes")) == "Ja"

    @pytest.mark.parametrize("value", [None, b"text", 5, True, ["text"], {}], ids=repr)
    def test_is_nothing_else_and_the_argument_is_named(self, value):
        words = f"^reason must be a text, not {type(value).__name__}"
        with pytest.raises(TypeError, match=words):
            segments.plain(value, "reason")


class TestForEveryText:
    @given(any_texts)
    def test_the_segments_joined_are_the_text(self, text):
        assert "".join(segments.split(text).segments) == text

    @given(any_texts)
    def test_no_segment_exceeds_its_limit(self, text):
        cut = segments.split(text)
        assert all(
            sum(naive_width(char, cut.encoding) for char in piece) <= cut.limit
            for piece in cut.segments
        )

    @given(any_texts)
    def test_something_is_in_each_of_several_segments(self, text):
        cut = segments.split(text)
        assert cut.count == 1 or all(cut.segments)

    @given(any_texts)
    def test_the_count_is_that_of_the_split(self, text):
        cut = segments.split(text)
        assert segments.count(text) == (cut.encoding, cut.count)

    @given(any_texts)
    def test_the_units_are_those_of_its_characters(self, text):
        cut = segments.split(text)
        assert cut.units == sum(naive_width(char, cut.encoding) for char in text)

    @given(any_texts)
    def test_what_remains_is_never_negative(self, text):
        assert segments.split(text).remaining >= 0

    @given(any_texts)
    def test_gsm7_is_used_wherever_it_can_be(self, text):
        assert segments.split(text).encoding is naive_encoding(text)

    @given(any_texts)
    def test_no_pair_of_surrogates_is_parted(self, text):
        assert not any(
            "\ud800" <= left[-1] <= "\udbff" and "\udc00" <= right[0] <= "\udfff"
            for left, right in pairwise(segments.split(text).segments)
        )

    @given(ucs2_texts)
    def test_each_ucs2_segment_can_be_encoded_by_itself(self, text):
        pieces = segments.split(text).segments
        assert b"".join(piece.encode("utf-16-be") for piece in pieces) == text.encode("utf-16-be")

    @given(texts)
    def test_the_cuts_are_those_of_filling_character_by_character(self, text):
        assert list(segments.split(text).segments) == naive_split(text)

    @given(texts)
    def test_no_other_cut_needs_fewer_segments(self, text):
        assert segments.count(text)[1] == fewest(text)
