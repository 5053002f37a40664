"""Entering what providers say: each event is stored once, and takes effect on its message once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from djsms.accounts import gateways
from djsms.ledger.announcements import announce
from djsms.ledger.standing import Standing, decisive, standing
from djsms.ledger.statements import insert, insert_unless_there
from djsms.ledger.statuses import advance, advance_by, lock
from djsms.ledger.transactions import database, rows_of
from djsms.models import StatusEvent, TextMessage
from djsms.types import Status

__all__ = ["attempt_of", "enter_answer", "enter_report", "is_ready", "settle"]


def enter_report(event: StatusEvent) -> None:
    """Store a report, and let it take effect on its message if that is ready for it.

    Raises ``IntegrityError`` if it is a repeat, ``TextMessage.DoesNotExist`` if its message has
    been deleted since. Of the transaction around it nothing must be kept then.
    """
    message = event.message
    event.pending = message is None or not is_ready(message)
    # The message comes first, as everywhere: its lock keeps two who wait for each other apart.
    changed = _follow(message, event) if message and not event.pending else frozenset()
    _hush(message, [event])
    insert(event)
    if message is not None and changed:
        announce(message, changed)


def settle(event: StatusEvent, message: TextMessage) -> bool:
    """Let a report that was pending take effect; return whether nobody else has seen to it."""
    try:
        with transaction.atomic(using=database()):
            changed = _weigh(message, event)
            _hush(message, [event])
            pending = rows_of(StatusEvent).filter(pk=event.pk, pending=True)
            if not pending.update(
                message=message, pending=False, raw=event.raw, error_text=event.error_text
            ):
                raise _Settled
            if changed:
                announce(message, changed)
    except _Settled:
        return False
    return True


def enter_answer(
    message: TextMessage, events: list[StatusEvent], attempt: tuple[int, bool], **changes: Any
) -> frozenset[str]:
    """Store the events of an answer and let them take effect, with what else there is to change.

    ``attempt`` is what ``attempt_of`` told of the message when the call ended; since then it may
    have been read afresh. Returns the names of the fields that changed; whoever calls announces
    them. The price is the sum of the parts', or what reports have said since. That nothing was
    taken is kept, and takes no effect, if the text has been put back since: it is another attempt's
    outcome that counts.
    """

    def decide() -> tuple[StatusEvent, dict[str, Any]] | None:
        if not any(event.number for event in events):
            return (decisive(events), changes) if attempt_of(message) == attempt else None
        # Only reports, or a call that was given up, can have moved it on.
        known = () if message.status is Status.CREATED else _in_effect(message)
        reports = [event for event in known if event.source == StatusEvent.Source.REPORT]
        stands = standing([*events, *reports], len(events))
        return stands.cause, changes | _price_of(message, stands)

    if message.status is not Status.CREATED:
        lock(message)
    changed = advance_by(message, decide)
    _hush(message, events)
    for event in events:
        # One that is there already is this one: of a try whose end was lost on the way.
        insert_unless_there(event)
    return changed


def attempt_of(message: TextMessage) -> tuple[int, bool]:
    """Return which attempt a message is at, and whether it is under way or has been made."""
    return message.attempts, message.attempted_on is not None


def is_ready(message: TextMessage) -> bool:
    """Return whether reports can take effect on a message.

    Of a long text under way it is not known yet how many parts the provider makes of it, and the
    first report must not pass for the whole message's.
    """
    answered = message.parts > 0 or message.status is not Status.CREATED
    return answered or message.segments == 1


def _hush(message: TextMessage | None, events: Iterable[StatusEvent]) -> None:
    """Take out of the events of an erased message what would bring it back."""
    if message is not None and message.erased_on is not None:
        for event in events:
            event.raw, event.error_text = {}, ""


class _Settled(Exception):
    """Somebody else has seen to it."""


def _follow(message: TextMessage, event: StatusEvent) -> frozenset[str]:
    """Let the newest report take effect."""
    if _expected(message) > 1:
        is_over = message.status is Status.DELIVERED and event.price is None
        return frozenset() if is_over else _weigh(message, event)
    price, currency = event.price, event.currency or message.currency
    if price is None or (price, currency) == (message.price, message.currency):
        return advance(message, event)
    return advance(message, event, price=price, currency=currency)


def _weigh(message: TextMessage, event: StatusEvent) -> frozenset[str]:
    """Let a report take effect among all that was said of its message, each in its turn."""
    lock(message)
    events = [*_in_effect(message), event]
    # What is not stored yet is the newest.
    events.sort(key=lambda event: event.pk or float("inf"))
    stands = standing(events, _expected(message))
    return advance(message, stands.cause, **_price_of(message, stands))


def _in_effect(message: TextMessage) -> Iterable[StatusEvent]:
    """Return the events that have taken effect on a message that is locked, in order.

    By a locking read, which sees what those have stored who held the message before.
    """
    events = rows_of(StatusEvent).filter(message=message, pending=False)
    return events.select_for_update().defer("raw").order_by("pk")


def _price_of(message: TextMessage, stands: Standing) -> dict[str, Any]:
    price = (stands.price, stands.currency)
    if not stands.is_priced or price == (message.price, message.currency):
        return {}
    return {"price": stands.price, "currency": stands.currency}


def _expected(message: TextMessage) -> int:
    """Return of how many parts a message consists, each reported on by itself."""
    if message.parts or message.segments == 1:
        return message.parts or 1
    # Nobody told of how many: the answer never came.
    return message.segments if gateways.get(message.account).splits_texts else 1
