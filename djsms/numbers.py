"""Phone numbers and senders: what we accept from a caller, and how we read a provider's.

A phone number is written the international way, a ``+``, the country code and the national number,
at most 15 digits in all (ITU-T E.164 §6). Errors and logs never show one in full.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from djsms.exceptions import InvalidNumber, InvalidWebhook
from djsms.segments import DEFAULT_ALPHABET, plain

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = ["international", "mask", "originator", "recipient", "written"]

# Direction marks, zero-width characters and the byte order mark: pasted along, and never seen.
_INVISIBLE = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
# Line breaks are not in it: two numbers on two lines must not become one.
_PUNCTUATION = _INVISIBLE | dict.fromkeys(
    [
        *map(ord, " \t-./()"),
        *(0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000),  # Unicode's spaces
        *(0x00AD, *range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D),  # and its dashes
    ]
)

_EXAMPLE = "'+447700900123'"
_NAME_LENGTH = 11
_NAME_CHARACTERS = frozenset(DEFAULT_ALPHABET) - frozenset("\r\n")
# A name may have some ("Taxi 12345"); with more it may be a number that somebody annotated.
_NAME_DIGITS = 5
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_WITHOUT_PLUS = re.compile(r"(?:00)?([1-9][0-9]{8,14})")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Mexico's mobile numbers had a 1 before them until 2019, and networks still deliver it.
_OLD_FORM = re.compile(r"\+521[2-9][0-9]{9}")


class _Rules(NamedTuple):
    """How numbers are read: national ones of a region, if any, and how strictly."""

    region: str
    strict: bool


def recipient(value: object, *, region: str | None = None) -> str:
    """Return a phone number in E.164 with ``+``, such as ``+447700900123``.

    The usual punctuation is taken out: spaces, hyphens and dashes, dots, slashes, parentheses, and
    the invisible marks that get pasted along; so is a national prefix, as in ``+44 (0)20…``. With a
    ``region`` such as ``"GB"``, by default ``DJSMS_REGION``, numbers are also read as they are
    dialled there, so ``07700 900123`` and ``0033…``.
    ``phonenumbers`` tells from country code and length whether such a number is possible, unless
    ``DJSMS_STRICT_NUMBERS`` is off; whether it is in use only the provider knows.

    Lazy translations are texts, too, and ``phonenumbers.PhoneNumber`` objects are numbers.

    Raises ``InvalidNumber`` for anything else, so for letters, and ``TypeError`` for what is
    neither a text nor a number.
    """
    return _e164(written(value, "to"), "recipient", _rules(region))


def originator(value: object) -> str:
    """Return a sender as it goes to the provider.

    That is an international number when it begins with ``+``, read as ``recipient`` does; a short
    code of 3 to 8 digits; a longer number as it is dialled in ``DJSMS_REGION``, if that is set; or
    a name of up to 11 characters with at least one letter, all of one septet in the GSM 7 bit
    default alphabet and none of them a line break (3GPP TS 23.040 §9.1.2.5: the address field has
    room for 11 septets).

    Raises ``InvalidNumber`` for anything else, and ``TypeError`` for what is neither a text nor a
    number.
    """
    return _originator(written(value, "frm"), _rules())


# Senders repeat from message to message; recipients do not, and should not linger in memory.
@lru_cache(maxsize=256)
def _originator(value: str, rules: _Rules) -> str:
    value = value.translate(_INVISIBLE).strip()
    digits = value.translate(_PUNCTUATION)
    if digits.startswith("+"):
        return _e164(value, "sender", rules)
    if _SHORT_CODE.fullmatch(value):
        return value
    if digits.isdecimal():
        if rules.region and not _SHORT_CODE.fullmatch(digits):
            return _e164(value, "sender", rules)
        raise InvalidNumber(
            f"The sender {mask(value)!r} is neither a short code, 3 to 8 digits and nothing else, "
            "nor an international number. "
            f"Write a phone number with + and its country code, such as {_EXAMPLE}.",
            code="no_country_code",
        )
    foreign = "".join(char for char in dict.fromkeys(value) if char not in _NAME_CHARACTERS)
    if not value:
        problem, code = "is empty", "empty"
    elif len(value) > _NAME_LENGTH:
        problem = f"has {len(value)} characters, and a name may have {_NAME_LENGTH}"
        code = "too_long"
    elif foreign:
        problem = f"has characters that no sender's name may have: {foreign!r}"
        code = "characters"
    elif not any(map(str.isalpha, value)):
        problem = "has neither a letter, as a name must, nor digits alone, as a short code"
        code = "characters"
    else:
        return value
    raise InvalidNumber(
        f"The sender {mask(value)!r} {problem}. "
        f"Use a name, such as 'Acme', a short code or an international number, such as {_EXAMPLE}.",
        code=code,
    )


def international(digits: str) -> str:
    """Return a number that a provider gave us in the form in which we keep numbers.

    For what comes in by webhook, so no text is refused; what is none, such as a number of JSON,
    raises ``InvalidWebhook``. Surrounding whitespace goes, as a space before digits is what an
    unescaped ``+`` becomes in a query. Then 9 to 15 digits get a ``+``, in place of a leading
    ``00`` if there is one. All else stays as it is: up to 8 digits, which are a short code far more
    often than a number; digits with a leading 0, which no country code has; what has its ``+``;
    names.
    """
    if not isinstance(digits, str):
        raise InvalidWebhook(f"A phone number is of type {type(digits).__name__}, not a text.")
    digits = digits.strip()
    found = _WITHOUT_PLUS.fullmatch(digits)
    return f"+{found[1]}" if found else digits


def mask(number: str) -> str:
    """Return a number as logs and reprs may show it, such as ``+447***23``.

    The beginning and the last two characters stay, and at least four are hidden: of a shorter value
    all. A sender's name is not personal and stays as it is: up to 11 characters with a letter among
    them and at most 5 digits.
    """
    if not number:
        return ""
    if (
        len(number) <= _NAME_LENGTH
        and any(map(str.isalpha, number))
        and sum(map(str.isdigit, number)) <= _NAME_DIGITS
    ):
        return number
    head = 4 if number.startswith("+") else 3
    return f"{number[:head]}***{number[-2:]}" if len(number) >= head + 6 else "***"


def written(value: object, argument: str) -> str:
    """Return a number as it is written, whatever it says: a text, or a ``PhoneNumber`` in E.164.

    Raises ``TypeError``, which names the argument, for what is neither.
    """
    if not isinstance(value, str) and (text := _of_object(value)) is not None:
        return text
    return plain(value, argument, "a phone number as text")


def _of_object(value: object) -> str | None:
    import phonenumbers

    if not isinstance(value, phonenumbers.PhoneNumber):
        return None
    if not value.country_code or value.national_number is None:
        # What could not be read as a number is still what somebody typed.
        return value.raw_input or ""
    # E.164 has no extension, and to drop it would be to write to somebody else.
    extension = f"x{value.extension}" if value.extension else ""
    return _format(value) + extension


def _rules(region: str | None = None) -> _Rules:
    # conf reads senders with this module.
    from djsms import conf

    return _Rules(conf.region() if region is None else region, conf.strict_numbers())


def _e164(value: str, role: str, rules: _Rules) -> str:
    number = value.translate(_PUNCTUATION).strip()
    international, digits = number.startswith("+"), number.removeprefix("+")
    if digits.isascii() and digits.isdecimal():
        if international or rules.region:
            return _possible(number, role, rules)
        problem, code = "is not an international number", "no_country_code"
        advice = (
            f"Begin it with + and the country code, such as {_EXAMPLE}, or set DJSMS_REGION to the "
            "country whose national numbers are meant."
        )
        if number.startswith("00"):
            problem = "begins with 00"
            advice = (
                f"Write + instead of 00, as in {_EXAMPLE}, or set DJSMS_REGION to a country where "
                "00 is dialled."
            )
    elif not number:
        problem, code = "is empty", "empty"
        advice = f"Write a number such as {_EXAMPLE}."
    elif international:
        problem = "has something other than the digits 0 to 9 after its +"
        code = "characters"
        advice = f"Write one number, without letters or an extension, such as {_EXAMPLE}."
    else:
        problem, code = "is not an international number", "characters"
        advice = f"Begin it with + and the country code, such as {_EXAMPLE}."
    raise InvalidNumber(f"The {role} {_shown(value)}{problem}. {advice}", code=code)


def _shown(value: str) -> str:
    return f"{mask(value)!r} " if value.strip() else ""


def _possible(number: str, role: str, rules: _Rules) -> str:
    # Its import takes longer than the rest of the package's: only who sends pays for it.
    import phonenumbers

    if _OLD_FORM.fullmatch(number):
        return number
    if rules.region and rules.region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(
            f"{rules.region!r} is no country by its two capital letters, such as 'GB'."
        )
    try:
        parsed = phonenumbers.parse(number, rules.region or None)
        formatted = _format(parsed)
        result = phonenumbers.is_possible_number_with_reason(parsed)
        if result != phonenumbers.ValidationResult.IS_POSSIBLE:
            problem, code = _problem(result)
        elif len(formatted) > len("+") + 15:
            problem, code = "has more than the 15 digits that E.164 allows", "too_long"
        # What we store must mean the same number when it is read again, to answer it.
        elif formatted != number and _format(phonenumbers.parse(formatted)) != formatted:
            problem = "has a national prefix after its country code, more than once"
            code = "length"
        else:
            return formatted
    except phonenumbers.NumberParseException as error:
        problem, code = {
            error.INVALID_COUNTRY_CODE: ("has no country code that is in use", "country_code"),
            error.TOO_LONG: ("is too long for its country", "too_long"),
        }.get(error.error_type, ("is too short", "too_short"))
    advice = f"Check its digits against a number such as {_EXAMPLE}."
    if _within_e164(number):
        if not rules.strict:
            return number
        advice += " DJSMS_STRICT_NUMBERS = False takes a number of a known country at any length."
    raise InvalidNumber(f"The {role} {mask(number)!r} {problem}. {advice}", code=code)


def _within_e164(number: str) -> bool:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return _E164.fullmatch(number) is not None and any(
        int(number[1:end]) in COUNTRY_CODE_TO_REGION_CODE for end in (2, 3, 4)
    )


def _format(parsed: PhoneNumber) -> str:
    import phonenumbers

    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _problem(result: int) -> tuple[str, str]:
    from phonenumbers import ValidationResult

    return {
        ValidationResult.TOO_SHORT: ("is too short for its country", "too_short"),
        ValidationResult.TOO_LONG: ("is too long for its country", "too_long"),
        # Reachable from within its area only, or else a number that was cut off.
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: (
            "is too short for its country, and perhaps lacks its area code",
            "too_short",
        ),
    }.get(result, ("has a length that its country does not use", "length"))
