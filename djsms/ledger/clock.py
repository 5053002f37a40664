"""The database's clock: the one that all who send have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import overload

from django.conf import settings
from django.db import connections
from django.utils import timezone

from djsms.ledger.transactions import database, persist

__all__ = ["EPOCH", "aware", "hour_of", "microseconds", "moment_of", "now", "stored", "ticking"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Not Django's Now(): on MySQL and MariaDB it is the wall clock of the server's own zone. And not
# the time of the transaction, which a caller may have begun long ago.
QUERIES = {
    "postgresql": "SELECT (EXTRACT(EPOCH FROM STATEMENT_TIMESTAMP()) * 1000000)::bigint",
    "mysql": "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
}


def microseconds() -> int:
    """Return the time in microseconds since 1970."""
    query = QUERIES.get(connections[database()].vendor)
    if query is None:
        # SQLite has no clock but that of this machine, which all its users are on.
        return time.time_ns() // 1000

    def ask() -> int:
        with connections[database()].cursor() as cursor:
            cursor.execute(query)
            return int(cursor.fetchone()[0])

    # Often the first that is asked of a connection, which may have died since it was last used.
    return persist(ask)


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return moment_of(microseconds())


def ticking() -> Callable[[], datetime]:
    """Return a clock that is set by the database's now, and goes on by itself."""
    start, since = now(), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - since)


def moment_of(microseconds: int) -> datetime:
    """Return the time as an aware ``datetime`` in UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def hour_of(moment: datetime) -> datetime:
    """Return when the hour of an aware time began, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def stored(moment: datetime) -> datetime:
    """Return an aware time as ``USE_TZ`` wants it stored."""
    if settings.USE_TZ:
        return moment.astimezone(UTC)
    return timezone.make_naive(moment, timezone.get_default_timezone())


@overload
def aware(moment: datetime) -> datetime: ...
@overload
def aware(moment: datetime | None) -> datetime | None: ...
def aware(moment: datetime | None) -> datetime | None:
    """Return a time that was stored as an aware one; None stays None."""
    if moment is None or timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, timezone.get_default_timezone())
