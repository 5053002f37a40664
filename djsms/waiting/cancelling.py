"""Taking back many texts that wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice

from djsms.ledger.transactions import in_transaction, read_afresh
from djsms.models import TextMessage
from djsms.types import Status
from djsms.waiting.leaving import change

__all__ = ["cancel_texts"]

# Receivers are told of each, and the rows stay locked meanwhile.
LOT = 100


def cancel_texts(
    messages: Iterable[TextMessage], *, progress: Callable[[int], object] | None = None
) -> list[TextMessage]:
    """Take back those that wait, and return the others: for them it is too late.

    Each is then as it is stored. ``progress`` is called with how many are done, after each lot.
    """
    rest = iter(messages)
    late: list[TextMessage] = []
    done = 0
    while lot := list(islice(rest, LOT)):
        late += in_transaction(partial(_cancel, lot))
        done += len(lot)
        if progress is not None:
            progress(done)
    for text in late:
        read_afresh(text)
    return late


def _cancel(lot: list[TextMessage]) -> list[TextMessage]:
    """Cancel what waits of a lot, and return the rest."""
    gone = {"status": Status.CANCELLED, "due_on": None, "slot": ""}
    return [text for text in lot if not change(text, **gone)]
