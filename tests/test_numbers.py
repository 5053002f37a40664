from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djsms.exceptions import InvalidNumber
from djsms.numbers import international, mask, originator, recipient

# All numbers are reserved for fiction: 07700 900xxx and 020 7946 0xxx by Ofcom, 555-01xx by NANPA,
# 01 99 00 xx xx and 06 39 98 xx xx by Arcep.
fictitious = st.one_of(
    st.integers(0, 999).map("+447700900{:03}".format),
    st.integers(0, 999).map("+442079460{:03}".format),
    st.integers(0, 99).map("+120255501{:02}".format),
    st.integers(0, 9999).map("+3363998{:04}".format),
)
PUNCTUATION = {
    "space": " ",
    "tab": "\t",
    "no-break space": "\xa0",
    "narrow no-break space": "\u202f",
    "figure space": "\u2007",
    "thin space": "\u2009",
    "ideographic space": "\u3000",
    "hyphen-minus": "-",
    "hyphen": "\u2010",
    "non-breaking hyphen": "\u2011",
    "figure dash": "\u2012",
    "en dash": "\u2013",
    "em dash": "\u2014",
    "minus": "\u2212",
    "soft hyphen": "\xad",
    "dot": ".",
    "slash": "/",
    "left parenthesis": "(",
    "right parenthesis": ")",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    **{f"embedding U+{code:04X}": chr(code) for code in range(0x202A, 0x202F)},
    **{f"isolate U+{code:04X}": chr(code) for code in range(0x2066, 0x206A)},
    "byte order mark": "\ufeff",
    "zero width space": "\u200b",
    "word joiner": "\u2060",
}
NOT_STR = [None, 447700900123, b"+447700900123", 4.5, ["+447700900123"], object()]


def refusal(function: Any, value: Any) -> str:
    with pytest.raises(InvalidNumber) as caught:
        function(value)
    return str(caught.value)


@pytest.mark.parametrize("role", [recipient, originator])
class TestAnInternationalNumber:
    @given(number=fictitious)
    def test_in_e164_it_stays_as_it_is(self, role, number):
        assert role(number) == number

    @given(number=fictitious, data=st.data())
    def test_punctuation_anywhere_is_taken_out(self, role, number, data):
        marks = st.text(st.sampled_from(list(PUNCTUATION.values())), max_size=3)
        assert role("".join(data.draw(marks) + char for char in number)) == number

    @pytest.mark.parametrize("mark", PUNCTUATION.values(), ids=PUNCTUATION)
    def test_each_usual_mark_is_taken_out(self, role, mark):
        assert role(f"{mark}+44{mark}7700{mark}900123{mark}") == "+447700900123"

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("+44 (0)20 7946 0018", "+442079460018"),
            ("+44 7700 900 123", "+447700900123"),
            ("+1 (202) 555-0123", "+12025550123"),
            ("+1.202.555.0123", "+12025550123"),
            ("+33 1 99 00 12 34", "+33199001234"),
            ("+33 (0)6 39 98 12 34", "+33639981234"),
            ("(+44) 7700 900123", "+447700900123"),
            ("\u202a+44 7700 900123\u202c", "+447700900123"),
            ("+447700900123\r\n", "+447700900123"),
        ],
    )
    def test_it_is_read_as_people_write_it(self, role, written, number):
        assert role(written) == number

    @pytest.mark.parametrize(
        "value",
        [
            "+44 7700 900123 ext 5",
            "+44 7700 900123x5",
            "+44 7700 CALLME",
            "+447700900123;ext=5",
            "+447700900123,+447700900124",
            "+447700900123\n+447700900124",
            "+447700900123+",
            "++447700900123",
            "+44\0007700900123",
            "+44٧٧٠٠٩٠٠١٢٣",
            "+４４７７００９００１２３",
            "+44²7700900123",
            "+",
            "+ACME",
        ],
    )
    def test_anything_but_ascii_digits_after_the_plus_is_refused(self, role, value):
        assert "the digits 0 to 9" in refusal(role, value)

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            ("+4", "too short"),
            ("+447", "too short"),
            ("+4477009001", "area code"),
            ("+1 555 0123", "area code"),
            ("+4477009001234", "too long"),
            ("+" + "4" * 300, "too long"),
            ("+0447700900123", "no country code"),
            ("+999123456789", "no country code"),
            ("+49" + "1" * 15, "15 digits"),
            ("+82 0840 09759853", "more than once"),
        ],
    )
    def test_an_impossible_one_is_refused_with_the_reason(self, role, value, why):
        assert why in refusal(role, value)

    @given(digits=st.text("0123456789", min_size=7, max_size=15))
    def test_what_is_accepted_is_read_again_as_the_same(self, role, digits):
        try:
            number = role("+" + digits)
        except InvalidNumber:
            return
        assert role(number) == number

    @pytest.mark.parametrize("value", NOT_STR, ids=lambda value: type(value).__name__)
    def test_what_is_no_text_is_refused_as_such(self, role, value):
        assert f"of type {type(value).__name__}, not str" in refusal(role, value)

    @pytest.mark.parametrize("value", ["", " ", "\t\n", "\ufeff"])
    def test_nothing_is_refused_as_empty(self, role, value):
        assert "empty" in refusal(role, value)

    @pytest.mark.parametrize("value", ["+44 7700 900456 ext 5", "07700900456", "+447700900456789"])
    def test_no_error_shows_the_number(self, role, value):
        assert "900456" not in refusal(role, value)

    @given(value=st.text(st.characters()))
    def test_any_text_is_accepted_or_refused(self, role, value):
        with suppress(InvalidNumber):
            assert role(value)


