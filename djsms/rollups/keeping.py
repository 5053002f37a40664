"""Keeping the sums of each hour true: which hours to count anew, and how many at one time.

A report that comes late changes a message of an hour long gone. So each run looks which messages
were spoken of since the last one, and counts their hours anew, whole. What was made more than
thirty days ago is not looked at any more, and so loses the words of providers, which nobody would
take out any more; and what is deleted is noticed only if its hour is counted anew for another
reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from django.db.models import Max
from django.db.models.functions import TruncHour

from djsms.ledger import clock
from djsms.ledger.said import said_since
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import HourlyRollup, TextMessage
from djsms.rollups.counting import HOUR, count_hour, made_between
from djsms.rollups.figures import Figures
from djsms.types import Status

__all__ = ["DAYS", "keep_if_few", "keep_rollups"]

DAYS = 30
# Longer than transactions take: what they store has the time at which they began.
OVERLAP = timedelta(minutes=5)
# Of one run, which others wait for; the rest has its turn in the next.
PATIENCE = 10  # seconds
# An hour of many messages is counted anew only so often: each takes about 20 microseconds.
PAUSE = timedelta(milliseconds=0.5)  # a message
# A page of the admin counts by itself if there are so few, for so long, and not each time.
FEW = 5000  # messages
SHORT = 0.1  # seconds
FRESH = timedelta(minutes=1)
# Of hours, as they are read: mostly one of them is all that has become too old.
PAGE = 50
# No report tells of these.
SILENT = (Status.CANCELLED, Status.EXPIRED)


def keep_rollups(seconds: float = PATIENCE) -> int:
    """Count the hours of messages that were spoken of; return how many come to something else.

    ``seconds`` is after which no further hour is begun; those left are counted the next time.
    """
    moment = clock.now()
    now = clock.hour_of(moment)
    first = now - timedelta(days=DAYS)
    last = rows_of(HourlyRollup).aggregate(last=Max("counted_on"))["last"]
    if last is not None:
        since = clock.aware(last) - OVERLAP
        _mark({*_changed(since, first), *_hours(clock.hour_of(since), now)})
    _fill(first, now, moment)
    end = time.monotonic() + seconds
    counted = []
    for rollup in _to_count(first, now, moment):
        if time.monotonic() > end:
            break
        counted.append((rollup, _counted(rollup, moment)))
    _store(counted)
    _drop_words(first, moment)
    return sum(rollup.figures != fields["figures"] for rollup, fields in counted)


def keep_if_few() -> None:
    """Do as ``keep_rollups`` where that takes no time worth speaking of, and nobody just did.

    So that a small site's sums are true even if nothing tidies it.
    """
    moment = clock.now()
    last = rows_of(HourlyRollup).aggregate(last=Max("counted_on"))["last"]
    if last is not None and clock.aware(last) + FRESH > moment:
        return
    now = clock.hour_of(moment)
    made = made_between(now - timedelta(days=DAYS), now + HOUR).values_list("pk", flat=True)
    if len(made[: FEW + 1]) <= FEW:
        keep_rollups(SHORT)


def _hours(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += HOUR


def _changed(since: datetime, first: datetime) -> set[datetime]:
    """Return the hours of messages that something was said of, or that ended, since then."""
    spoken_of = said_since(since).filter(message__created_on__gte=clock.stored(first))
    ended = rows_of(TextMessage).filter(
        status__in=SILENT,
        created_on__gte=clock.stored(first),
        updated_on__gte=clock.stored(since),
    )
    return {*_made(spoken_of, "message__created_on"), *_made(ended, "created_on")}


def _made(rows: Any, field: str) -> Iterator[datetime]:
    hours = rows.order_by().annotate(of_hour=TruncHour(field, tzinfo=UTC)).values_list("of_hour")
    for (hour,) in hours.distinct():
        # Without time zones the database's hours are those of a zone that may be half an hour off.
        start = clock.aware(hour)
        yield clock.hour_of(start)
        yield clock.hour_of(start + HOUR - timedelta(seconds=1))


def _mark(hours: Iterable[datetime]) -> None:
    stored = [clock.stored(hour) for hour in hours]
    rows = rows_of(HourlyRollup).filter(hour__in=stored, is_stale=False)
    in_transaction(lambda: rows.update(is_stale=True))


def _fill(first: datetime, now: datetime, moment: datetime) -> None:
    """Add the hours that are not there: stale ones, or empty ones if no message was made then."""
    hours = list(_hours(first, now))
    kept = rows_of(HourlyRollup).filter(hour__gte=clock.stored(first), hour__lte=clock.stored(now))
    if kept.count() == len(hours):
        return
    known = set(map(clock.aware, kept.values_list("hour", flat=True)))
    missing = [hour for hour in hours if hour not in known]
    made = set(_made(made_between(missing[0], missing[-1] + HOUR), "created_on"))
    rows = [
        HourlyRollup(
            hour=clock.stored(hour), counted_on=clock.stored(moment), is_stale=hour in made
        )
        for hour in missing
    ]
    # Another run may add them at the same time.
    in_transaction(lambda: rows_of(HourlyRollup).bulk_create(rows, ignore_conflicts=True))


def _to_count(first: datetime, now: datetime, moment: datetime) -> list[HourlyRollup]:
    """Return the hours to count: the one that runs first of all, then what has waited longest."""
    stale = rows_of(HourlyRollup).filter(hour__gte=clock.stored(first), is_stale=True)
    due = [
        rollup
        for rollup in stale.order_by("counted_on", "-hour")
        if clock.aware(rollup.counted_on) + PAUSE * rollup.texts <= moment
    ]
    return sorted(due, key=lambda rollup: clock.aware(rollup.hour) != now)


def _counted(rollup: HourlyRollup, moment: datetime) -> dict[str, Any]:
    """Return what is to be stored of an hour, counted anew."""
    accounts = count_hour(clock.aware(rollup.hour))
    return {
        "figures": {account: accounts[account].as_json() for account in sorted(accounts)},
        "texts": sum(sums.statuses.total() + sums.received for sums in accounts.values()),
        "counted_on": clock.stored(moment),
        "is_stale": False,
    }


def _store(counted: Sequence[tuple[HourlyRollup, dict[str, Any]]]) -> None:
    def store() -> None:
        # In the order of their keys, so that two who store do not wait for each other in a circle.
        for rollup, fields in sorted(counted, key=lambda pair: pair[0].pk):
            # What was erased meanwhile has moved its time, and it is counted once more.
            row = rows_of(HourlyRollup).filter(pk=rollup.pk, counted_on=rollup.counted_on)
            row.update(**fields)

    in_transaction(store)


def _drop_words(first: datetime, moment: datetime) -> None:
    """Take the providers' words out of the hours before this one, which are not counted any more.

    That is done with each as it gets too old, and so from the newest back to one that is done.
    """
    stored = []
    for rollup in takewhile(_has_words, _before(first)):
        accounts = {account: Figures() for account in rollup.figures}
        for account, figures in accounts.items():
            figures.add_stored(rollup.figures[account])
            figures.drop_words()
        told = {account: figures.as_json() for account, figures in accounts.items()}
        stored.append((rollup, {"figures": told, "counted_on": clock.stored(moment)}))
    _store(stored)


def _before(first: datetime) -> Iterator[HourlyRollup]:
    older = rows_of(HourlyRollup).filter(hour__lt=clock.stored(first)).order_by("-hour")
    start = 0
    while page := list(older[start : start + PAGE]):
        yield from page
        start += PAGE


def _has_words(rollup: HourlyRollup) -> bool:
    """Return whether an hour was last touched while it was young enough to be counted."""
    last = clock.aware(rollup.hour) + HOUR + timedelta(days=DAYS)
    return clock.aware(rollup.counted_on) < last
