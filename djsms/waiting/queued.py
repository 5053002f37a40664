"""What waits: the rows with a due time. There is no other queue."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import OuterRef, QuerySet

from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import Gate, TextMessage
from djsms.types import Status

__all__ = [
    "due",
    "in_flight",
    "is_any_due",
    "under_way",
    "under_way_of",
    "waiting",
    "waiting_of",
]


def waiting(alias: str) -> QuerySet[TextMessage]:
    """Return the texts of an account that wait, due or not."""
    slots = rows_of(Gate).filter(account=alias).values_list("slot", flat=True)
    return waiting_of([alias], set(slots))


def waiting_of(aliases: Collection[str], slots: Collection[str]) -> QuerySet[TextMessage]:
    """Return the texts of accounts that wait, due or not; ``slots`` are those of their gates."""
    # Each part of the index by name, and never "IS NOT NULL" alone: where an index knows no
    # conditions, the account's whole archive would be read.
    return rows_of(TextMessage).filter(
        account__in=aliases,
        slot__in={"", *slots},
        lane__in=TextMessage.Lane.values,
        due_on__gt=clock.stored(clock.EPOCH),
    )


def due(
    alias: str, slot: str | OuterRef, lanes: Collection[int], moment: datetime
) -> QuerySet[TextMessage]:
    """Return the texts of some lanes that may go by now, the oldest first."""
    return (
        rows_of(TextMessage)
        .filter(
            account=alias,
            slot=slot,
            lane__in=lanes,
            due_on__lte=clock.stored(moment),
            status=Status.CREATED,
        )
        .order_by("due_on", "pk")
    )


def is_any_due(alias: str, moment: datetime) -> bool:
    """Return whether there is anything to claim; writes nothing."""
    return waiting(alias).filter(due_on__lte=clock.stored(moment)).exists()


def under_way(alias: str) -> QuerySet[TextMessage]:
    """Return the texts for which the account's provider is being called just now."""
    return under_way_of([alias])


def under_way_of(aliases: Collection[str]) -> QuerySet[TextMessage]:
    """Return the texts for which the providers of accounts are being called just now."""
    return rows_of(TextMessage).filter(
        account__in=aliases,
        status=Status.CREATED,
        attempted_on__gt=clock.stored(clock.EPOCH),
        due_on=None,
    )


def in_flight(alias: str) -> int:
    """Return how many calls to the account's provider are under way.

    Counted each time: a counter would not come down again when a process dies.
    """
    return under_way(alias).count()
