"""Making what providers and callers say fit to be stored, without losing which is which."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.utils import timezone

__all__ = [
    "as_given",
    "clean_text",
    "escaped_unless_clean",
    "fingerprint",
    "fit",
    "json_values",
    "moment",
    "money",
    "total",
]

DIGEST_LENGTH = 33
PRICE_STEP = Decimal(10) ** -8
# SQLite keeps 15 digits. A context of our own, as a project may have set another for its sums.
PRICES = Context(prec=15, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
MAX_DEPTH = 20
MAX_RAW = 64 * 1024  # characters of JSON; providers say what they say in a few hundred
MAX_BITS = 2048  # of a whole number; json writes one of thousands of digits not at all


def clean_text(text: str) -> str:
    """Return the text without NUL; halves of a surrogate pair are joined, a lone one is U+FFFD."""
    text = text.replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def escaped_unless_clean(text: str) -> str:
    """Return the text as JSON in ASCII if ``clean_text`` would lose half of a surrogate pair.

    Empty if it would not.
    """
    text = text.replace("\0", "")
    return json.dumps(text) if clean_text(text) != text else ""


def fit(value: str, length: int) -> str:
    """Return the text cleaned and, if it is longer than ``length``, cut and ended by its digest.

    So two long ids that begin alike stay two.
    """
    value = clean_text(value)
    if len(value) <= length:
        return value
    digest = hashlib.blake2b(value.encode(), digest_size=16).hexdigest()
    return f"{value[: length - DIGEST_LENGTH]}~{digest}"[-length:]


def fingerprint(*values: object) -> str:
    """Return 64 characters that stand for these values, for a unique index."""
    # The lengths tell where one ends, whatever is in it.
    joined = "".join(f"{len(text)}:{text}" for text in map(str, values))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def money(amount: Decimal | None) -> Decimal | None:
    """Return the amount with eight decimals; None if it is no sane price, as one of ten million."""
    if amount is None or not amount.is_finite():
        return None
    try:
        return amount.quantize(PRICE_STEP, context=PRICES)
    except InvalidOperation:
        return None


def total(prices: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of the prices that are known, None if none is."""
    known = [price for price in prices if price is not None]
    return money(functools.reduce(PRICES.add, known)) if known else None


def moment(time: datetime | None) -> datetime | None:
    """Return the time as ``USE_TZ`` wants it, in UTC or else naive in the project's ``TIME_ZONE``.

    None if it is naive itself, or out of all range.
    """
    if time is None or time.utcoffset() is None or not 1970 <= time.year <= 9000:
        return None
    if settings.USE_TZ:
        return time.astimezone(UTC)
    return timezone.make_naive(time, timezone.get_default_timezone())


def as_given(raw: Mapping[str, Any] | None) -> Any:
    """Return what a provider said as plain JSON, or a mark in its place if it cannot be kept.

    A message that is out must be recorded, whatever its backend put here.
    """
    try:
        values = json_values(raw or {})
        size = len(json.dumps(values))
    except Exception as error:
        return {"not kept": type(error).__name__}
    return values if size <= MAX_RAW else {"not kept": f"{size} characters"}


def json_values(value: Any, depth: int = 0) -> Any:
    """Return the value as plain JSON, cleaned, whatever a backend put into it."""
    if depth > MAX_DEPTH:
        return "…"
    if value is None or (isinstance(value, int) and value.bit_length() <= MAX_BITS):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {_words(name): json_values(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_values(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return _words(value)


def _words(value: object) -> str:
    try:
        return clean_text(str(value))
    except Exception:
        # What a provider answered must not get lost because one value in it cannot be shown.
        return f"({type(value).__name__})"
