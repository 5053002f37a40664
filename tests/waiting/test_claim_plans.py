"""A claim finds what it takes by the index, in order, however much waits or is kept."""

import uuid
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from scripted import Provider

from djsms import enqueue_texts
from djsms.accounts import gateways
from djsms.ledger import clock
from djsms.models import TextMessage
from djsms.waiting.claims import claim

pytestmark = pytest.mark.django_db(databases="__all__")

INDEX = "djsms_message_waiting"


def plan(alias: str) -> str:
    """Return how the database looks for candidates, in words of its own."""
    connection = connections[alias]
    with CaptureQueriesContext(connection) as captured:
        claim(gateways.get("default"), uuid.uuid4().hex, 1)
    statement = next(query["sql"] for query in captured if "UNION ALL" in query["sql"])
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of a few rows it would rather read all, or by any index.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute("ANALYZE djsms_textmessage")
        cursor.execute(explain + statement)
        return "\n".join(str(row) for row in cursor.fetchall())


@pytest.mark.parametrize("lanes", [("bulk",), ("urgent", "normal", "bulk")])
def test_nothing_is_sorted_though_all_are_due_at_the_same_time(
    database: str, provider: Provider, lanes: tuple[str, ...]
) -> None:
    for lane in lanes:
        enqueue_texts([("Hi", "Bistro", "+447700900123")] * 200, priority=lane)
    TextMessage.objects.update(due_on=clock.stored(clock.now() - timedelta(minutes=1)))
    found = plan(database)
    assert found.count(INDEX) >= 3
    assert not any(word in found for word in ("Sort", "filesort", "TEMP B-TREE")), found
