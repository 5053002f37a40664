"""How values look in the admin."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from djsms.types import Status

__all__ = ["badge", "multiline", "pretty_json", "price"]


def badge(status: Status) -> SafeString:
    """Return the status as a word on a colour; the word alone says it all."""
    return format_html(
        '<span class="djsms-status djsms-status-{}" title="{}">{}</span>',
        status.value,
        status.explanation,
        status.value,
    )


def multiline(text: str) -> SafeString | None:
    """Return a text as it was written, whatever the direction of its script."""
    return format_html('<pre class="djsms-text" dir="auto">{}</pre>', text) if text else None


def pretty_json(value: Any) -> SafeString | None:
    """Return JSON in indented lines; None if there is nothing in it."""
    if not value:
        return None
    lines = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="djsms-json" dir="ltr">{}</pre>', lines)


def price(amount: Decimal | None, currency: str) -> SafeString | None:
    """Return an amount without the zeros that only the column has."""
    if amount is None:
        return None
    return format_html('<span class="nowrap">{} {}</span>', f"{amount.normalize():f}", currency)
