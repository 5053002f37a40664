"""What is taken out of stored messages when they are erased, and what stays to count them by."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.db.models import F
from django.utils import timezone

from djsms import conf
from djsms.ledger import clock
from djsms.ledger.said import said_since
from djsms.ledger.transactions import database, in_transaction, rows_of
from djsms.models import HourlyRollup, IncomingPart, StatusEvent, TextMessage
from djsms.types import Status

__all__ = [
    "REPEATED_FOR",
    "SILENCE",
    "erase",
    "erase_number",
    "erase_old",
    "finish",
    "names",
    "national",
]

# Longer than any provider repeats a request, so that its repeats are recognised.
REPEATED_FOR = timedelta(days=7)
SILENCE: dict[str, Any] = {"raw": {}, "error_text": ""}
"""What is left of the words of an event."""
# The rows stay locked until all are changed.
LOT = 500
# Of one call: whoever tidies has other things to do as well, and comes again.
LOTS = 100
# Longer than any transaction takes that stores what a provider says.
UNDER_WAY_FOR = timedelta(hours=1)

INCOMING, OUTGOING = TextMessage.Direction.INCOMING, TextMessage.Direction.OUTGOING
FEWEST_DIGITS = 6
NOT_DIGITS = re.compile(r"[^0-9]+")


def erase_old() -> int:
    """Erase the messages that are older than ``DJSMS_KEEP_TEXTS``; return how many.

    The oldest first, up to 50,000 a call. Those that wait or are under way are left until they are
    not. Reports as old that found no message are deleted.
    """
    kept = conf.keep_texts()
    if kept is None:
        return 0
    now = timezone.now()
    old = (
        rows_of(TextMessage)
        .filter(erased_on=None, created_on__lt=now - kept)
        .exclude(status=Status.CREATED)
        .order_by(*_as_indexed())
        .values_list("pk", flat=True)
    )
    count = 0
    for _ in range(LOTS):
        lot = list(old[:LOT])
        count += erase(lot)
        if len(lot) < LOT:
            break
    _delete_stray_reports(now - max(kept, REPEATED_FOR))
    return count


def erase(keys: Collection[int]) -> int:
    """Erase up to a lot of messages: the other side's number, and all that may hold it or the text.

    Returns how many; those that wait or are under way, or were erased before, are left as they are.
    """

    def work() -> int:
        erased = _erase(keys, None)
        rows = rows_of(TextMessage).filter(pk__in=erased)
        rows.filter(direction=OUTGOING).update(to="")
        rows.filter(direction=INCOMING).update(frm="")
        rows_of(IncomingPart).filter(message__in=erased).update(frm="")
        return len(erased)

    return in_transaction(work)


def erase_number(keys: Collection[int], forms: Collection[str], number: str) -> int:
    """Do as ``erase``, where one number goes, on whichever side it is; ``forms`` are its ways.

    Also of what was erased before, without this number.
    """

    def work() -> int:
        erased = _erase(keys, number)
        settled = rows_of(TextMessage).filter(pk__in=keys, erased_on__isnull=False)
        for rows in (settled, rows_of(IncomingPart).filter(message__in=erased)):
            rows.filter(to__in=forms).update(to="")
            rows.filter(frm__in=forms).update(frm="")
        return len(erased)

    return in_transaction(work)


def finish() -> None:
    """Erase what was being stored of messages while they were erased; for every few minutes.

    Reads what providers said of late, and so costs little however many messages were erased.
    """
    since = timezone.now() - UNDER_WAY_FOR
    # A transaction may be as long as that.
    fresh = said_since(clock.aware(since), margin=UNDER_WAY_FOR)
    said = fresh.filter(message__erased_on__gte=since)
    events, messages = set(), set()
    columns = ("pk", "raw", "error_text", "message", "message__error_text")
    for event, raw, words, message, message_words in said.values_list(*columns).iterator():
        if raw or words:
            events.add(event)
        if message_words:
            messages.add(message)
    for lot in _lots(events):
        rows_of(StatusEvent).filter(pk__in=lot).update(**SILENCE)
    for lot in _lots(messages):
        # Whatever gave a message words is one of its events.
        late = rows_of(TextMessage).filter(pk__in=lot)
        _count_anew(late)
        late.update(error_text="")


def national(number: str) -> str:
    """Return the digits that a number has in every way of writing it; empty if they are too few."""
    import phonenumbers

    try:
        digits = str(phonenumbers.parse(number).national_number)
    except phonenumbers.NumberParseException:
        digits = NOT_DIGITS.sub("", number)
    return digits if len(digits) >= FEWEST_DIGITS else ""


def names(value: object, digits: str) -> bool:
    """Return whether plain JSON has these digits in one of its values, however punctuated."""
    if isinstance(value, dict):
        return any(names(item, digits) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(names(item, digits) for item in value)
    return bool(digits) and digits in NOT_DIGITS.sub("", str(value))


def _as_indexed() -> tuple[str, ...]:
    """Return the order in which the index has what is not erased, so that no database sorts it."""
    if connections[database()].vendor == "mysql":
        return ("created_on",)
    # To PostgreSQL the first column is not the same for all because it is NULL for all.
    return "erased_on", "created_on"


def _erase(keys: Collection[int], number: str | None) -> list[int]:
    """Erase all but numbers; return the keys of those that were not erased before."""
    rows = rows_of(TextMessage).filter(pk__in=keys, erased_on=None).exclude(status=Status.CREATED)
    # Locked, where the database can: no report of theirs comes in between.
    found = list(rows.select_for_update())
    now = timezone.now()
    _keep_recognising(found, now - REPEATED_FOR)
    erased = [message.pk for message in found]
    _count_anew(found)
    naming = [message.pk for message in found if _has_telling_key(message, number)]
    rows_of(TextMessage).filter(pk__in=naming).update(key=None)
    rows.filter(pk__in=erased).update(
        text="", extra={}, error_text="", slot="", fingerprint=None, erased_on=now, updated_on=now
    )
    rows_of(StatusEvent).filter(message__in=erased).update(**SILENCE)
    rows_of(IncomingPart).filter(message__in=erased).update(text="", escaped_text="", raw={})
    return erased


def _has_telling_key(message: TextMessage, number: str | None) -> bool:
    if message.key is None:
        return False
    people = (message.to, message.frm) if number is None else (number,)
    return any(names(message.key, national(person)) for person in people)


def _count_anew(messages: Iterable[TextMessage]) -> None:
    """Have the hours counted anew in whose sums the words of these messages may be.

    Also those that are being counted just now, perhaps with the words: their time tells.
    """
    hours = {
        clock.stored(clock.hour_of(clock.aware(message.created_on)))
        for message in messages
        if message.error_text
    }
    rows_of(HourlyRollup).filter(hour__in=hours).update(
        is_stale=True, counted_on=F("counted_on") - timedelta(microseconds=1)
    )


def _keep_recognising(messages: Iterable[TextMessage], since: datetime) -> None:
    """Keep the fingerprints of incoming texts that may still be repeated, where parts are kept."""
    marks = [
        IncomingPart(
            message=message,
            account=message.account,
            backend=message.backend,
            number=1,
            total=1,
            fingerprint=message.fingerprint,
            created_on=message.created_on,
        )
        for message in messages
        if message.fingerprint is not None and message.created_on > since
    ]
    rows_of(IncomingPart).bulk_create(marks, ignore_conflicts=True)


def _delete_stray_reports(before: datetime) -> None:
    stray = rows_of(StatusEvent).filter(message=None, created_on__lt=before)
    for _ in range(LOTS):
        lot = list(stray.values_list("pk", flat=True)[:LOT])
        in_transaction(lambda lot=lot: rows_of(StatusEvent).filter(pk__in=lot).delete())  # type: ignore[misc]
        if len(lot) < LOT:
            break


def _lots(keys: Iterable[int]) -> Iterable[list[int]]:
    listed = list(keys)
    return (listed[start : start + LOT] for start in range(0, len(listed), LOT))
