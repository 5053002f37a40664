"""What has changed is found by an index, however many texts were ever cancelled or have expired."""

from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from djsms import Status
from djsms.models import TextMessage
from djsms.rollups.keeping import keep_rollups

pytestmark = pytest.mark.django_db(databases="__all__")


def ended(count: int) -> None:
    long_ago = timezone.now() - timedelta(days=20)
    TextMessage.objects.bulk_create(
        TextMessage(
            frm="Acme",
            to="+447700900123",
            status=(Status.CANCELLED, Status.EXPIRED)[n % 2],
            created_on=long_ago,
            updated_on=long_ago,
        )
        for n in range(count)
    )


def plan(alias: str) -> str:
    """Return how the database looks for those that have ended since, in words of its own."""
    connection = connections[alias]
    with CaptureQueriesContext(connection) as captured:
        keep_rollups()
    [statement] = [q["sql"] for q in captured if '"updated_on" >=' in q["sql"].replace("`", '"')]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE djsms_textmessage")
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(str(row) for row in cursor.fetchall())


def test_those_that_ended_are_found_by_when_that_was(database: str) -> None:
    if database == "default":
        pytest.skip("SQLite does not use an index with a condition for values that it is handed")
    ended(1000)
    keep_rollups()
    assert "djsms_message_silent" in plan(database)
