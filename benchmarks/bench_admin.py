"""How long pages of the admin take with very many messages, and what tidying their sums takes.

python benchmarks/bench_admin.py [sqlite|postgresql] [rows]

The messages are spread over thirty days and three accounts; nine of ten were delivered, and a
hundredth each failed in three ways. A page is asked for by Django's test client, whole. Of each the
median and the longest time of the clock is told, which others on the machine make longer, and this
process's time on the processor, which they do not.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from project import project

BATCH = 5_000
# Rows of one statement: of many long ones that are all different SQLite would keep a hundred.
LOT = 500
TIMES = 15
DAYS = 30

APPS = [f"django.contrib.{name}" for name in ("admin", "messages", "sessions", "staticfiles")]
MORE = {
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    "STATIC_URL": "/static/",
    "ALLOWED_HOSTS": ["testserver"],
}

# how many of a hundred end so, with code and words
ENDS = [
    (90, "delivered", "", ""),
    (5, "sent", "", ""),
    (2, "unknown", "", ""),
    (1, "failed", "6", "Absent subscriber"),
    (1, "rejected", "7", "Number barred"),
    (1, "refused", "15", "Recipient has opted out"),
]
PAGES = {
    "dashboard, a day": "dashboard/",
    "dashboard, a week": "dashboard/?period=week",
    "dashboard, a month": "dashboard/?period=month",
    "list": "",
    "list of failed ones": "?status__exact=failed",
    "search by an id": "?q=id-77",
}


def fill(total: int) -> None:
    """Add messages, each with its answer and, if it was delivered, its report."""
    from djsms.models import StatusEvent, TextMessage

    for start in range(0, total, BATCH):
        texts = TextMessage.objects.bulk_create(
            _texts(start, min(BATCH, total - start), total), batch_size=LOT
        )
        StatusEvent.objects.bulk_create(
            (
                StatusEvent(
                    message=text,
                    source=source,
                    account=text.account,
                    status="sending" if source == "answer" else "delivered",
                    number=1 if source == "answer" else 0,
                    provider_id=text.provider_id,
                    fingerprint=f"{source} {text.ref}",
                    created_on=text.created_on + timedelta(seconds=random.lognormvariate(1.6, 1)),
                )
                for text in texts
                for source in (("answer", "report") if text.status == "delivered" else ("answer",))
            ),
            batch_size=LOT,
        )


def _texts(start: int, size: int, total: int) -> Iterator[object]:
    from django.utils import timezone

    from djsms.models import TextMessage

    now = timezone.now()
    weights = [weight for weight, *_ in ENDS]
    for number in range(start, start + size):
        ((_weight, status, code, words),) = random.choices(ENDS, weights)
        moment = now - timedelta(days=DAYS) * (1 - number / total)
        yield TextMessage(
            frm="+447700900001",
            to="+447700900002",
            text="x" * 100,
            account=("default", "alerts", "campaigns")[number % 3],
            status=status,
            error_code=code,
            error_text=words,
            price=Decimal("0.0333"),
            currency="EUR",
            provider_id=f"id-{number}",
            parts=1,
            created_on=moment,
            attempted_on=moment,
            updated_on=moment,
        )


def told(name: str, work: Callable[[], object], times: int) -> None:
    """Print how long something takes."""
    lengths = []
    begun = time.process_time()
    for _ in range(times):
        start = time.perf_counter()
        work()
        lengths.append((time.perf_counter() - start) * 1000)
    processor = (time.process_time() - begun) * 1000 / times
    print(
        f"{name:<22} median {statistics.median(lengths):7.0f} ms, longest {max(lengths):7.0f} ms, "
        f"our processor time {processor:6.0f} ms",
        flush=True,
    )


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    total = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    with project(kind, *APPS, **MORE):
        from django.contrib.auth.models import User
        from django.db import connection
        from django.test import Client

        from djsms.models import HourlyRollup
        from djsms.rollups.keeping import keep_rollups

        fill(total)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        print(f"{total:,} messages over {DAYS} days, on {kind}", flush=True)
        told("sums, the first time", lambda: keep_rollups(seconds=3600), 1)
        assert not HourlyRollup.objects.filter(is_stale=True).exists()
        told("sums, each minute", keep_rollups, TIMES)
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        for name, query in PAGES.items():
            address = f"/admin/djsms/textmessage/{query}"
            assert client.get(address).status_code == 200
            told(name, lambda address=address: client.get(address), TIMES)


if __name__ == "__main__":
    main()
