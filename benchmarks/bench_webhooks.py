"""How many status reports a second one process takes, and how that changes with the table's size.

python benchmarks/bench_webhooks.py [sqlite|postgresql] [rows ...]
"""

from __future__ import annotations

import json
import sys
import time
import uuid

from project import project

BATCH = 5_000
REPORTS = 500


def fill(total: int) -> None:
    """Add messages, each with the event of its answer, until there are this many."""
    from djsms.models import StatusEvent, TextMessage

    missing = total - TextMessage.objects.count()
    while missing > 0:
        size = min(BATCH, missing)
        messages = TextMessage.objects.bulk_create(
            TextMessage(
                frm="+447700900001",
                to="+447700900002",
                text="x" * 100,
                status="sending",
                provider_id=uuid.uuid4().hex,
                parts=1,
            )
            for _ in range(size)
        )
        StatusEvent.objects.bulk_create(
            StatusEvent(
                message=message,
                source="answer",
                account="default",
                ref=message.ref,
                provider_id=message.provider_id,
                number=1,
                status="sending",
                fingerprint=uuid.uuid4().hex * 2,
            )
            for message in messages
        )
        missing -= size


def main(kind: str, sizes: list[int]) -> None:
    from django.db import transaction
    from django.test import Client

    from djsms.accounts import addresses
    from djsms.models import StatusEvent, TextMessage

    path = f"/djsms/callback/default/{addresses.token('default')}/"
    client = Client()

    def per_second(reports: list[dict[str, str]]) -> float:
        bodies = [json.dumps(report) for report in reports]
        start = time.perf_counter()
        for body in bodies:
            assert client.post(path, body, content_type="application/json").status_code == 200
        return len(bodies) / (time.perf_counter() - start)

    def bare(messages: list[TextMessage]) -> float:
        """What cannot be done without: an event's INSERT and a guarded UPDATE, in a transaction."""
        start = time.perf_counter()
        for message in messages:
            with transaction.atomic():
                rows = TextMessage.objects.filter(pk=message.pk, status="sending")
                rows.update(status="delivered")
                StatusEvent(
                    message=message, source="report", account="default", fingerprint=message.ref
                ).save(force_insert=True)
        return len(messages) / (time.perf_counter() - start)

    print(f"{kind}, reports a second in one process (the test client's own work included)")
    print(f"{'rows':>12} {'bare':>8} {'by ref':>8} {'by id':>8} {'repeats':>8} {'unknown':>8}")
    for size in sizes:
        fill(size)
        # The oldest, which lie far apart from the newest in every index but the primary key's.
        rows = list(TextMessage.objects.filter(status="sending").order_by("pk")[: 3 * REPORTS])
        some, others, rest = rows[:REPORTS], rows[REPORTS : 2 * REPORTS], rows[2 * REPORTS :]
        by_ref = [{"ref": row.ref, "status": "delivered"} for row in some]
        by_id = [{"provider_id": row.provider_id, "status": "delivered"} for row in others]
        unknown = [{"provider_id": uuid.uuid4().hex, "status": "sent"} for _ in range(REPORTS)]
        figures = [bare(rest), *(per_second(all_) for all_ in (by_ref, by_id, by_ref, unknown))]
        print(f"{size:>12,} " + " ".join(f"{figure:>8.0f}" for figure in figures))


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with project(kind):
        main(kind, [int(size) for size in sys.argv[2:]] or [10_000, 100_000])
