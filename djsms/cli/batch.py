"""Texts to all recipients of a file: first what it would be, then the sending, then the results."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from djsms.cli.recipients import Line, Recipients
from djsms.cli.results import Results
from djsms.ledger.statuses import SURELY_UNSENT
from djsms.ledger.transactions import rows_of
from djsms.models import TextMessage
from djsms.sending import keys
from djsms.sending.arguments import typed
from djsms.sending.drafts import draft
from djsms.sending.many import send_texts
from djsms.types import Status

__all__ = ["Batch", "Plan"]

# Enough to keep many threads busy; its messages are all that is held in memory.
LOT = 500
OTHERWISE = (
    "An earlier run sent it from another sender or through another account. To send the file once "
    "more, give a --key."
)


@dataclass(slots=True)
class Plan:
    """What there is to send, found without sending."""

    texts: int = 0
    segments: int = 0
    done: int = 0
    """Lines whose text an earlier run has handed over; they are not sent again."""
    wrong: dict[int, str] = field(default_factory=dict)
    """Why a line cannot be sent, by its number."""


class Batch:
    """The texts of a file, each with its line's idempotency key."""

    def __init__(self, recipients: Recipients, arguments: dict[str, Any]) -> None:
        self.recipients = recipients
        self._arguments = arguments

    def plan(self, tell_wrong: Callable[[Line, str], None]) -> Plan:
        """Look at all lines; tell of each that is wrong as it is found."""
        plan = Plan()
        for lines in _lots(iter(self.recipients)):
            before = self._messages(lines)
            for line in lines:
                first = before.get(line.number)
                segments, reason = self._looked_at(line, first)
                if reason:
                    plan.wrong[line.number] = reason
                    tell_wrong(line, reason)
                elif first is not None and not _is_to_be_sent(first):
                    plan.done += 1
                else:
                    plan.texts += 1
                    plan.segments += segments
        return plan

    def send(
        self,
        plan: Plan,
        results: Results,
        *,
        concurrency: int | None,
        progress: Callable[[int], object],
    ) -> Counter[Status]:
        """Send what is to be sent; return how many lines stand at which status.

        Ctrl-C raises, once what is under way is recorded and stands in the results.
        """
        counts: Counter[Status] = Counter()
        before = 0
        for lines in _lots(iter(self.recipients)):
            right = [line for line in lines if line.number not in plan.wrong]
            try:
                send_texts(
                    [self._message(line) for line in right],
                    concurrency=concurrency,
                    progress=_counted_from(before, progress),
                )
            finally:
                # Read anew, since one that was broken off returns nothing.
                messages = self._messages(right)
                counts.update(message.status for message in messages.values())
                self._tell(lines, plan, messages, results)
            before += len(right)
        return counts

    def _message(self, line: Line) -> dict[str, Any]:
        key = self.recipients.key(line.number)
        return {**self._arguments, "to": line.to, "text": line.text, "key": key}

    def _looked_at(self, line: Line, first: TextMessage | None) -> tuple[int, str]:
        """Return the segments of a line's text, and what is wrong with it, if anything is.

        ``first`` is the message that an earlier run has made of it.
        """
        if line.problem:
            return 0, line.problem
        found = draft(typed(**self._message(line), fail_silently=True, extra=None, expires=None))
        if found.error is None and first is not None and keys.difference(found.message, first):
            return 0, OTHERWISE
        return found.message.segments, str(found.error or "")

    def _messages(self, lines: list[Line]) -> dict[int, TextMessage]:
        """Return the messages of those lines that have one, by the line's number."""
        numbers = {self.recipients.key(line.number): line.number for line in lines}
        rows = rows_of(TextMessage).filter(key__in=numbers)
        return {numbers[row.key]: row for row in rows if row.key in numbers}

    def _tell(
        self, lines: list[Line], plan: Plan, messages: dict[int, TextMessage], results: Results
    ) -> None:
        for line in lines:
            if line.number in plan.wrong:
                results.wrong(line, plan.wrong[line.number])
            elif line.number in messages:
                results.sent(line.number, messages[line.number])


def _is_to_be_sent(message: TextMessage) -> bool:
    """Whether a message's key sends it: it never went out, for all that is known."""
    return message.status is Status.CREATED or message.error_kind in SURELY_UNSENT


def _counted_from(before: int, progress: Callable[[int], object]) -> Callable[[int], object]:
    return lambda done: progress(before + done)


def _lots(lines: Iterator[Line]) -> Iterator[list[Line]]:
    while lot := list(itertools.islice(lines, LOT)):
        yield lot
