"""The dashboard: what the messages of the last hours and days come to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db import DatabaseError
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from djsms.admin import charts, rendering
from djsms.admin.numbering import number
from djsms.admin.permissions import hidden, may_view_texts
from djsms.rollups.figures import Failure, Figures
from djsms.rollups.keeping import keep_if_few
from djsms.rollups.periods import PERIODS, Overview, Slice, overview
from djsms.types import Status
from djsms.waiting.verdicts import span

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

__all__ = ["dashboard"]

logger = logging.getLogger("djsms")

NAMES = {
    "day": gettext_lazy("Last 24 hours"),
    "week": gettext_lazy("Last 7 days"),
    "month": gettext_lazy("Last 30 days"),
}
# `djsms work` counts each minute, and cron "every few minutes".
LATE = timedelta(minutes=15)
# More ways to fail than a person reads.
FAILURES = 15


def dashboard(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Return the page for a period, and for one account or all."""
    name = request.GET.get("period", "")
    period = PERIODS.get(name) or PERIODS["day"]
    account = request.GET.get("account", "")
    try:
        keep_if_few()
    except DatabaseError:
        # As with a database that takes no writes just now: what was counted is shown.
        logger.warning("The sums for the dashboard could not be kept", exc_info=True)
    found = overview(period, account)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Dashboard"),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "periods": [
            {
                "name": words,
                "url": _query(period=key, account=account),
                "is_current": period is PERIODS[key],
            }
            for key, words in NAMES.items()
        ],
        "account": account,
        "all_url": _query(period=name, account=""),
        "summary": _summary(found.total),
        "counted_on": rendering.moment(found.counted_on),
        "is_late": found.counted_on is None or found.moment - found.counted_on > LATE,
        "stale": number(found.stale) if found.stale else "",
        "total": _told(found.total),
        "chart": _chart(found),
        "slices": [
            {"start": _start(part, found.slices), **_told(part.figures)}
            for part in reversed(found.slices)
            if part.figures != Figures()
        ],
        "first": _start(found.slices[0], found.slices),
        "last": _start(found.slices[-1], found.slices),
        "most": number(max(_ended(part.figures) for part in found.slices)),
        "failures": _failures(found.total, account),
        "words_hidden": "" if may_view_texts(request) else hidden(),
        "accounts": [
            {"name": key, "url": _query(period=name, account=key), **_told(figures)}
            for key, figures in sorted(found.accounts.items())
        ],
    }
    return TemplateResponse(request, "admin/djsms/dashboard.html", context)


def _query(**values: str) -> str:
    return f"?{urlencode({key: value for key, value in values.items() if value})}"


def _told(figures: Figures) -> dict[str, Any]:
    """Return sums in words and figures, as the page shows them."""
    delay = figures.median_delay
    return {
        "called": number(figures.called),
        "segments": number(figures.segments),
        "delivered": number(figures.delivered),
        "under_way": number(figures.under_way),
        "failed": number(figures.failed),
        "never_called": number(figures.never_called),
        "unknown": number(figures.unknown),
        "waiting": number(figures.waiting),
        "received": number(figures.received),
        "share": _per_cent(figures.share),
        "delay": "" if delay is None else _length(delay),
        "spend": [_amount(*item) for item in sorted(figures.spend.items())],
    }


def _summary(figures: Figures) -> str:
    if not (figures.called or figures.failed):
        return _("Nothing was sent.")
    words = ngettext("%(count)s text was sent.", "%(count)s texts were sent.", figures.called)
    sentences = [words % {"count": number(figures.called)}]
    if figures.share is not None:
        sentences.append(
            _("Of those whose end is known %(share)s were delivered.")
            % {"share": _per_cent(figures.share)}
        )
    if figures.median_delay is not None:
        sentences.append(
            _("Half of them arrived within about %(time)s.")
            % {"time": _length(figures.median_delay)}
        )
    if figures.unknown:
        words = ngettext(
            "Of %(count)s nobody knows.", "Of %(count)s nobody knows.", figures.unknown
        )
        sentences.append(words % {"count": number(figures.unknown)})
    return " ".join(sentences)


def _chart(found: Overview) -> Any:
    if not any(_ended(part.figures) for part in found.slices):
        return None
    bars = [
        (f"{_start(part, found.slices)}: {_summary(part.figures)}", _counts(part.figures))
        for part in found.slices
    ]
    return charts.chart(bars, _summary(found.total))


def _counts(figures: Figures) -> dict[str, int]:
    return {
        "delivered": figures.delivered,
        "way": figures.under_way,
        "failed": figures.failed,
        "unknown": figures.unknown,
    }


def _ended(figures: Figures) -> int:
    return sum(_counts(figures).values())


def _start(part: Slice, slices: list[Slice]) -> str:
    local = timezone.localtime(part.start)
    if slices[1].start - slices[0].start >= timedelta(days=1) - timedelta(hours=1):
        return f"{local:%Y-%m-%d}"
    return f"{local:%Y-%m-%d %H:%M}"


def _failures(figures: Figures, account: str) -> list[dict[str, Any]]:
    rows = [_failure(failure, n, account) for failure, n in _merged(figures.failures).items()]
    rows.sort(key=lambda row: -row["number"])
    return rows[:FAILURES]


def _merged(failures: Mapping[Failure, int]) -> dict[Failure, int]:
    """Return one line for each code, with the words that came with it most often."""
    lines: dict[tuple[str, str], dict[str, int]] = {}
    for (status, code, words), count in failures.items():
        line = lines.setdefault((status, code), {})
        line[words] = line.get(words, 0) + count
    return {
        Failure(status, code, max(line, key=lambda words: line[words])): sum(line.values())
        for (status, code), line in lines.items()
    }


def _failure(failure: Failure, count: int, account: str) -> dict[str, Any]:
    query = {"status__exact": failure.status, **({"account": account} if account else {})}
    return {
        "badge": rendering.badge(Status(failure.status)),
        "code": failure.code,
        "words": failure.words,
        "number": count,
        "count": number(count),
        "url": f"{reverse('admin:djsms_textmessage_changelist')}?{urlencode(query)}",
    }


def _per_cent(share: float | None) -> str:
    if share is None:
        return ""
    # Never 100 % while one has failed.
    return _("%(number)s %%") % {"number": number_format(int(share * 1000) / 10, 1)}


def _length(delay: timedelta) -> str:
    seconds = delay.total_seconds()
    return f"{number_format(seconds, 1)} s" if seconds < 10 else span(delay)


def _amount(currency: str, amount: Decimal) -> str:
    places = 2 if abs(amount) >= 1 or not amount else 4
    return f"{number_format(amount, places, force_grouping=True)} {currency}".strip()
