"""What waits: the rows with a due time. There is no other queue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import OuterRef, QuerySet

from djsms.ledger import clock, statements
from djsms.ledger.transactions import rows_of
from djsms.models import Gate, TextMessage
from djsms.types import Status

__all__ = [
    "due",
    "in_flight",
    "is_any_due",
    "oldest_due",
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


def oldest_due(
    alias: str, slot: str, most: Mapping[int, int], moment: datetime
) -> list[TextMessage]:
    """Return texts that may go by now: of each lane up to so many, the oldest first.

    Of those that are due at the same time it takes any.
    """
    # A part for each lane, since over all lanes at once the index has no such order. And not by
    # their keys as well: PostgreSQL would sort all that are due at the same time.
    columns, table = statements.columns(TextMessage), statements.table(TextMessage)
    parts, values = [], []
    for lane, count in most.items():
        parts.append(
            f"SELECT * FROM (SELECT {columns} FROM {table} WHERE account = %s AND slot = %s "
            "AND lane = %s AND due_on <= %s AND status = %s ORDER BY due_on LIMIT %s) "
            f"AS lane_{lane:d}"
        )
        due = {
            "account": alias,
            "slot": slot,
            "lane": lane,
            "due_on": clock.stored(moment),
            "status": Status.CREATED,
        }
        values += [*statements.prepared(TextMessage, due), count]
    texts = rows_of(TextMessage).raw(" UNION ALL ".join(parts), values)
    # The database may hand out the parts in any order.
    return sorted(texts, key=lambda text: (text.lane, text.due_on, text.pk))


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