class TestARecipient:
    @pytest.mark.parametrize("value", ["07700 900123", "447700900123", "12025550123", "62262"])
    def test_without_plus_is_refused_with_the_advice_to_write_it(self, value):
        assert "Begin it with + and the country code" in refusal(recipient, value)

    @pytest.mark.parametrize("value", ["00447700900123", "00 44 7700 900123", "(00)44 7700 900123"])
    def test_with_a_leading_00_is_refused_with_the_advice_to_write_plus(self, value):
        assert "Write + instead of 00" in refusal(recipient, value)

    @pytest.mark.parametrize("value", ["Acme", "0800 FLOWERS", "tel:+447700900123"])
    def test_is_never_a_name(self, value):
        assert "not an international number" in refusal(recipient, value)


class TestAnOriginator:
    @pytest.mark.parametrize("value", ["123", "62262", "12345678", "00123"])
    def test_may_be_a_short_code(self, value):
        assert originator(value) == value

    @pytest.mark.parametrize(
        "value",
        [
            "Acme",
            "A",
            "ACME Direct",
            "4ever",
            "Taxi 12345",
            "O'Neill",
            "B&B @ home",
            "Señor",
            "ΔΩ",
            "Ø",
            "Müller/Söhn",
        ],
    )
    def test_may_be_a_name(self, value):
        assert originator(value) == value

    @pytest.mark.parametrize("value", [" Acme ", "Acme\n", "\u200eAcme\u200f", "\ufeffAcme"])
    def test_is_freed_of_what_surrounds_it(self, value):
        assert originator(value) == "Acme"

    def test_keeps_the_punctuation_of_a_name(self):
        assert originator("A-B (C) D.E") == "A-B (C) D.E"

    @pytest.mark.parametrize(
        "value", ["12", "123456789", "447700900123", "07700 900123", "622-62", "(123)", "٧٧٠٠"]
    )
    def test_of_other_digits_is_refused_with_the_advice_to_write_plus(self, value):
        assert "Write a phone number with +" in refusal(originator, value)

    def test_of_twelve_characters_is_refused(self):
        assert "has 12 characters" in refusal(originator, "Acme Limited")

    @pytest.mark.parametrize("char", list("€[^~|\\{’ç`я😀\n\r\f\t\0\x1b\ud83d"), ids=ascii)
    def test_with_a_character_that_is_not_one_septet_is_refused_by_naming_it(self, char):
        assert f"may have: {char!r}" in refusal(originator, f"Ac{char}me")

    @pytest.mark.parametrize("value", ["!!!", "12 & 34", "#123", "-"])
    def test_without_a_letter_is_refused(self, value):
        assert refusal(originator, value)

    def test_is_refused_again_when_asked_again(self):
        assert refusal(originator, "Acme Limited") == refusal(originator, "Acme Limited")

    def test_is_a_plain_str(self):
        class Marked(str):
            __slots__ = ()

        assert type(originator(Marked("Acme"))) is str


