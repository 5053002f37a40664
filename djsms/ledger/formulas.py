"""Cells of CSV that a spreadsheet does not calculate, whoever wrote what is in them."""

from __future__ import annotations

import re

__all__ = ["harmless"]

# What a spreadsheet takes for the beginning of a formula, also in the wide forms that it maps.
SIGNS = "=+\\-@＝＋－＠"
FORMULA = re.compile(f'[ "]*[{SIGNS}]|[\t\r\n]')
# Numbers of telephones and amounts calculate nothing.
NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?"
ALONE = re.compile(NUMBER)
# Where one that divides by semicolons or tabs, as many do by their language, begins another cell.
BEGINNING = re.compile(rf'([;\t\r\n][ "]*)(?=[{SIGNS}])(?!{NUMBER}(?:[;\t\r\n]|\Z))')


def harmless(value: str) -> str:
    """Return a value with an apostrophe before all that might be the beginning of a formula.

    A phone number or an amount stays as it is. That is OWASP's advice, also for spreadsheets that
    divide the line elsewhere than we do.
    """
    text = BEGINNING.sub(r"\1'", value)
    return f"'{text}" if FORMULA.match(text) and not ALONE.fullmatch(text) else text
