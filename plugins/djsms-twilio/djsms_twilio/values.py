"""Reading single values of Twilio's JSON; what makes no sense is empty, never an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

__all__ = ["amount", "code", "currency", "json_object", "text"]

MAX_WORDS = 500

_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,20})?")
_CODE = re.compile(r"[0-9]{1,9}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")


def json_object(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body is, with numbers as written; None if it is none."""
    try:
        value = json.loads(
            content.decode("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=str
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a text, without what has no place in logs and on terminals."""
    value = fields.get(name)
    if not isinstance(value, str):
        return ""
    return "".join(char if char.isprintable() else " " for char in value).strip()[:MAX_WORDS]


def code(fields: Mapping[str, Any], name: str) -> str:
    """Return an error code; 0 is none."""
    value = text(fields, name)
    return value.lstrip("0") if _CODE.fullmatch(value) else ""


def amount(fields: Mapping[str, Any], name: str) -> Decimal | None:
    """Return an amount of money such as ``-0.00750``."""
    value = text(fields, name)
    return Decimal(value) if _AMOUNT.fullmatch(value) else None


def currency(fields: Mapping[str, Any], name: str) -> str:
    """Return the ISO 4217 code that stands there, in capitals."""
    value = text(fields, name)
    return value.upper() if _CURRENCY.fullmatch(value) else ""
