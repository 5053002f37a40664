"""Forms take phone numbers as people write them, and tell people what is wrong with one."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import phonenumbers
import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.migrations.writer import MigrationWriter
from django.utils.translation import gettext_lazy

from djsms.exceptions import InvalidOptions
from djsms.forms import MESSAGES, PhoneNumberField, validate_phone_number

WRONG = [
    ("+44 CALLME", "characters"),
    ("+44 7700 900123 ext 5", "characters"),
    ("+44\0007700900123", "characters"),
    ("somebody", "characters"),
    ("07700 900123", "no_country_code"),
    ("0044 7700 900123", "no_country_code"),
    ("+999123456789", "country_code"),
    ("+447", "too_short"),
    ("+4477009001", "too_short"),
    ("+4477009001234", "too_long"),
    ("+82 0840 09759853", "length"),
]


class Order(forms.Form):
    phone = PhoneNumberField(required=False)


def codes(error: pytest.ExceptionInfo[ValidationError]) -> list[str | None]:
    return [each.code for each in error.value.error_list]


class TestTheField:
    @pytest.mark.parametrize(
        "typed", ["+447700900123", " +44 (0)7700 900-123 ", "\u202a+44 7700 900123\u202c"]
    )
    def test_gives_the_number_in_e164(self, typed: str) -> None:
        assert PhoneNumberField().clean(typed) == "+447700900123"

    @pytest.mark.parametrize(("typed", "code"), WRONG, ids=[ascii(typed) for typed, _ in WRONG])
    def test_says_what_is_wrong_by_words_and_a_code(self, typed: str, code: str) -> None:
        with pytest.raises(ValidationError) as caught:
            PhoneNumberField().clean(typed)
        assert codes(caught) == [code]
        assert caught.value.messages == [MESSAGES[code]]

    def test_does_not_repeat_the_number(self) -> None:
        with pytest.raises(ValidationError) as caught:
            PhoneNumberField().clean("+447700900456789")
        assert "900456" not in repr(caught.value)

    def test_may_be_left_empty_if_it_is_not_required(self) -> None:
        assert PhoneNumberField(required=False).clean(" ") == ""
        assert PhoneNumberField(required=False, empty_value=None).clean("") is None

    def test_must_not_be_left_empty_otherwise(self) -> None:
        with pytest.raises(ValidationError) as caught:
            PhoneNumberField().clean("")
        assert codes(caught) == ["required"]

    def test_reads_national_numbers_of_the_project_s_region(self, settings: Any) -> None:
        settings.DJSMS_REGION = "GB"
        assert PhoneNumberField().clean("07700 900123") == "+447700900123"

    def test_reads_those_of_a_region_of_its_own(self, settings: Any) -> None:
        settings.DJSMS_REGION = "NL"
        assert PhoneNumberField(region="GB").clean("07700 900123") == "+447700900123"

    def test_reads_none_if_its_region_is_empty(self, settings: Any) -> None:
        settings.DJSMS_REGION = "GB"
        with pytest.raises(ValidationError):
            PhoneNumberField(region="").clean("07700 900123")

    def test_of_a_region_that_is_none_is_no_fault_of_who_types(self, settings: Any) -> None:
        with pytest.raises(ValueError, match="'UK' is no country"):
            PhoneNumberField(region="UK").clean("07700 900123")
        settings.DJSMS_REGION = "UK"
        with pytest.raises(InvalidOptions):
            PhoneNumberField().clean("07700 900123")

    def test_is_as_strict_as_the_project(self, settings: Any) -> None:
        settings.DJSMS_STRICT_NUMBERS = False
        assert PhoneNumberField().clean("+47 580000000000") == "+47580000000000"

    def test_takes_words_of_the_project_s_own(self) -> None:
        field = PhoneNumberField(error_messages={"too_long": gettext_lazy("Far too long.")})
        with pytest.raises(ValidationError, match="Far too long"):
            field.clean("+4477009001234")

    def test_has_not_changed_if_only_its_writing_did(self) -> None:
        field = PhoneNumberField()
        assert not field.has_changed("+447700900123", "+44 (0)7700 900 123")
        assert field.has_changed("+447700900123", "+44 7700 900 124")
        assert field.has_changed("+447700900123", "nonsense")

    def test_shows_what_was_typed_again(self) -> None:
        form = Order({"phone": "07700 900123"})
        assert form.errors.get_json_data() == {
            "phone": [{"message": str(MESSAGES["no_country_code"]), "code": "no_country_code"}]
        }
        assert 'value="07700 900123"' in str(form["phone"])

    def test_brings_up_the_keypad_and_the_user_s_own_number(self) -> None:
        html = str(Order()["phone"])
        assert 'type="tel"' in html
        assert 'autocomplete="tel"' in html


class TestTheValidator:
    @pytest.mark.parametrize(
        "value",
        ["+44 7700 900123", phonenumbers.PhoneNumber(country_code=44, national_number=7700900123)],
        ids=["text", "PhoneNumber"],
    )
    def test_lets_a_number_pass(self, value: object) -> None:
        validate_phone_number(value)

    @pytest.mark.parametrize(
        ("value", "code"),
        [*WRONG, ("", "empty"), (5, "invalid"), (None, "invalid")],
        ids=ascii,
    )
    def test_stops_anything_else(self, value: object, code: str) -> None:
        with pytest.raises(ValidationError) as caught:
            validate_phone_number(value)
        assert codes(caught) == [code]
        assert caught.value.messages == [MESSAGES[code]]

    def test_can_stand_in_a_migration(self) -> None:
        field = models.CharField(max_length=20, validators=[validate_phone_number])
        written, _ = MigrationWriter.serialize(field)
        assert "djsms.forms.validate_phone_number" in written


def test_importing_it_imports_no_number_tables() -> None:
    program = """if True:
        import sys
        import djsms.forms
        class Order(djsms.forms.forms.Form):
            phone = djsms.forms.PhoneNumberField(region="GB")
        assert "phonenumbers" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
