"""What the project has stored: read as any application may, by ``djsms.models``.

The one module of this distribution that does: the backend itself stores and reads none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Max, Q, QuerySet
from djsms import Status
from djsms.models import StatusEvent, TextMessage  # noqa: TID251  (an app's page, see above)

from djsms_phone.models import Handset

__all__ = [
    "StatusEvent",
    "TextMessage",
    "account_of",
    "by_ref",
    "changed",
    "events",
    "last_of_each",
    "page",
    "search",
    "senders",
    "unread",
]

OUTGOING, INCOMING = TextMessage.Direction.OUTGOING, TextMessage.Direction.INCOMING
BACKEND = "phone"


def account_of(ref: str) -> str | None:
    """Return the account that a text belongs to; None if it is not stored."""
    return TextMessage.objects.filter(ref=ref).values_list("account", flat=True).first()


def by_ref(ref: str) -> TextMessage | None:
    return _ours().filter(ref=ref).first()


def events(message: TextMessage) -> list[StatusEvent]:
    """Return what was said of a text, the oldest first."""
    return list(message.events.order_by("pk"))


def page(handset: Handset, limit: int, before: int | None = None) -> list[TextMessage]:
    """Return the last texts to and from a phone, the oldest first."""
    found: list[TextMessage] = []
    # One index each; a condition over both would use none.
    for texts in _of(handset):
        chosen = texts.filter(pk__lt=before) if before is not None else texts
        found += chosen.order_by("-pk")[:limit]
    return sorted(found, key=lambda text: text.pk)[-limit:]


def changed(handset: Handset, since: datetime, limit: int) -> list[TextMessage]:
    """Return the texts to and from a phone that are new or stand elsewhere, the oldest first."""
    found: list[TextMessage] = []
    for texts in _of(handset):
        found += texts.filter(updated_on__gte=since).order_by("-pk")[:limit]
    return sorted(found, key=lambda text: text.pk)


def last_of_each(handsets: Iterable[Handset]) -> dict[str, TextMessage]:
    """Return the last text to or from each phone, by its number."""
    numbers = [handset.number for handset in handsets]
    latest: dict[str, int] = {}
    for column, texts in (("to", _outgoing()), ("frm", _incoming())):
        ends = texts.filter(**{f"{column}__in": numbers}).values_list(column)
        for number, pk in ends.annotate(last=Max("pk")):
            latest[number] = max(pk, latest.get(number, 0))
    found = TextMessage.objects.in_bulk(latest.values())
    return {number: found[pk] for number, pk in latest.items() if pk in found}


def unread(handsets: Iterable[Handset]) -> dict[str, int]:
    """Return how many texts each phone got since somebody looked, by its number.

    What failed never got to it.
    """
    wanted = Q(pk__in=[])
    for handset in handsets:
        wanted |= Q(to=handset.number, pk__gt=handset.read_up_to)
    failures = [status for status in Status if status.is_failure]
    counts = _outgoing().filter(wanted).exclude(status__in=failures).values_list("to")
    return dict(counts.annotate(count=Count("pk")))


def senders(handset: Handset) -> list[tuple[str, str]]:
    """Return who wrote to a phone, the last one first: account and originator."""
    wrote = _outgoing().filter(to=handset.number).values_list("account", "frm")
    return [(account, frm) for account, frm in dict.fromkeys(wrote.order_by("-pk")[:100])]


def search(words: str, limit: int) -> list[str]:
    """Return the numbers that got or wrote a text with these words, the last one first."""
    found = _ours().filter(text__icontains=words).order_by("-pk")[: limit * 10]
    return list(
        dict.fromkeys(text.to if text.direction == OUTGOING else text.frm for text in found)
    )[:limit]


def _ours() -> QuerySet[TextMessage]:
    return TextMessage.objects.filter(backend=BACKEND)


def _outgoing() -> QuerySet[TextMessage]:
    return _ours().filter(direction=OUTGOING)


def _incoming() -> QuerySet[TextMessage]:
    return _ours().filter(direction=INCOMING)


def _of(handset: Handset) -> tuple[QuerySet[TextMessage], QuerySet[TextMessage]]:
    return _outgoing().filter(to=handset.number), _incoming().filter(frm=handset.number)
