"""Phone numbers and senders: what we accept from a caller, and how we read a provider's.

A phone number is written the international way, a ``+``, the country code and the national number,
at most 15 digits in all (ITU-T E.164 §6). Errors and logs never show one in full.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from djsms.exceptions import InvalidNumber
from djsms.segments import DEFAULT_ALPHABET

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = ["international", "mask", "originator", "recipient"]

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


def recipient(value: str) -> str:
    """Return a phone number in E.164 with ``+``, such as ``+447700900123``.

    The usual punctuation is taken out: spaces, hyphens and dashes, dots, slashes, parentheses, and
    the invisible marks that get pasted along; so is a national prefix, as in ``+44 (0)20…``.
    ``phonenumbers`` tells from country code and length whether such a number is possible; whether
    it is in use only the provider knows.

    Raises ``InvalidNumber`` for anything else, so for a number without ``+`` and for letters.
    """
    return _e164(_text(value, "recipient"), "recipient")


def originator(value: str) -> str:
    """Return a sender as it goes to the provider.

    That is an international number when it begins with ``+``, read as ``recipient`` does; a short
    code of 3 to 8 digits; or a name of up to 11 characters with at least one letter, all of one
    septet in the GSM 7 bit default alphabet and none of them a line break (3GPP TS 23.040 §9.1.2.5:
    the address field has room for 11 septets).

    Raises ``InvalidNumber`` for anything else, so for a phone number without ``+``.
    """
    return _originator(_text(value, "sender"))


# Senders repeat from message to message; recipients do not, and should not linger in memory.
@lru_cache(maxsize=256)
def _originator(value: str) -> str:
    value = value.translate(_INVISIBLE).strip()
    digits = value.translate(_PUNCTUATION)
    if digits.startswith("+"):
        return _e164(value, "sender")
    if _SHORT_CODE.fullmatch(value):
        return value
    if digits.isdecimal():
        raise InvalidNumber(
            f"The sender {mask(value)!r} is neither a short code, 3 to 8 digits and nothing else, "
            "nor an international number. "
            f"Write a phone number with + and its country code, such as {_EXAMPLE}."
        )
    foreign = "".join(char for char in dict.fromkeys(value) if char not in _NAME_CHARACTERS)
    if not value:
        problem = "is empty"
    elif len(value) > _NAME_LENGTH:
        problem = f"has {len(value)} characters, and a name may have {_NAME_LENGTH}"
    elif foreign:
        problem = f"has characters that no sender's name may have: {foreign!r}"
    elif not any(map(str.isalpha, value)):
        problem = "has neither a letter, as a name must, nor digits alone, as a short code"
    else:
        return value
    raise InvalidNumber(
        f"The sender {mask(value)!r} {problem}. "
        f"Use a name, such as 'Acme', a short code or an international number, such as {_EXAMPLE}."
    )


def international(digits: str) -> str:
    """Return a number that a provider gave us in the form in which we keep numbers.

    For what comes in by webhook, so nothing is refused: no ``str`` makes it raise. Surrounding
    whitespace goes, as a space before digits is what an unescaped ``+`` becomes in a query. Then 9
    to 15 digits get a ``+``, in place of a leading ``00`` if there is one. All else stays as it is:
    up to 8 digits, which are a short code far more often than a number; digits with a leading 0,
    which no country code has; what has its ``+``; names.
    """
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


def _text(value: object, role: str) -> str:
    if not isinstance(value, str):
        raise InvalidNumber(
            f"The {role} is of type {type(value).__name__}, not str. "
            f"Pass the number as text, such as {_EXAMPLE}."
        )
    return value


def _e164(value: str, role: str) -> str:
    number = value.translate(_PUNCTUATION).strip()
    if not number:
        raise InvalidNumber(f"The {role} is empty. Write a number such as {_EXAMPLE}.")
    if number.startswith("00"):
        raise InvalidNumber(
            f"The {role} {mask(value)!r} begins with 00. Write + instead of 00, as in {_EXAMPLE}."
        )
    if not number.startswith("+"):
        raise InvalidNumber(
            f"The {role} {mask(value)!r} is not an international number. "
            f"Begin it with + and the country code, such as {_EXAMPLE}."
        )
    if not (number.isascii() and number[1:].isdecimal()):
        raise InvalidNumber(
            f"The {role} {mask(value)!r} has something other than the digits 0 to 9 after its +. "
            f"Write one number, without letters or an extension, such as {_EXAMPLE}."
        )
    return _possible(number, role)


def _possible(number: str, role: str) -> str:
    # Its import takes longer than the rest of the package's: only who sends pays for it.
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
        formatted = _format(parsed)
        result = phonenumbers.is_possible_number_with_reason(parsed)
        if result != phonenumbers.ValidationResult.IS_POSSIBLE:
            problem = _problem(result)
        elif len(formatted) > len("+") + 15:
            problem = "has more than the 15 digits that E.164 allows"
        # What we store must mean the same number when it is read again, to answer it.
        elif formatted != number and _format(phonenumbers.parse(formatted)) != formatted:
            problem = "has a national prefix after its country code, more than once"
        else:
            return formatted
    except phonenumbers.NumberParseException as error:
        problem = {
            error.INVALID_COUNTRY_CODE: "has no country code that is in use",
            error.TOO_LONG: "is too long for its country",
        }.get(error.error_type, "is too short")
    raise InvalidNumber(
        f"The {role} {mask(number)!r} {problem}. "
        f"Check its digits against a number such as {_EXAMPLE}."
    )


def _format(parsed: PhoneNumber) -> str:
    import phonenumbers

    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _problem(result: int) -> str:
    from phonenumbers import ValidationResult

    return {
        ValidationResult.TOO_SHORT: "is too short for its country",
        ValidationResult.TOO_LONG: "is too long for its country",
        # Reachable from within its area only, and a text message comes from outside.
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
    }.get(result, "has a length that its country does not use")
