"""What a status report costs, as a ratio to what cannot be done without, in one and the same run.

python benchmarks/bench_webhooks.py [sqlite|postgresql] [rows]

Bare is an event's INSERT and a guarded UPDATE in one transaction. All else is the whole view,
called with a request that is there already. Measured is this process's time on the processor: how
long the database takes is not ours. The kinds take turns, lot by lot, so that whatever slows the
machine down slows all of them down. A ratio is the median of its lots'.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

from project import project

BATCH = 5_000
LOT = 50
LOTS = 20
MANY = 500  # reports in one request


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


def bare(message: Any) -> None:
    """Do what cannot be done without."""
    from django.db import transaction

    from djsms.models import StatusEvent, TextMessage

    with transaction.atomic():
        TextMessage.objects.filter(pk=message.pk, status="sending").update(status="delivered")
        StatusEvent(
            message=message, source="report", account="default", fingerprint=message.ref
        ).save(force_insert=True)


def caller() -> Callable[[Any], None]:
    """Return what calls the view with a request of these reports."""
    from django.test import RequestFactory

    from djsms.accounts import addresses
    from djsms.receiving import views

    factory, token = RequestFactory(), addresses.token("default")
    path = f"/djsms/callback/default/{token}/"

    def prepare(report: dict[str, str]) -> Callable[[], None]:
        request = factory.post(path, json.dumps(report), content_type="application/json")

        def call() -> None:
            assert views.callback(request, "default", token).status_code == 200

        return call

    return prepare


def seconds(calls: list[Callable[[], None]]) -> float:
    """Return the time on the processor that a call takes."""
    start = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - start) / len(calls)


def main(kind: str, rows: int) -> None:
    from functools import partial

    from djsms import Status, StatusReport
    from djsms.models import TextMessage
    from djsms.receiving.reports import take_reports

    fill(max(rows, 3 * LOT * LOTS + 4 * MANY))
    # The oldest, which lie far apart from the newest in every index but the primary key's.
    messages = iter(TextMessage.objects.order_by("pk")[: 3 * LOT * LOTS + 4 * MANY])
    prepare = caller()
    timed: dict[str, list[float]] = {name: [] for name in ("bare", "first", "repeat", "by id")}
    timed["unknown"] = []
    for _ in range(LOTS):
        some, others, rest = ([next(messages) for _ in range(LOT)] for _ in range(3))
        by_ref = [{"ref": message.ref, "status": "delivered"} for message in some]
        by_id = [{"provider_id": message.provider_id, "status": "delivered"} for message in others]
        unknown = [{"provider_id": uuid.uuid4().hex, "status": "sent"} for _ in range(LOT)]
        timed["bare"].append(seconds([partial(bare, message) for message in rest]))
        timed["first"].append(seconds([prepare(report) for report in by_ref]))
        timed["repeat"].append(seconds([prepare(report) for report in by_ref]))
        timed["by id"].append(seconds([prepare(report) for report in by_id]))
        timed["unknown"].append(seconds([prepare(report) for report in unknown]))
    many = []
    for _ in range(4):
        reports = [StatusReport(status=Status.SENT, ref=next(messages).ref) for _ in range(MANY)]
        many.append(seconds([lambda reports=reports: take_reports("default", reports)]) / MANY)

    print(f"{kind}, {rows:,} messages; bare {1e6 * statistics.median(timed['bare']):.0f} µs")
    show("first / bare", timed["first"], timed["bare"], 1.6)
    show("repeat / first", timed["repeat"], timed["first"], 0.6)
    show("first by the provider's id / bare", timed["by id"], timed["bare"])
    show("of no message / bare", timed["unknown"], timed["bare"])
    first = [statistics.median(timed["first"])] * len(many)
    show(f"{MANY} at once, each / first", many, first, 0.5)


def show(name: str, some: list[float], others: list[float], budget: float | None = None) -> None:
    ratio = statistics.median(one / other for one, other in zip(some, others, strict=True))
    print(f"  {name:<36} {ratio:5.2f}" + (f"   (at most {budget})" if budget else ""))


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with project(kind):
        main(kind, int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
