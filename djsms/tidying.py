"""What time alone brings to light: calls that never came back, texts whose time is over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.utils import timezone

from djsms.calling.interruptions import is_interruption
from djsms.exceptions import TemporarilyUnavailable
from djsms.ledger import clock, erasure
from djsms.ledger.statuses import lock
from djsms.ledger.transactions import in_transaction, persist, rows_of
from djsms.models import IncomingPart, StatusEvent, TextMessage
from djsms.receiving.incoming import release_parts
from djsms.receiving.reports import catch_up
from djsms.rollups.keeping import keep_rollups
from djsms.sending.outcomes import record_failure
from djsms.types import Status
from djsms.waiting.upkeep import give_up, give_up_calls_of_the_dead, keep_up

__all__ = ["Tidied", "tidy"]

logger = logging.getLogger("djsms")

Row = TypeVar("Row", bound=Model)
Result = TypeVar("Result")

# Longer than any call to a provider takes: backends bound theirs to minutes.
CALL_LIMIT = timedelta(minutes=15)
# Longer than a lot of messages takes whose rows are stored before the calls.
TURN_LIMIT = timedelta(days=1)
# Longer than providers follow a message; what found none by then never will.
REPORT_LIMIT = timedelta(days=7)
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """How much there was to tidy."""

    unknown: int
    """Messages whose call to the provider never came back, now ``unknown``."""
    failed: int
    """Messages whose process died before their turn came, now ``failed``: never attempted in a day,
    and not waiting for a time. Their keys, and ``djsms resend``, still send them."""
    expired: int
    """Messages that waited to be sent, and whose time was over, now ``expired``."""
    reports: int
    """Status reports that found their message, or found it ready, only now."""
    released: int
    """Incoming texts of which a part never came, now messages marked incomplete."""
    parts: int
    """Parts of joined texts that were kept to recognise repeats, now deleted."""
    erased: int
    """Messages older than ``DJSMS_KEEP_TEXTS``, whose text and number are gone now."""
    hours: int
    """Hours whose messages come to something else than when they were last counted."""


def tidy() -> Tidied:
    """Put in order what only time can tell; safe to run at any time, and by several at once.

    A second run finds nothing to do that the first has done. What cannot be put in order is logged,
    and does not keep the rest from it.
    """
    return Tidied(
        unknown=give_up_calls_of_the_dead() + _count(_lost_calls(), _give_up_call),
        failed=_count(_missed_turns(), _give_up_turn),
        expired=keep_up(),
        reports=_count(_waiting_reports(), catch_up),
        released=release_parts(),
        parts=_delete_joined_parts(),
        erased=_erase(),
        # Last, since it counts what the others have changed.
        hours=_or_logged(keep_rollups, "The sums of the last hours could not be kept") or 0,
    )


def _lost_calls() -> QuerySet[TextMessage]:
    return rows_of(TextMessage).filter(
        status=Status.CREATED,
        due_on__isnull=True,
        # By the clock of the database: one of ours that is wrong would give up what goes well.
        attempted_on__lt=clock.stored(clock.now() - CALL_LIMIT),
    )


def _give_up_call(message: TextMessage) -> bool:
    return give_up(message, "The call to the provider never came back.")


def _missed_turns() -> QuerySet[TextMessage]:
    return rows_of(TextMessage).filter(
        status=Status.CREATED,
        due_on__isnull=True,
        attempted_on__isnull=True,
        created_on__lt=timezone.now() - TURN_LIMIT,
    )


def _give_up_turn(message: TextMessage) -> bool:
    def mark() -> bool:
        lock(message)
        # It may have been sent by its key, or enqueued again, since it was read.
        is_idle = message.due_on is None and message.attempted_on is None
        if message.status is not Status.CREATED or not is_idle:
            return False
        record_failure(message, TemporarilyUnavailable("Its turn to be sent never came."))
        return True

    return in_transaction(mark)


def _waiting_reports() -> QuerySet[StatusEvent]:
    return rows_of(StatusEvent).filter(pending=True, created_on__gte=timezone.now() - REPORT_LIMIT)


def _count(rows: QuerySet[Row], put_in_order: Callable[[Row], bool]) -> int:
    count = 0
    for row in _pages(rows):
        try:
            count += put_in_order(row)
        except Exception as error:
            if is_interruption(error):
                raise
            logger.exception("%r could not be put in order", row)
    return count


def _pages(rows: QuerySet[Row]) -> Iterator[Row]:
    # Not a cursor: on SQLite its transaction would stay open, and ours could not write beside it.
    last = 0

    def page() -> list[Row]:
        return list(rows.filter(pk__gt=last).order_by("pk")[:PAGE])

    while found := persist(page):
        yield from found
        last = found[-1].pk


def _erase() -> int:
    _or_logged(erasure.finish, "What was stored of erased texts could not be erased")
    return _or_logged(erasure.erase_old, "Old texts could not be erased") or 0


def _or_logged(work: Callable[[], Result], problem: str) -> Result | None:
    """Return what the work returns; None if something goes wrong with it, which is logged."""
    try:
        return work()
    except ImproperlyConfigured:
        raise
    except Exception as error:
        if is_interruption(error):
            raise
        logger.exception("%s", problem)
        return None


def _delete_joined_parts() -> int:
    old = rows_of(IncomingPart).filter(
        message__isnull=False, created_on__lt=timezone.now() - erasure.REPEATED_FOR
    )
    return in_transaction(lambda: old.delete()[0])
