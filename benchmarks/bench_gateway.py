"""Time what stands between the core and a backend, each against a direct call of the same run.

    python benchmarks/bench_gateway.py

Ratios look large because the backend here does nothing at all; a real one waits for its provider
some ten thousand times as long.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable, Generator

from django.conf import settings
from django.http import HttpRequest

settings.configure(DJSMS_BACKEND="memory", SECRET_KEY="for this benchmark only")

from djsms import OutgoingText, SendResult, StatusReport, addresses, gateways, hookimpl  # noqa: E402
from djsms.accounts.gateways import Gateway  # noqa: E402

RESULT = SendResult.accepted("1")
MESSAGE = OutgoingText(ref="0" * 32, text="Hi", frm="Example", to="+447700900001")
REQUEST = HttpRequest()


class Idle:
    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return RESULT

    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return []


class Passing:
    @hookimpl
    def send(self, message: OutgoingText) -> None:
        return None


class Observing:
    @hookimpl(wrapper=True)
    def send(self) -> Generator[None, SendResult, SendResult]:
        return (yield)


def gateway(*extensions: object) -> Gateway:
    around = {str(number): extension for number, extension in enumerate(extensions)}
    return Gateway(alias="default", backend="idle", plugin=Idle(), extensions=around)


def microseconds(call: Callable[[], object]) -> float:
    timer = timeit.Timer(call)
    number, _ = timer.autorange()
    # The fastest of several runs is the one least disturbed by the rest of the machine.
    return min(timer.repeat(5, max(1, number // 4))) / max(1, number // 4) * 1e6


def main() -> None:
    backend, plain, passing, observing = Idle(), gateway(), gateway(Passing()), gateway(Observing())
    token = addresses.token("default")
    direct = microseconds(lambda: backend.send(MESSAGE))
    print(f"{'a direct call of the backend':<42}{direct:>8.2f} us   of it")
    calls: dict[str, Callable[[], object]] = {
        "send through a gateway": lambda: plain.send(MESSAGE),
        "  with an extension that may veto": lambda: passing.send(MESSAGE),
        "  with an extension that observes": lambda: observing.send(MESSAGE),
        "parse_callback through a gateway": lambda: plain.parse_callback(REQUEST),
        "gateway of an account, built already": gateways.get,
        "whether a hook is supported": lambda: plain.supports("parse_callback"),
        "whether a token is the account's": lambda: addresses.bears_token("default", token),
        "building a gateway, plugin given": gateway,
    }
    for name, call in calls.items():
        spent = microseconds(call)
        print(f"{name:<42}{spent:>8.2f} us{spent / direct:>8.1f}")


if __name__ == "__main__":
    main()
