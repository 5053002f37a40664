"""The ways of a text that waits which lead past the provider: taken back, over, or put off."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from djsms.calling.interruptions import is_interruption
from djsms.exceptions import InvalidOptions
from djsms.ledger import clock
from djsms.ledger.announcements import announce
from djsms.ledger.transactions import in_transaction, read_afresh, rows_of
from djsms.models import TextMessage
from djsms.types import Status
from djsms.waiting.hours import hours
from djsms.waiting.queued import waiting

__all__ = ["cancel_text", "change", "change_idle", "expire", "expire_lot", "move", "sweep"]

logger = logging.getLogger("djsms")

# The rows stay locked until all are changed.
LOT = 100
# Until a text is looked at again whose window is not in the settings any more.
UNKNOWN_WINDOW = timedelta(minutes=5)


def cancel_text(message: TextMessage) -> bool:
    """Take back a text that waits; False if it is too late, since it does not wait any more.

    Either it is cancelled or the provider is called, never both. The message is then as it is
    stored, and its status tells what became of it.
    """
    if not isinstance(message, TextMessage):
        raise TypeError(f"message must be a TextMessage, not {type(message).__name__}.")
    cancelled = in_transaction(lambda: change(message, **_gone(Status.CANCELLED)))
    if not cancelled:
        read_afresh(message)
    return cancelled


def sweep(alias: str) -> int:
    """End what is over, and put off what is due at a wrong hour, up to a lot; return how many.

    Not at the gate: after an outage there may be very many of them.
    """
    return expire_lot(alias) + _put_off_lot(alias)


def expire_lot(alias: str) -> int:
    """End texts of an account that wait and are over, up to a lot; return how many."""
    over = waiting(alias).filter(expires_on__lte=clock.stored(clock.now()))
    return expire(over[:LOT])


def change(message: TextMessage, **fields: Any) -> bool:
    """Change a text if it waits; to be called in a transaction. Returns whether it did."""
    # Whoever claims it takes the due time away: of the two one comes too late.
    return _change(message, Q(due_on__isnull=False), fields)


def change_idle(message: TextMessage, **fields: Any) -> bool:
    """Change a text that neither waits nor is in flight, as one whose turn never came."""
    return _change(message, Q(due_on=None, attempted_on=None), fields)


def move(changes: Iterable[tuple[TextMessage, dict[str, Any]]]) -> int:
    """Change texts that wait, each in its way, for nobody who would hear of what goes wrong.

    Receivers are told when all is stored, and what they raise is logged: the same text would come
    again at once, and keep the others from their turn. Returns how many did wait.
    """
    lot = list(changes)

    def store() -> list[tuple[TextMessage, dict[str, Any]]]:
        waits = Q(due_on__isnull=False)
        return [(message, fields) for message, fields in lot if _store(message, waits, fields)]

    moved = in_transaction(store)
    for message, fields in moved:
        try:
            announce(message, fields)
        except Exception as error:
            if is_interruption(error):
                raise
            logger.exception("Text %s: what its receivers did failed", message.ref)
    return len(moved)


def expire(messages: Iterable[TextMessage]) -> int:
    """End texts that wait and are worth nothing any more; return how many did wait."""
    return move((message, _over(message)) for message in messages)


def _put_off_lot(alias: str) -> int:
    moment = clock.now()
    due = waiting(alias).filter(due_on__lte=clock.stored(moment)).exclude(window="")
    opening = [(message, _opens(message, moment)) for message in due[:LOT]]
    return move(
        (message, {"due_on": clock.stored(opens)}) for message, opens in opening if opens > moment
    )


def _opens(message: TextMessage, moment: datetime) -> datetime:
    try:
        return hours(message, moment)[0]
    except InvalidOptions:
        return moment + UNKNOWN_WINDOW


def _over(message: TextMessage) -> dict[str, Any]:
    tries = f"after {message.attempts} attempts" if message.attempts else "before any attempt"
    return {**_gone(Status.EXPIRED), "error_text": f"Its time was over {tries}."}


def _gone(status: Status) -> dict[str, Any]:
    return {"status": status, "due_on": None, "slot": ""}


def _change(message: TextMessage, where: Q, fields: dict[str, Any]) -> bool:
    if not _store(message, where, fields):
        return False
    announce(message, fields)
    return True


def _store(message: TextMessage, where: Q, fields: dict[str, Any]) -> bool:
    fields["updated_on"] = timezone.now()
    if (
        not rows_of(TextMessage)
        .filter(where, pk=message.pk, status=Status.CREATED)
        .update(**fields)
    ):
        return False
    for name, value in fields.items():
        setattr(message, name, value)
    return True
