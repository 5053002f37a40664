"""What was said of messages of late, found without an index of times."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import StatusEvent

__all__ = ["said_since"]


def said_since(first: datetime, *, margin: timedelta = timedelta(0)) -> QuerySet[StatusEvent]:
    """Return the events since an aware time, by a query that reads few that are older.

    It looks from the newest back to the first that is too old, and so takes keys and times to go
    together; ``margin`` is by how much they may not, as in long transactions.
    """
    older = rows_of(StatusEvent).filter(created_on__lt=clock.stored(first - margin))
    last = Subquery(older.order_by("-pk").values("pk")[:1])
    return rows_of(StatusEvent).filter(
        pk__gt=Coalesce(last, Value(0)), created_on__gte=clock.stored(first)
    )
