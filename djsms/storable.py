"""Making what providers and callers say fit to be stored, without losing which is which."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

__all__ = ["clean_text", "fingerprint", "fit", "json_values", "moment", "money"]

DIGEST_LENGTH = 33
MAX_PRICE = Decimal(10) ** 8
PRICE_STEP = Decimal(10) ** -8
MAX_DEPTH = 20


def clean_text(text: str) -> str:
    """Return the text without NUL; halves of a surrogate pair are joined, a lone one is U+FFFD."""
    text = text.replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


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
    joined = "\0".join(str(value).replace("\0", "\\0") for value in values)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def money(amount: Decimal | None) -> Decimal | None:
    """Return the amount with at most eight decimals; None if it is no sane price."""
    if amount is None or not amount.is_finite() or abs(amount) >= MAX_PRICE:
        return None
    return amount.quantize(PRICE_STEP)


def moment(time: datetime | None) -> datetime | None:
    """Return the time in UTC as ``USE_TZ`` wants it; None if it is naive or out of all range."""
    if time is None or time.tzinfo is None or not 1970 <= time.year <= 9000:
        return None
    time = time.astimezone(UTC)
    return time if settings.USE_TZ else timezone.make_naive(time, UTC)


def json_values(value: Any, depth: int = 0) -> Any:
    """Return the value as plain JSON, cleaned, whatever a backend put into it."""
    if depth > MAX_DEPTH:
        return "…"
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {clean_text(str(k)): json_values(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_values(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    return clean_text(str(value))
