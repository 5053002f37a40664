"""What texts that wait cost beyond the statements that they cannot do without, and beside peers.

python benchmarks/bench_queue.py [sqlite|postgresql] [texts] [archived rows…]

Processor time of one run: enqueue_texts beside bulk_create of the same rows, queue.drain beside two
UPDATEs and an INSERT a text, both beside django-post_office and django-tasks-db (pip install
--group benchmark), and a claim over growing archives, with the database's plan for it.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import peers_settings
from project import project

PAIRS = 5
FRM, TO, TEXT = "+447700900001", "+447700900002", "x" * 100

# So many rows like one that is there, each with a ref of its own.
SERIES = {
    "sqlite": (
        "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {}) ",
        "lower(hex(randomblob(16)))",
        "series",
    ),
    "postgresql": ("", "md5(n::text || random()::text)", "generate_series(1, {}) AS series(n)"),
}

SETTLING = {
    "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "postgresql": ("VACUUM ANALYZE", "CHECKPOINT"),
}


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this process: what the machine does besides is not ours."""
    start = time.process_time()
    work()
    return time.process_time() - start


def messages(count: int) -> Iterator[tuple[str, str, str]]:
    return ((TEXT, FRM, TO) for _ in range(count))


def tell(kind: str, what: str, rate: float, more: str = "") -> None:
    print(f"{kind}: {what:28} {rate:8.0f}/s{more}", flush=True)


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
    for _ in range(PAIRS):
        TextMessage.objects.all().delete()
        pairs.append((seconds(bare), seconds(ours)))
    TextMessage.objects.all().delete()
    ratio = statistics.median(mine / plain for plain, mine in pairs)
    rate = count / statistics.median(mine for _, mine in pairs)
    tell(kind, "enqueue_texts", rate, f", {ratio:.2f} times bulk_create")


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
    for _ in range(PAIRS):
        enqueue_texts(messages(count))
        plain = seconds(bare)
        enqueue_texts(messages(count))
        pairs.append((plain, seconds(queue.drain)))
    ratio = statistics.median(mine / plain for plain, mine in pairs)
    rate = count / statistics.median(mine for _, mine in pairs)
    tell(kind, "queue.drain", rate, f", {ratio:.2f} times bare")


def beside(kind: str, count: int) -> None:
    """Print what peers take for so many, and enqueue_text one by one."""
    import peers

    from djsms import enqueue_text

    def ours(count: int) -> None:
        for _ in range(count):
            enqueue_text(TEXT, FRM, TO)

    for what, store, work_off in (
        ("enqueue_text", ours, None),
        ("post_office send", peers.store_mails, None),
        ("post_office send_many", peers.store_many_mails, peers.send_mails),
        ("django-tasks-db enqueue", peers.store_tasks, peers.run_tasks),
    ):
        store(10)  # warm
        if work_off is not None:
            work_off()
        tell(kind, what, count / seconds(lambda store=store: store(count)))
        if work_off is not None:
            tell(kind, work_off.__name__, count / seconds(work_off))
        peers.forget()


def claiming(kind: str, archives: list[int]) -> None:
    from django.db import connection

    from djsms import enqueue_texts
    from djsms.accounts import gateways
    from djsms.models import TextMessage
    from djsms.waiting.claims import claim

    gateway = gateways.get("default")
    TextMessage.objects.all().delete()
    for size in archives:
        fill(kind, size - TextMessage.objects.count())
        enqueue_texts(messages(500), run_after=timedelta(days=1))
        enqueue_texts(messages(200))
        with connection.cursor() as cursor:
            # What is left of writing so many rows is not the claims' work.
            for statement in SETTLING[kind]:
                cursor.execute(statement)
        took = [seconds(lambda: claim(gateway, uuid.uuid4().hex, 1)) for _ in range(200)]
        start = time.perf_counter()
        for _ in range(PAIRS):
            claim(gateway, uuid.uuid4().hex, 1)
        wall = (time.perf_counter() - start) / PAIRS
        print(
            f"{kind}: claim over {size:>10,} rows {statistics.median(took) * 1000:6.2f} ms of "
            f"processor time (median), {wall * 1000:.1f} ms by the clock",
            flush=True,
        )
    explain(kind)


def fill(kind: str, count: int) -> None:
    """Add so many texts that went out a month ago."""
    from django.db import connection

    from djsms.models import TextMessage

    if count <= 0:
        return
    long_ago = datetime.now(UTC) - timedelta(days=30)
    first = TextMessage.objects.create(
        frm=FRM, to=TO, text="x", status="sent", attempted_on=long_ago
    )
    first, ref, series = first.pk, *SERIES[kind][1:]
    quote = connection.ops.quote_name
    names = [f.column for f in TextMessage._meta.concrete_fields if not f.primary_key]
    values = ", ".join(ref if name == "ref" else quote(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{SERIES[kind][0].format(count - 1)}INSERT INTO djsms_textmessage "
            f"({', '.join(map(quote, names))}) SELECT {values} "
            f"FROM djsms_textmessage, {series.format(count - 1)} "
            f"WHERE djsms_textmessage.id = {first}"
        )


def explain(kind: str) -> None:
    """Print how the database looks for what a claim takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from djsms.accounts import gateways
    from djsms.waiting.claims import claim

    with CaptureQueriesContext(connection) as captured:
        claim(gateways.get("default"), uuid.uuid4().hex, 1)
    statement = next(q["sql"] for q in captured if "UNION ALL" in q["sql"])
    with connection.cursor() as cursor:
        plan = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
        cursor.execute(plan + statement)
        for row in cursor.fetchall():
            print(f"{kind}:   {row[-1][:110]}")


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    with project(kind, *peers_settings.APPS, **peers_settings.SETTINGS):
        enqueuing(kind, count)
        draining(kind, count)
        beside(kind, count)
        claiming(kind, [int(size) for size in sys.argv[3:]] or [10_000, 100_000])
