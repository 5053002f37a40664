from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import suppress
from typing import Any

import phonenumbers
import pytest
from django.utils.functional import lazystr
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from djsms.exceptions import InvalidNumber, InvalidOptions, InvalidWebhook
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
NEITHER_TEXT_NOR_NUMBER = [None, True, 447700900123, b"+447700900123", 4.5, ["+447700900123"], {}]
NAMES = {recipient: "to", originator: "frm"}


class FieldNumber(phonenumbers.PhoneNumber):
    """What a model field of phone numbers gives: with a text that depends on settings."""

    as_e164 = "+447700900123"

    def __str__(self) -> str:
        return "07700 900123"


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
            ("+4477009", "too short"),
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

    @pytest.mark.parametrize(
        "value", NEITHER_TEXT_NOR_NUMBER, ids=lambda value: type(value).__name__
    )
    def test_what_is_neither_text_nor_number_is_a_type_error_that_names_the_argument(
        self, role, value
    ):
        words = f"^{NAMES[role]} must be a phone number .*, not {type(value).__name__}"
        with pytest.raises(TypeError, match=words):
            role(value)

    @pytest.mark.parametrize(
        "value",
        [
            lazystr("+44 7700 900123"),
            mark_safe("+44 7700 900123"),
            phonenumbers.PhoneNumber(country_code=44, national_number=7700900123),
            FieldNumber(country_code=44, national_number=7700900123),
        ],
        ids=["lazy text", "safe text", "PhoneNumber", "of a model field"],
    )
    def test_what_a_project_holds_in_its_hands_is_taken(self, role, value):
        number = role(value)
        assert number == "+447700900123"
        assert type(number) is str

    def test_an_object_with_zeros_in_front_keeps_them(self, role):
        rome = phonenumbers.PhoneNumber(
            country_code=39, national_number=612345678, italian_leading_zero=True
        )
        assert role(rome) == "+390612345678"

    def test_an_object_with_an_extension_is_refused_as_in_a_text(self, role):
        number = phonenumbers.PhoneNumber(
            country_code=44, national_number=7700900123, extension="5"
        )
        assert "extension" in refusal(role, number)

    @pytest.mark.parametrize("typed", [None, "", "07700 900123"])
    def test_an_object_that_could_not_be_read_is_refused_as_what_was_typed(self, role, typed):
        assert refusal(role, phonenumbers.PhoneNumber(raw_input=typed)) == refusal(
            role, typed or ""
        )

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


# Beyond libphonenumber's tables, which know no numbers of machines, and within E.164.
MACHINES = [
    "+47580000000000",  # Norway, 58 and ten digits
    "+33700000000000",  # France, 700 and nine digits
    "+467190000000000",  # Sweden, 719 and ten digits
    "+345900000000000",  # Spain, 590 and ten digits
    "+45370000000000",  # Denmark, 37 and ten digits
    "+861440000000000",  # China, 144 and ten digits
]


@pytest.mark.parametrize("role", [recipient, originator])
class TestStrictness:
    @pytest.mark.parametrize("number", MACHINES)
    def test_a_machine_s_number_is_refused_with_the_setting_that_lets_it_in(self, role, number):
        assert "DJSMS_STRICT_NUMBERS = False" in refusal(role, number)

    @pytest.mark.parametrize("number", [*MACHINES, "+4477009001", "+4477009001234"])
    def test_without_it_every_e164_number_of_a_known_country_is_taken(self, settings, role, number):
        settings.DJSMS_STRICT_NUMBERS = False
        assert role(number) == number

    @pytest.mark.parametrize(
        "number", ["+999123456789", "+0447700900123", "+4477", "+4477009001234567", "+44 CALLME"]
    )
    def test_what_e164_forbids_is_refused_in_either_case(self, settings, role, number):
        assert "DJSMS_STRICT_NUMBERS" not in refusal(role, number)
        settings.DJSMS_STRICT_NUMBERS = False
        assert "DJSMS_STRICT_NUMBERS" not in refusal(role, number)

    def test_a_national_prefix_goes_in_either_case(self, settings, role):
        settings.DJSMS_STRICT_NUMBERS = False
        assert role("+44 (0)7700 900123") == "+447700900123"

    @pytest.mark.parametrize(
        "number",
        [
            "+5215512345678",  # Mexico, with the 1 of mobiles until 2019
            "+525512345678",
            "+5491123456789",  # Argentina, with and without the 9 of mobiles
            "+541123456789",
            "+551187654321",  # Brazil, with eight and with nine digits
            "+5511987654321",
            "+2250707123456",  # Côte d'Ivoire and Benin, since they have ten digits
            "+2290197123456",
            "+24107123456",  # Gabon, with and without the 0
            "+2416071234",
        ],
    )
    def test_old_and_new_forms_that_networks_deliver_are_taken_as_they_are(self, role, number):
        assert role(number) == number

    def test_mobile_numbers_of_every_country_are_taken_as_they_are(self, role):
        for region in phonenumbers.SUPPORTED_REGIONS:
            example = phonenumbers.example_number_for_type(
                region, phonenumbers.PhoneNumberType.MOBILE
            )
            if example is not None:
                number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
                assert role(number) == number


