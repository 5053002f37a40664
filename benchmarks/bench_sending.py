"""What send_text costs beyond the three statements that it cannot do without.

python benchmarks/bench_sending.py [sqlite|postgresql] [messages]
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections.abc import Callable

from project import project


def main(kind: str, count: int) -> None:
    from django.utils import timezone

    from djsms import send_text, send_texts
    from djsms.models import StatusEvent, TextMessage

    frm, to, text = "+447700900001", "+447700900002", "x" * 100

    def bare() -> None:
        message = TextMessage(frm=frm, to=to, text=text, attempted_on=timezone.now())
        message.save(force_insert=True)
        TextMessage.objects.filter(pk=message.pk).update(status="sending", provider_id="x", parts=1)
        StatusEvent(
            message=message, source="answer", account="default", fingerprint=uuid.uuid4().hex
        ).save(force_insert=True)

    def single() -> None:
        send_text(text, frm, to)

    def per_second(work: Callable[[], None], repeat: int) -> float:
        start = time.perf_counter()
        for _ in range(repeat):
            work()
        return repeat / (time.perf_counter() - start)

    per_second(bare, 50), per_second(single, 50)
    # In turns, so that a slow moment of the machine hits both.
    pairs = [(per_second(bare, count // 10), per_second(single, count // 10)) for _ in range(10)]
    ratio = statistics.median(plain / ours for plain, ours in pairs)
    print(f"{kind}: bare INSERT + UPDATE + INSERT  {statistics.median(p for p, _ in pairs):8.0f}/s")
    print(f"{kind}: send_text                      {statistics.median(o for _, o in pairs):8.0f}/s")
    print(f"{kind}: send_text takes {ratio:.2f} times as long (median of 10 pairs)")
    start = time.perf_counter()
    send_texts((text, frm, to) for _ in range(count))
    print(f"{kind}: send_texts                     {count / (time.perf_counter() - start):8.0f}/s")


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with project(kind):
        main(kind, int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
