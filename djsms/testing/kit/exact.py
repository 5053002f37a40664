"""Whether a price keeps its digits: tried with other amounts in its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

__all__ = ["is_amount", "lost_digits"]

AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
WHOLE = (1, 7, 33, 4503, 1234567)
BROKEN = ("0.1", "0.07", "1.005", "2.675", "12345.678")
# More digits than a float holds, of the many that texts may have.
LONG = "0.12345678901234567"
# A currency's prices have no more places; who rounds to fewer than that does so knowingly.
PLACES = 10


def is_amount(value: Any) -> bool:
    """Return whether something in a request or an answer may be an amount of money."""
    if isinstance(value, str):
        return AMOUNT.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def lost_digits(value: Any, price: Decimal, read: Callable[[Any], Decimal | None]) -> str:
    """Return what becomes of another amount that is read otherwise than exactly; else nothing.

    ``price`` is what was read of ``value``, and tells in which unit the provider counts.
    """
    given = Fraction(str(value))
    if not given or not price:
        return ""
    unit = Fraction(price) / given
    for probe in _probes(value):
        got = read(probe)
        if got is None:
            continue
        if not got.is_finite():
            return f"{probe!r} becomes {got}"
        exact = Fraction(str(probe)) * unit
        if not _is_near_enough(got, exact):
            return f"{probe!r} becomes {got}"
    return ""


def _is_near_enough(got: Decimal, exact: Fraction) -> bool:
    places = -int(got.as_tuple().exponent)
    return Fraction(got) == exact or (places < PLACES and Fraction(got) == round(exact, places))


def _probes(value: Any) -> Iterator[Any]:
    """Yield amounts written as this one is, with its sign."""
    sign = -1 if str(value).startswith("-") else 1
    if isinstance(value, float):
        yield from (sign * float(text) for text in BROKEN)
    elif isinstance(value, int):
        yield from (sign * number for number in WHOLE)
    else:
        minus = "-" if sign < 0 else ""
        texts = [*BROKEN, LONG] if "." in value else map(str, WHOLE)
        yield from (minus + text for text in texts)
