"""Moving a message's status forward, and only forward, whoever else does so at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from djsms.ledger import storable
from djsms.ledger.transactions import read_afresh, rows_of
from djsms.models import StatusEvent, TextMessage
from djsms.types import Status

__all__ = ["advance", "decisive", "follow", "is_news"]


def decisive(events: Iterable[StatusEvent]) -> StatusEvent:
    """Return the event, of one for each part, that says where the whole message stands.

    That is a failed part's, if one failed, else the slowest part's.
    """
    ordered = sorted(events, key=lambda event: event.status.rank)
    return next((event for event in ordered if event.status.is_failure), ordered[0])


def is_news(message: TextMessage, event: StatusEvent) -> bool:
    """Return whether an event may change a message as it was last read.

    Statuses only move forward, so what is no news by an older reading is none by a newer one.
    """
    if message.parts > 1:
        return event.price is not None or message.status is not Status.DELIVERED
    if event.price is not None and event.price != message.price:
        return True
    return event.status.rank > message.status.rank


def follow(message: TextMessage, event: StatusEvent) -> frozenset[str]:
    """Let a status report, stored already or about to be, take effect on its message.

    Returns the names of the fields that changed. To be called first of all in a transaction: it
    locks the message, and a lock taken later could wait for another worker that waits for us.
    """
    cause, price = event, event.price
    if message.parts > 1:
        _lock(message)
        parts, price = _hear_all(message, event)
        cause = decisive(part.event for part in parts)
    changes: dict[str, Any] = {}
    if price is not None and price != message.price:
        changes["price"] = price
        changes["currency"] = event.currency or message.currency
    return advance(message, cause, **changes)


def advance(message: TextMessage, cause: StatusEvent, **changes: Any) -> frozenset[str]:
    """Change a message to the event's status, if that is higher, with what else there is to change.

    Returns the names of the fields that changed. The update is guarded by the status that was read:
    if another worker was faster, the message is read again and compared again.
    """
    while True:
        step = changes | _forward(message, cause)
        if not step:
            return frozenset()
        step["updated_on"] = timezone.now()
        rows = rows_of(TextMessage).filter(pk=message.pk, status=message.status)
        if rows.update(**step):
            for name, value in step.items():
                setattr(message, name, value)
            return frozenset(step)
        read_afresh(message)


def _forward(message: TextMessage, cause: StatusEvent) -> dict[str, Any]:
    if cause.status.rank <= message.status.rank:
        return {}
    explains = cause.status.is_failure or cause.status is Status.UNKNOWN
    return {
        "status": cause.status,
        "error_code": cause.error_code if explains else "",
        "error_text": cause.error_text if explains else "",
    }


@dataclass(slots=True)
class _Part:
    event: StatusEvent
    price: Decimal | None

    def hear(self, event: StatusEvent) -> None:
        if event.status.rank > self.event.status.rank:
            self.event = event


def _hear_all(message: TextMessage, newest: StatusEvent) -> tuple[list[_Part], Decimal | None]:
    """Return the parts of the provider's answer, each with its highest event, and the price."""
    events = list(
        rows_of(StatusEvent)
        .filter(message=message)
        .exclude(fingerprint=newest.fingerprint)
        .defer("raw")
        .order_by("pk")
    )
    events.append(newest)
    answers = [event for event in events if event.source == StatusEvent.Source.ANSWER]
    parts = [_Part(event, event.price) for event in answers if event.number > 0]
    named: dict[str, list[_Part]] = {}
    for part in parts:
        if part.event.provider_id:
            named.setdefault(part.event.provider_id, []).append(part)
    whole: Decimal | None = None
    for event in events:
        if event.source != StatusEvent.Source.REPORT:
            continue
        # A report that names none of the parts is about the whole message.
        meant = named.get(event.provider_id)
        for part in meant or parts:
            part.hear(event)
        if event.price is None:
            continue
        if meant:
            meant[0].price = event.price
        else:
            whole = event.price
    price = storable.total(part.price for part in parts) if whole is None else whole
    return parts, price


def _lock(message: TextMessage) -> None:
    # A write locks the row on every database, also on those without SELECT … FOR UPDATE; what is
    # read after it includes what those committed who held the lock before.
    rows_of(TextMessage).filter(pk=message.pk).update(updated_on=timezone.now())
    read_afresh(message)
