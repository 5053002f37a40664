"""A form field and a validator for phone numbers, with words for whoever types one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from djsms.exceptions import InvalidNumber
from djsms.numbers import recipient

__all__ = ["PhoneNumberField", "validate_phone_number"]

# By the code of the error.
MESSAGES = {
    "invalid": _("Enter a phone number."),
    "empty": _("Enter a phone number."),
    "characters": _("Enter one phone number, without letters or an extension."),
    "no_country_code": _("Begin the number with + and its country code."),
    "country_code": _("The number begins with a country code that is not in use."),
    "too_short": _("The number is too short: digits are missing, perhaps those of its area."),
    "too_long": _("The number is too long."),
    "length": _("Check the digits of the number."),
}


def validate_phone_number(value: object) -> None:
    """Raise a ``ValidationError`` if texts cannot be sent to a number; for model and other fields.

    Its code is that of ``InvalidNumber``. The number may be written in any way that ``send_text``
    takes, and stays as it is written.
    """
    try:
        recipient(value)
    except InvalidNumber as error:
        raise ValidationError(MESSAGES.get(error.code, MESSAGES["invalid"]), error.code) from None
    except TypeError:
        raise ValidationError(MESSAGES["invalid"], "invalid") from None


class PhoneNumberField(forms.CharField):
    """A form field for a number that texts can be sent to; its value is the number in E.164.

    ``region`` is the country, such as ``"GB"``, in whose form national numbers are read; by default
    ``DJSMS_REGION``. The other arguments are those of Django's ``CharField``, and the codes of its
    errors those of ``InvalidNumber``.
    """

    widget = forms.TelInput
    default_error_messages = {**MESSAGES}

    def __init__(self, *, region: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.region = region

    def to_python(self, value: Any) -> Any:
        """Return the number in E.164, or the field's empty value."""
        text = super().to_python(value)
        if text in self.empty_values:
            return text
        try:
            return recipient(text, region=self.region)
        except InvalidNumber as error:
            code = error.code if error.code in self.error_messages else "invalid"
            raise ValidationError(self.error_messages[code], error.code) from None

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Let browsers fill in the user's own number."""
        return {"autocomplete": "tel", **super().widget_attrs(widget)}
