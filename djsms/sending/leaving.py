"""The ways of a text that waits which lead past the provider: taken back, over, or put off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from djsms.exceptions import InvalidOptions
from djsms.ledger import clock
from djsms.ledger.announcements import announce
from djsms.ledger.transactions import in_transaction, read_afresh, rows_of
from djsms.models import TextMessage
from djsms.sending.hours import hours
from djsms.sending.waiting import waiting
from djsms.types import Status

__all__ = ["cancel_text", "change", "change_idle", "expire", "expire_lot", "sweep"]

# Receivers are told of each, and the rows stay locked meanwhile.
LOT = 100
# Until a text is looked at again whose window is not in the settings any more.
UNKNOWN_WINDOW = timedelta(minutes=5)


def cancel_text(message: TextMessage) -> bool:
    """Take back a text that waits; False if it is too late, since it does not wait any more.

    Either it is cancelled or the provider is called, never both. The message is then as it is
    stored, and its status tells what became of it.
    """
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


def expire(messages: Iterable[TextMessage]) -> int:
    """End texts that wait and are worth nothing any more; return how many did wait."""

    def end(message: TextMessage) -> bool:
        tries = f"after {message.attempts} attempts" if message.attempts else "before any attempt"
        words = f"Its time was over {tries}."
        return change(message, **_gone(Status.EXPIRED), error_text=words)

    lot = list(messages)
    return in_transaction(lambda: sum([end(message) for message in lot]))


def _put_off_lot(alias: str) -> int:
    moment = clock.now()
    due = waiting(alias).filter(due_on__lte=clock.stored(moment)).exclude(window="")
    messages = due[:LOT]
    late = [(message, opens) for message in messages if (opens := _opens(message, moment)) > moment]
    return in_transaction(
        lambda: sum([change(message, due_on=clock.stored(opens)) for message, opens in late])
    )


def _opens(message: TextMessage, moment: datetime) -> datetime:
    try:
        return hours(message, moment)[0]
    except InvalidOptions:
        return moment + UNKNOWN_WINDOW


def _gone(status: Status) -> dict[str, Any]:
    return {"status": status, "due_on": None, "slot": ""}


def _change(message: TextMessage, where: Q, fields: dict[str, Any]) -> bool:
    fields["updated_on"] = timezone.now()
    if (
        not rows_of(TextMessage)
        .filter(where, pk=message.pk, status=Status.CREATED)
        .update(**fields)
    ):
        return False
    for name, value in fields.items():
        setattr(message, name, value)
    announce(message, fields)
    return True
