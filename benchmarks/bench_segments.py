"""Time the cutting of texts and the reading of numbers, each against a yardstick of the same run.

    python benchmarks/bench_segments.py

The yardsticks are a plain loop over the characters, and one ``phonenumbers.parse``. Ratios hold
from machine to machine; microseconds do not.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

import phonenumbers

from djsms import numbers, segments

LENGTH = 216
NUMBER = "+447700900123"

PLAIN = ("Your table for two is booked, see you at seven. " * 5)[:LENGTH]
TEXTS = {
    "GSM, no extension": PLAIN,
    "GSM, one extension pair": PLAIN[:-1] + "€",
    "GSM, extension pairs only": "€" * LENGTH,
    "UCS-2, no surrogates": PLAIN[:-1] + "я",
    "UCS-2, one emoji": PLAIN[:-1] + "😀",
    "UCS-2, emoji only": "😀" * LENGTH,
}
CHARACTERS = frozenset(segments.DEFAULT_ALPHABET + segments.EXTENSION_TABLE)


def naive_count(text: str) -> int:
    if all(char in CHARACTERS for char in text):
        widths = [2 if char in segments.EXTENSION_TABLE else 1 for char in text]
        single, joined = 160, 153
    else:
        widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
        single, joined = 70, 67
    if sum(widths) <= single:
        return 1
    count, used = 1, 0
    for width in widths:
        used += width
        if used > joined:
            count, used = count + 1, width
    return count


def microseconds(call: Callable[[], object]) -> float:
    timer = timeit.Timer(call)
    number, _ = timer.autorange()
    # The fastest of several runs is the one least disturbed by the rest of the machine.
    return min(timer.repeat(5, max(1, number // 4))) / max(1, number // 4) * 1e6


def main() -> None:
    print(f"{LENGTH} characters             loop, us   count, us  of loop   split, us  of loop")
    for name, text in TEXTS.items():
        assert naive_count(text) == segments.count(text)[1]
        loop = microseconds(lambda text=text: naive_count(text))  # type: ignore[misc]
        count = microseconds(lambda text=text: segments.count(text))  # type: ignore[misc]
        split = microseconds(lambda text=text: segments.split(text))  # type: ignore[misc]
        print(
            f"{name:<26}{loop:>10.2f}{count:>12.2f}{count / loop:>9.2f}"
            f"{split:>12.2f}{split / loop:>9.2f}"
        )

    parse = microseconds(lambda: phonenumbers.parse(NUMBER))
    print(f"\nphonenumbers.parse        {parse:>10.2f} us          of parse")
    calls: dict[str, Callable[[], object]] = {
        "recipient, E.164": lambda: numbers.recipient(NUMBER),
        "recipient, punctuated": lambda: numbers.recipient("+44 (0)7700 900-123"),
        "originator, number again": lambda: numbers.originator(NUMBER),
        "originator, name again": lambda: numbers.originator("Acme"),
        "international": lambda: numbers.international(NUMBER[1:]),
        "mask": lambda: numbers.mask(NUMBER),
    }
    for name, call in calls.items():
        spent = microseconds(call)
        print(f"{name:<26}{spent:>10.2f} us{spent / parse:>18.2f}")


if __name__ == "__main__":
    main()
