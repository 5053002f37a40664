"""What send_text costs beyond the three statements that it cannot do without, and many at once.

python benchmarks/bench_sending.py [sqlite|postgresql] [messages]

Processor time of this process, in pairs of the same run: what the database and the machine's other
work take is not ours. Of many at once it is the clock that counts, against a provider of 50 ms.
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from collections.abc import Callable

from project import project

PAIRS = 20
ANSWER = 0.05  # seconds
CONCURRENCY = 10


def main(kind: str, count: int) -> None:
    from django.utils import timezone

    from djsms import send_text
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

    seconds(bare, 50), seconds(single, 50)
    # In turns, so that a slow moment of the machine hits both.
    pairs = [(seconds(bare, count // PAIRS), seconds(single, count // PAIRS)) for _ in range(PAIRS)]
    ratio = statistics.median(ours / plain for plain, ours in pairs)
    each = 1000 / (count // PAIRS)
    plain = statistics.median(plain for plain, _ in pairs) * each
    ours = statistics.median(ours for _, ours in pairs) * each
    print(f"{kind}: bare INSERT + UPDATE + INSERT  {plain:6.3f} ms of processor time")
    print(f"{kind}: send_text                      {ours:6.3f} ms: {ratio:.2f} × (median of pairs)")
    many(kind, count)


def seconds(work: Callable[[], None], repeat: int) -> float:
    start = time.process_time()
    for _ in range(repeat):
        work()
    return time.process_time() - start


def many(kind: str, count: int) -> None:
    from djsms import SendResult, hookimpl, send_texts
    from djsms.accounts import gateways

    class Slow:
        @hookimpl
        def send(self, message: object) -> SendResult:
            time.sleep(ANSWER)
            return SendResult.accepted("x")

    ideal = ANSWER * count / CONCURRENCY
    with gateways.replaced(lambda alias: Slow()):
        start = time.perf_counter()
        send_texts(
            (("x" * 100, "+447700900001", "+447700900002") for _ in range(count)),
            concurrency=CONCURRENCY,
        )
        taken = time.perf_counter() - start
    print(
        f"{kind}: send_texts of {count}, {CONCURRENCY} at once  {taken:6.2f} s: "
        f"{taken / ideal:.2f} × {ideal:.2f} s"
    )


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    with project(kind):
        main(kind, int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