@pytest.mark.parametrize("role", [recipient, originator])
class TestARegion:
    @pytest.mark.parametrize(
        ("region", "written"),
        [
            ("GB", "07700 900123"),
            ("GB", "(07700) 900-123"),
            ("GB", "7700900123"),
            ("GB", "00 44 7700 900123"),
            ("GB", "447700900123"),
            ("GB", "+44 7700 900123"),
            ("FR", "0044 7700 900123"),
            ("US", "011 44 7700 900123"),
        ],
    )
    def test_says_how_numbers_are_dialled(self, settings, role, region, written):
        settings.DJSMS_REGION = region
        assert role(written) == "+447700900123"

    def test_that_is_another_gives_another_number(self, settings, role):
        settings.DJSMS_REGION = "GB"
        assert role("020 7946 0018") == "+442079460018"
        settings.DJSMS_REGION = "NL"
        assert role("020 794 6001") == "+31207946001"

    @pytest.mark.parametrize(
        "value", ["0800 FLOWERS", "07700 900123 ext 5", "٠٧٧٠٠٩٠٠١٢٣", "0#123"]
    )
    def test_makes_no_number_of_letters(self, settings, value, role):
        settings.DJSMS_REGION = "GB"
        assert refusal(role, value)

    @pytest.mark.parametrize(
        ("region", "value", "why"),
        [
            ("US", "555-01234567", "too long"),
            ("US", "555-012345", "too short"),
            ("US", "0044 7700 900123", "too long"),
            ("GB", "0770090012345", "too long"),
        ],
    )
    def test_makes_no_number_possible(self, settings, region, value, why, role):
        settings.DJSMS_REGION = region
        assert why in refusal(role, value)

    def test_that_is_none_is_an_error_of_configuration(self, settings, role):
        settings.DJSMS_REGION = "UK"
        with pytest.raises(InvalidOptions, match="such as 'GB', not 'UK'"):
            role("07700 900123")


class TestARecipient:
    @pytest.mark.parametrize("value", ["0044 7700 900123", "07700 900123", "447700900123"])
    def test_that_a_region_would_help_to_read_is_refused_with_that_setting(self, value):
        assert "DJSMS_REGION" in refusal(recipient, value)

    def test_is_no_short_code_in_a_region_either(self, settings):
        settings.DJSMS_REGION = "GB"
        assert "area code" in refusal(recipient, "62262")

    def test_may_come_with_a_region_of_its_own(self, settings):
        settings.DJSMS_REGION = "NL"
        assert recipient("07700 900123", region="GB") == "+447700900123"

    def test_of_a_region_that_is_none_is_a_mistake_in_the_program(self):
        with pytest.raises(ValueError, match="'UK' is no country"):
            recipient("07700 900123", region="UK")

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("", "empty"),
            ("+44 CALLME", "characters"),
            ("CALLME", "characters"),
            ("07700 900123", "no_country_code"),
            ("0044 7700 900123", "no_country_code"),
            ("+999123456789", "country_code"),
            ("+4477009001234", "too_long"),
            ("+447", "too_short"),
            ("+4477009001", "too_short"),
            ("+82 0840 09759853", "length"),
        ],
    )
    def test_that_is_refused_says_why_in_a_word(self, value, code):
        with pytest.raises(InvalidNumber) as caught:
            recipient(value)
        assert caught.value.code == code
        assert pickle.loads(pickle.dumps(caught.value)).code == code

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
    def test_that_is_a_short_code_stays_one_in_a_region(self, settings):
        settings.DJSMS_REGION = "GB"
        assert originator("62262") == "62262"

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
        from django.conf import settings
        from djsms import numbers
        settings.configure()
        numbers.originator("Acme"), numbers.originator("62262")
        numbers.international("447700900123"), numbers.mask("+447700900123")
        assert "phonenumbers" not in sys.modules
        numbers.recipient("+447700900123")
        assert "phonenumbers" in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("value", [447700900123, None, b"447", ["447"]])
def test_international_answers_what_is_no_text_with_a_webhooks_error(value):
    with pytest.raises(InvalidWebhook, match="not a text"):
        international(value)
