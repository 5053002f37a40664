"""Sending many texts: all rows are written by one thread, while others call the provider."""

from __future__ import annotations

import contextvars
import logging
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from djsms.accounts.gateways import Gateway
from djsms.conf import MAX_CONCURRENCY
from djsms.models import TextMessage
from djsms.sending import threads
from djsms.sending.attempts import Outcome, attempt, attempt_in_thread, claim, record, release
from djsms.sending.lots import Lots, Turn
from djsms.sending.now import take_over
from djsms.waiting.fallback import pass_on

__all__ = ["Batch"]

logger = logging.getLogger("djsms")


@dataclass(frozen=True, slots=True)
class _Call:
    message: TextMessage
    gateway: Gateway
    fail_silently: bool
    due_on: datetime | None
    """Since when the text had waited, if it is one that waited."""


class Batch:
    """The texts of one call, some of them with a call to the provider in flight.

    ``step`` does what there is to do without waiting; whoever drives it waits in between.
    ``concurrency`` is None for as many calls as the backend is ready for. ``check`` raises if there
    should be no more. ``always_apart`` makes calls in other threads even if there is only one at a
    time.
    """

    def __init__(
        self,
        lots: Lots,
        *,
        concurrency: int | None,
        progress: Callable[[int], object] | None,
        check: Callable[[], object],
        always_apart: bool = False,
    ) -> None:
        self.messages: list[TextMessage] = []
        self._lots = lots
        self._concurrency = concurrency
        self._progress = progress
        self._check = check
        self._always_apart = always_apart
        self._pool = ThreadPoolExecutor(MAX_CONCURRENCY, thread_name_prefix="djsms")
        self._running: dict[Future[Outcome], _Call] = {}
        self._ended: deque[tuple[_Call, Outcome]] = deque()
        self._busy: Counter[str] = Counter()
        self._done = 0

    def step(self) -> list[Future[Outcome]]:
        """Do what can be done at once; return the calls to wait for, none at the end.

        A thread that is free is given its next call before the last one's outcome is recorded.
        """
        while True:
            self._check()
            self._collect()
            turn = self._lots.peek()
            if turn is not None and self._has_room(turn):
                self._send(turn)
            elif self._ended:
                self._record()
            else:
                break
        if not self._running and self._lots.error is not None:
            raise self._lots.error
        return list(self._running)

    def give_up(self, error: BaseException) -> None:
        """Let the calls in flight end, and record them; all others stay as they are stored."""
        error.add_note(f"Messages of this call to send_texts dealt with before: {self._done}.")
        for future in [future for future in self._running if future.cancel()]:
            call = self._running.pop(future)
            self._unless_it_raises(partial(release, due_on=call.due_on), call.message)
        wait(self._running)
        self._collect()
        for call, outcome in self._ended:
            self._unless_it_raises(record, call.message, outcome)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=not self._running, cancel_futures=True)

    def _unless_it_raises(
        self, work: Callable[..., object], message: TextMessage, *args: Any
    ) -> None:
        try:
            work(message, *args)
        except Exception:
            # What raised first is on its way to the caller, and the others want their turn, too.
            logger.exception("Text %s: how it ended is not recorded", message.ref)

    def _collect(self) -> None:
        for future in [future for future in self._running if future.done()]:
            call = self._running.pop(future)
            self._busy[call.gateway.alias] -= 1
            self._ended.append((call, future.result()))

    def _has_room(self, turn: Turn) -> bool:
        gateway = turn.new.gateway
        limit = self._limit(gateway)
        # What is not recorded yet is lost if the process dies, so it must not pile up either.
        return self._busy[gateway.alias] < limit and len(self._ended) < limit

    def _limit(self, gateway: Gateway) -> int:
        wanted = self._concurrency or gateway.pool_size or 1
        return min(wanted, gateway.limits.concurrency or wanted)

    def _send(self, turn: Turn) -> None:
        due_on = turn.message.due_on
        message, gateway = self._begin(turn)
        self._lots.take()
        self.messages.append(message)
        if gateway is None:
            self._count()
            return
        self._start(_Call(message, gateway, turn.new.fail_silently, due_on))

    def _start(self, call: _Call) -> None:
        gateway, message = call.gateway, call.message
        if self._leaves(gateway):
            # Known before it begins: whatever strikes now, it is waited for, or does not begin.
            future: Future[Outcome] = Future()
            self._running[future] = call
            self._busy[gateway.alias] += 1
            self._pool.submit(contextvars.copy_context().run, _run, future, call)
        else:
            self._ended.append((call, attempt(gateway, message)))

    def _begin(self, turn: Turn) -> tuple[TextMessage, Gateway | None]:
        """Claim the row, if it is to be sent; return it and the gateway to call for it."""
        new, message = turn.new, turn.message
        if new.error is not None and turn.is_new:
            return message, None
        if turn.is_new:
            return message, new.gateway if claim(message) else None
        # One with the same key may be under way in this very call.
        message = next((m for m in self._unrecorded() if m.pk == message.pk), message)
        return take_over(new, message)

    def _unrecorded(self) -> list[TextMessage]:
        calls = [*self._running.values(), *(call for call, _ in self._ended)]
        return [call.message for call in calls]

    def _leaves(self, gateway: Gateway) -> bool:
        # A backend that says for how many calls it is ready does not care in which thread they are.
        wants = self._always_apart or gateway.pool_size or self._limit(gateway) > 1
        return bool(wants) and threads.may_leave(gateway)

    def _record(self) -> None:
        call, outcome = self._ended[0]
        if (other := pass_on(call.message, outcome)) is not None:
            self._ended.popleft()
            self._start(replace(call, gateway=other))
            return
        error = record(call.message, outcome)
        self._ended.popleft()
        if outcome.interruption is not None:
            raise outcome.interruption
        if error is not None and not call.fail_silently:
            raise error
        self._count()

    def _count(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done)


def _run(future: Future[Outcome], call: _Call) -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(attempt_in_thread(call.gateway, call.message))