class TestANumberFromAProvider:
    @pytest.mark.parametrize(
        ("given_", "kept"),
        [
            ("447700900123", "+447700900123"),
            ("+447700900123", "+447700900123"),
            ("00447700900123", "+447700900123"),
            (" 447700900123", "+447700900123"),
            ("447700900123\n", "+447700900123"),
            ("123456789", "+123456789"),
            ("123456789012345", "+123456789012345"),
            ("00123456789", "+123456789"),
            ("00123456789012345", "+123456789012345"),
        ],
    )
    def test_gets_its_plus(self, given_, kept):
        assert international(given_) == kept

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "62262",
            "12345678",
            "1234567890123456",
            "07700900123",
            "0012345678",
            "000447700900123",
            "Acme",
            "Taxi 12345",
            "+44 7700 900123",
            "44-7700-900123",
            "٤٤٧٧٠٠٩٠٠١٢٣",
            "tel:447700900123",
        ],
    )
    def test_stays_as_it_is_when_it_is_anything_else(self, value):
        assert international(value) == value

    @given(st.text(st.characters()))
    def test_is_never_refused(self, value):
        assert isinstance(international(value), str)

    @given(st.one_of(st.text(" +0123456789", max_size=20), st.text()))
    def test_read_twice_is_the_same(self, value):
        assert international(international(value)) == international(value)

    @given(fictitious)
    def test_is_the_number_we_sent_to_however_it_is_prefixed(self, number):
        assert {international(prefix + number[1:]) for prefix in ("", " ", "00", "+")} == {number}


class TestMasking:
    @pytest.mark.parametrize(
        ("number", "shown"),
        [
            ("+447700900123", "+447***23"),
            ("447700900123", "447***23"),
            ("07700 900123", "077***23"),
            ("+123456789", "+123***89"),
            ("123456789", "123***89"),
        ],
    )
    def test_the_middle_is_hidden(self, number, shown):
        assert mask(number) == shown

    @pytest.mark.parametrize("number", ["1", "62262", "12345678", "+12345678", "+"])
    def test_all_of_a_short_value_is_hidden(self, number):
        assert mask(number) == "***"

    def test_nothing_stays_nothing(self):
        assert mask("") == ""

    @pytest.mark.parametrize("name", ["Acme", "ACME Direct", "Taxi 12345", "Señor", "A"])
    def test_a_name_is_shown(self, name):
        assert mask(name) == name

    @pytest.mark.parametrize(
        "value", ["Ann 900123", "07700900123 Ann", "+447700900123x5", "+44 7700 900123 ext 5"]
    )
    def test_a_number_with_letters_is_no_name(self, value):
        assert "***" in mask(value)

    @given(st.text("+0123456789 -()", min_size=1))
    def test_of_a_number_at_least_four_characters_are_hidden_or_all(self, number):
        shown = mask(number).replace("***", "")
        assert shown == "" or len(shown) <= len(number) - 4

    @given(st.integers(0, 999))
    def test_its_length_does_not_show(self, last):
        assert len(mask(f"+447700900{last:03}")) == len(mask(f"+12025550{last:03}9"))


def test_phonenumbers_is_imported_at_the_first_international_number():
    program = """if True:
        import sys
        from djsms import numbers
        numbers.originator("Acme"), numbers.originator("62262")
        numbers.international("447700900123"), numbers.mask("+447700900123")
        assert "phonenumbers" not in sys.modules
        numbers.recipient("+447700900123")
        assert "phonenumbers" in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
