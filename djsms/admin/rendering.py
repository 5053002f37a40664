"""How values look in the admin."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from djsms.admin.numbering import number
from djsms.ledger import clock
from djsms.ledger.words import EXPLANATIONS, LABELS
from djsms.types import Status

__all__ = [
    "NOTHING",
    "badge",
    "between",
    "cost",
    "moment",
    "moment_of",
    "multiline",
    "pretty_json",
    "price",
]

NOTHING = "–"
"""What stands where there is nothing; Django would write None."""


def badge(status: Status) -> SafeString:
    """Return the status as a word on a colour; the word alone says it all."""
    return format_html(
        '<span class="djsms-status djsms-status-{}" title="{}">{}</span>',
        status.value,
        EXPLANATIONS[status],
        LABELS[status],
    )


def between(frm: str, to: str) -> SafeString:
    """Return sender and recipient, whatever the direction of a sender's script."""
    return format_html(
        '<span class="djsms-between"><bdi>{}</bdi> '
        '<span class="nowrap"><span aria-hidden="true">→</span> <bdi>{}</bdi></span></span>',
        frm,
        to,
    )


def moment(value: datetime | None) -> SafeString | None:
    """Return a time as all our pages show one, in the current time zone."""
    if value is None:
        return None
    local = timezone.localtime(clock.aware(value))
    return format_html(
        '<time datetime="{}" title="{}"><span class="nowrap">{}</span> '
        '<span class="nowrap">{}</span></time>',
        local.isoformat(),
        local.tzname(),
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M:%S}",
    )


def moment_of(field: str, description: Any) -> Callable[[Any], str]:
    """Return a column, or a field of a page, that shows the time which a row has in a field."""

    @admin.display(description=description)
    def shown(row: Any) -> str:
        return moment(getattr(row, field)) or NOTHING

    # Django names the cell after it.
    shown.__name__ = field
    return shown


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
    return format_html(
        '<span class="nowrap">{} {}</span>', number_format(amount.normalize()), currency
    )


def cost(amount: Decimal | None, currency: str, segments: int) -> SafeString:
    """Return what a message costs, and of how many segments it is."""
    words = ngettext("%(count)s segment", "%(count)s segments", segments)
    return format_html(
        '{} <span class="djsms-quiet nowrap">{}</span>',
        price(amount, currency) or "",
        words % {"count": number(segments)},
    )
