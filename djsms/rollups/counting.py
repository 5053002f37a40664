"""Counting the messages of one hour, each in the hour in which it was made."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django.db.models import BooleanField, Count, ExpressionWrapper, Max, Min, Q, QuerySet, Sum

from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import StatusEvent, TextMessage
from djsms.rollups.delays import step
from djsms.rollups.figures import Failure, Figures
from djsms.types import Status

__all__ = ["HOUR", "count_hour", "made_between"]

HOUR = timedelta(hours=1)
WORDS_LENGTH = 200
# Of an account and hour; a provider whose codes are all different gets one line for the rest.
CODES = 30
# Numbers do not belong into sums, which nobody erases.
# With all that people, and providers, put between digits, so that dates go as well.
NUMBER = re.compile(r"[+(]*\d[\d\s()./\-\u2010-\u2015\u2212]{5,}\d")


def made_between(first: datetime, end: datetime) -> QuerySet[TextMessage]:
    """Return the messages that were made from the one time on and before the other."""
    return rows_of(TextMessage).filter(
        # by name: the index over status and time is the one that is there
        status__in=list(Status),
        created_on__gte=clock.stored(first),
        created_on__lt=clock.stored(end),
    )


def count_hour(hour: datetime) -> dict[str, Figures]:
    """Return what the messages of an hour come to as they stand now, by account."""
    accounts: dict[str, Figures] = defaultdict(Figures)
    for group in _groups(hour):
        _add(accounts[group["account"]], group)
    for account, called_on, reported_on in _deliveries(hour):
        delay = max(clock.aware(reported_on) - clock.aware(called_on), timedelta(0))
        accounts[account].delays[step(delay)] += 1
    for figures in accounts.values():
        _shorten(figures)
    return dict(accounts)


def _groups(hour: datetime) -> Iterable[dict[str, Any]]:
    was_called = ExpressionWrapper(Q(attempted_on__isnull=False), output_field=BooleanField())
    kinds = ("account", "direction", "status", "error_code", "error_kind", "currency")
    groups: Iterable[dict[str, Any]] = (
        made_between(hour, hour + HOUR)
        .annotate(was_called=was_called)
        .values("was_called", *kinds)
        .annotate(
            count=Count("pk"),
            sum_of_segments=Sum("segments"),
            amount=Sum("price"),
            # one of those that came with the code
            words=Max("error_text"),
        )
        .order_by()
    )
    return groups


def _deliveries(hour: datetime) -> Iterable[tuple[str, datetime, datetime]]:
    """Return account, time of the call and time of the report of each part that was delivered."""
    reports = rows_of(StatusEvent).filter(
        status=Status.DELIVERED,
        message__status=Status.DELIVERED,
        message__created_on__gte=clock.stored(hour),
        message__created_on__lt=clock.stored(hour + HOUR),
        message__attempted_on__isnull=False,
    )
    # A part may be told of again, when its price is known.
    parts = reports.values("message", "provider_id").annotate(first=Min("created_on"))
    columns: Any = parts.order_by().values_list(
        "message__account", "message__attempted_on", "first"
    )
    return cast("Iterable[tuple[str, datetime, datetime]]", columns.iterator())


def _add(figures: Figures, group: Mapping[str, Any]) -> None:
    count = group["count"]
    if group["direction"] == TextMessage.Direction.INCOMING:
        figures.received += count
        return
    status = group["status"]
    figures.statuses[status.value] += count
    if group["was_called"] and status is not Status.CREATED:
        figures.called += count
        figures.segments += group["sum_of_segments"]
    if group["amount"] is not None:
        figures.pay(group["currency"], group["amount"])
    if status.is_failure:
        code = group["error_code"] or group["error_kind"]
        # Cut first as well: it may be a whole page, and takes its length squared to read.
        words = NUMBER.sub("…", group["words"][: 5 * WORDS_LENGTH])[:WORDS_LENGTH]
        figures.failures[Failure(status.value, code, words)] += count


def _shorten(figures: Figures) -> None:
    for failure, count in figures.failures.most_common()[CODES:]:
        del figures.failures[failure]
        figures.failures[Failure(failure.status, "…", "")] += count
