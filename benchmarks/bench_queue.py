"""What texts that wait cost beyond the statements that they cannot do without.

python benchmarks/bench_queue.py [sqlite|postgresql] [texts] [archived rows…]

Processor time of one run, in ratios: enqueue_texts beside bulk_create of the same rows,
queue.drain beside two UPDATEs and an INSERT a text, and a claim over growing archives.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from project import project

FRM, TO, TEXT = "+447700900001", "+447700900002", "x" * 100


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this process: what the machine does besides is not ours."""
    start = time.process_time()
    work()
    return time.process_time() - start


def messages(count: int) -> Iterator[tuple[str, str, str]]:
    return ((TEXT, FRM, TO) for _ in range(count))


def enqueuing(kind: str, count: int) -> None:
    from djsms import enqueue_texts
    from djsms.models import TextMessage

    def bare() -> None:
        now = datetime.now(UTC)
        rows = (
            TextMessage(frm=FRM, to=TO, text=TEXT, due_on=now, expires_on=now, lane=2)
            for _ in range(count)
        )
        while lot := list(itertools.islice(rows, 500)):
            TextMessage.objects.bulk_create(lot)

    def ours() -> None:
        enqueue_texts(messages(count))

    bare(), ours()
    pairs = []
    for _ in range(5):
        TextMessage.objects.all().delete()
        pairs.append((seconds(bare), seconds(ours)))
    TextMessage.objects.all().delete()
    ratio = statistics.median(mine / plain for plain, mine in pairs)
    rate = count / statistics.median(mine for _, mine in pairs)
    print(f"{kind}: enqueue_texts {rate:8.0f}/s, {ratio:.2f} times bulk_create (median of 5 pairs)")


def draining(kind: str, count: int) -> None:
    from djsms import enqueue_texts, queue
    from djsms.models import StatusEvent, TextMessage

    def bare() -> None:
        pks = list(TextMessage.objects.filter(due_on__isnull=False).values_list("pk", flat=True))
        for pk in pks:
            TextMessage.objects.filter(pk=pk).update(due_on=None, attempts=1)
            TextMessage.objects.filter(pk=pk).update(status="sending", provider_id="x", parts=1)
            StatusEvent(
                message_id=pk, source="answer", account="default", fingerprint=uuid.uuid4().hex
            ).save(force_insert=True)

    pairs = []
    for _ in range(5):
        enqueue_texts(messages(count))
        plain = seconds(bare)
        enqueue_texts(messages(count))
        pairs.append((plain, seconds(queue.drain)))
    ratio = statistics.median(mine / plain for plain, mine in pairs)
    rate = count / statistics.median(mine for _, mine in pairs)
    print(f"{kind}: drain         {rate:8.0f}/s, {ratio:.2f} times bare (median of 5 pairs)")


def claiming(kind: str, archives: list[int]) -> None:
    from djsms import enqueue_texts
    from djsms.accounts import gateways
    from djsms.models import TextMessage
    from djsms.waiting.claims import claim

    gateway = gateways.get("default")
    for size in archives:
        missing = size - TextMessage.objects.count()
        long_ago = datetime.now(UTC) - timedelta(days=30)
        for start in range(0, missing, 2000):
            TextMessage.objects.bulk_create(
                TextMessage(frm=FRM, to=TO, text="x", status="sent", attempted_on=long_ago)
                for _ in range(min(2000, missing - start))
            )
        enqueue_texts(messages(500), run_after=timedelta(days=1))
        enqueue_texts(messages(200))
        took = [seconds(lambda: claim(gateway, uuid.uuid4().hex, 1)) for _ in range(200)]
        print(
            f"{kind}: claim over {size:>9,} rows {statistics.median(took) * 1000:6.2f} ms (median)"
        )


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with project(kind):
        enqueuing(kind, count)
        draining(kind, count)
        claiming(kind, [int(size) for size in sys.argv[3:]] or [10_000, 100_000])
