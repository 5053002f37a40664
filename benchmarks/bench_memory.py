"""What memory many texts take: each measure in a process of its own, sampled while it runs.

python benchmarks/bench_memory.py [sqlite|postgresql] [texts to send] [texts to store]

A worker over many texts, enqueue_texts and send_texts of texts from a generator; the provider does
nothing. On Linux, where a process can read what it holds.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from project import project

FRM, TO = "+447700900001", "+447700900002"
MB = 1024 * 1024


def held() -> float:
    """Return the MB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def most_held() -> float:
    """Return the MB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Samples:
    """What is held at each tenth of the way."""

    def __init__(self, count: int) -> None:
        self._step = max(1, count // 10)
        self._seen = 0
        self.taken: list[float] = []

    def see(self) -> None:
        self._seen += 1
        if self._seen % self._step == 0:
            self.taken.append(held())

    def __str__(self) -> str:
        growth = self.taken[-1] - self.taken[0]
        series = " ".join(f"{mb:.0f}" for mb in self.taken)
        return f"at each tenth {series} MB, {growth:+.1f} MB from the first"


def messages(count: int) -> Iterator[tuple[str, str, str]]:
    """Yield texts that are each an object of its own, as those from a file are."""
    return ((f"Your table number {number} is ready", FRM, TO) for number in range(count))


def work(count: int, samples: Samples) -> str:
    """Let a worker of four threads send them."""
    from djsms import SendResult, enqueue_texts, hookimpl
    from djsms.accounts import gateways
    from djsms.models import TextMessage
    from djsms.waiting.workers import Work

    class Provider:
        @hookimpl
        def send(self, message: object) -> SendResult:
            samples.see()
            return SendResult.accepted("x")

    enqueue_texts(messages(count))
    with gateways.replaced(lambda alias: Provider()):
        Work([gateways.get("default")], threads=4, poll=0.1, once=True).run()
    left = TextMessage.objects.filter(due_on__isnull=False).count()
    return f"worker of 4 threads, {left} left"


def enqueue(count: int, samples: Samples) -> str:
    from djsms import enqueue_texts

    def given() -> Iterator[tuple[str, str, str]]:
        for message in messages(count):
            samples.see()
            yield message

    return f"enqueue_texts, {enqueue_texts(given()):,} wait"


def send(count: int, samples: Samples) -> str:
    """Send them at once; the list that is returned holds them all."""
    from djsms import SendResult, hookimpl, send_texts
    from djsms.accounts import gateways

    class Provider:
        @hookimpl
        def send(self, message: object) -> SendResult:
            samples.see()
            return SendResult.accepted("x")

    before = held()
    with gateways.replaced(lambda alias: Provider()):
        sent = send_texts(messages(count))
    grown = (held() - before) * MB / len(sent)
    return f"send_texts, {grown:,.0f} bytes for each text of the list that is returned"


MEASURES = {"work": work, "enqueue": enqueue, "send": send}


def measure(kind: str, what: str, count: int) -> None:
    with project(kind):
        from djsms import enqueue_texts, queue, send_texts
        from djsms.models import TextMessage

        # All that is loaded and cached once is there before.
        enqueue_texts(messages(1000))
        queue.drain()
        send_texts(messages(100))
        TextMessage.objects.all().delete()
        samples = Samples(count)
        start = held()
        did = MEASURES[what](count, samples)
        print(f"{kind}: {did}: {samples}; {start:.0f} MB before, {most_held():.0f} MB at most")


def main(kind: str, counts: dict[str, int]) -> None:
    for what, count in counts.items():
        subprocess.run([sys.executable, __file__, kind, what, str(count)], check=True)


if __name__ == "__main__":
    kind = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    if sys.argv[2:3] and sys.argv[2] in MEASURES:
        measure(kind, sys.argv[2], int(sys.argv[3]))
    else:
        few = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
        many = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
        main(kind, {"work": few, "send": few, "enqueue": many})
