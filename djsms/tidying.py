"""What time alone brings to light: calls that never came back, parts that never came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from djsms.exceptions import OutcomeUnknown
from djsms.models import IncomingPart, StatusEvent, TextMessage
from djsms.receiving import release_parts
from djsms.reports import catch_up
from djsms.sending import record_failure
from djsms.types import Status

__all__ = ["Tidied", "tidy"]

# Longer than any call to a provider takes: backends bound theirs to minutes.
CALL_LIMIT = timedelta(minutes=15)
# Longer than any provider repeats a request, so that its repeats are recognised.
KEEP_PARTS = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """How much there was to tidy."""

    unknown: int
    """Messages whose call to the provider never came back, now ``unknown``."""
    reports: int
    """Status reports that found their message only now."""
    released: int
    """Incoming texts of which a part never came, now messages marked incomplete."""
    parts: int
    """Parts of joined texts that were kept to recognise repeats, now deleted."""


def tidy() -> Tidied:
    """Put in order what only time can tell; safe to run at any time, and by several at once."""
    unknown = _give_up_lost_calls()
    return Tidied(
        unknown=unknown,
        reports=_match_reports(),
        released=release_parts(),
        parts=_delete_joined_parts(),
    )


def _give_up_lost_calls() -> int:
    lost = TextMessage.objects.filter(
        direction=TextMessage.Direction.OUTGOING,
        status=Status.CREATED,
        attempted_on__lt=timezone.now() - CALL_LIMIT,
    )
    count = 0
    for message in lost.order_by("pk").iterator():
        record_failure(message, OutcomeUnknown("The call to the provider never came back."))
        count += 1
    return count


def _match_reports() -> int:
    waiting = StatusEvent.objects.filter(source=StatusEvent.Source.REPORT, message=None)
    return sum(catch_up(event) for event in waiting.order_by("pk").iterator())


def _delete_joined_parts() -> int:
    old = IncomingPart.objects.filter(
        message__isnull=False, created_on__lt=timezone.now() - KEEP_PARTS
    )
    return old.delete()[0]
