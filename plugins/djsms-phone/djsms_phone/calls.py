"""The calls that the network has to make: one takes a call, makes it, and tells what came of it.

A page, ``djsms phone --headless`` and a test take them alike, so that no two make the same one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from djsms import gateway

from djsms_phone.models import Call

__all__ = ["LEASE", "MAX_TRIES", "next_due", "path", "settle", "take"]

LEASE = timedelta(seconds=15)
"""How long a call is nobody else's. It is taken anew after that: a page may have been closed."""

MAX_TRIES = 5
CANDIDATES = 20


def take(until: datetime | None = None) -> Call | None:
    """Return the next call that is due, for the caller to make within ``LEASE``; None if none is.

    Calls of one phone are made one after the other. ``until`` is now, unless one looks ahead.
    """
    now = timezone.now()
    waiting = Call.objects.filter(done_on=None)
    busy = waiting.filter(taken_until__gt=now).values_list("handset", flat=True)
    due = waiting.filter(due_on__lte=until or now).exclude(handset__in=list(busy))
    for pk in list(due.order_by("due_on", "pk").values_list("pk", flat=True)[:CANDIDATES]):
        free = Call.objects.filter(Q(taken_until=None) | Q(taken_until__lte=now), pk=pk)
        if free.filter(done_on=None).update(taken_until=now + LEASE):
            return Call.objects.select_related("handset").get(pk=pk)
    return None


def settle(pk: int, answer: int, *, milliseconds: int = 0, problem: str = "") -> bool:
    """Keep what a call was answered; False if somebody told before.

    What was not answered with success comes again, as providers do it: after 5 s, 15 s, 45 s …
    """
    now = timezone.now()
    if not Call.objects.filter(pk=pk, done_on=None).update(
        done_on=now,
        taken_until=None,
        answer=answer,
        milliseconds=milliseconds,
        problem=problem[:200],
    ):
        return False
    call = Call.objects.get(pk=pk)
    if not 200 <= answer < 300 and call.tries < MAX_TRIES:
        Call.objects.create(
            handset_id=call.handset_id,
            account=call.account,
            kind=call.kind,
            status=call.status,
            body=call.body,
            due_on=now + timedelta(seconds=5 * 3**call.tries),
            tries=call.tries + 1,
        )
    return True


def next_due() -> datetime | None:
    """Return when the next call is due; None if none waits."""
    due = Call.objects.filter(done_on=None).order_by("due_on")
    return due.values_list("due_on", flat=True).first()


def path(call: Call) -> str:
    """Return the path to call, with the account's token.

    Raises what is wrong with the project: an account that is gone, ``djsms.urls`` not included.
    """
    kind = Call.Kind(call.kind)
    return gateway(call.account).webhook_path("callback" if kind == "callback" else "incoming")
