"""The database's clock, on each database."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections, transaction

from djsms.ledger import clock

pytestmark = pytest.mark.django_db(databases="__all__")


def test_agrees_with_ours_where_both_are_one_machine(database: str) -> None:
    before = time.time_ns() // 1000
    now = clock.microseconds()
    assert before - 1000 <= now <= time.time_ns() // 1000 + 1000


def test_goes_on_within_a_transaction(database: str) -> None:
    with transaction.atomic(using=database):
        first = clock.microseconds()
        while clock.microseconds() == first:
            pass


def test_knows_no_time_zones(database: str) -> None:
    with connections[database].cursor() as cursor:
        if database == "postgresql":
            cursor.execute("SET LOCAL TIME ZONE 'America/New_York'")
        elif database == "mariadb":
            cursor.execute("SET time_zone = '-05:00'")
        try:
            now = clock.microseconds()
        finally:
            if database == "mariadb":
                cursor.execute("SET time_zone = 'SYSTEM'")
    assert abs(now / 1e6 - time.time()) < 60


def test_stored_times_come_back_the_same(settings: Any) -> None:
    moment = datetime(2026, 1, 15, 12, 30, tzinfo=UTC)
    assert clock.aware(clock.stored(moment)) == moment
    settings.USE_TZ = False
    settings.TIME_ZONE = "America/New_York"
    assert clock.stored(moment) == datetime(2026, 1, 15, 7, 30)  # noqa: DTZ001  (naive is the point)
    assert clock.aware(clock.stored(moment)) == moment
