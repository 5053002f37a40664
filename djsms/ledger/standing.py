"""Where a message stands by what was said of it: of one part, or of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from djsms.ledger import storable
from djsms.models import StatusEvent
from djsms.types import Status

__all__ = ["Standing", "decisive", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a message stands."""

    cause: StatusEvent
    """The event that says so."""
    price: Decimal | None
    """Of the whole message; None if nobody named one, or if its parts' are of two currencies."""
    currency: str
    is_priced: bool
    """Whether anybody named a price."""


def decisive(events: Iterable[StatusEvent]) -> StatusEvent:
    """Return the event, of one for each part, that says where the whole message stands.

    That is a failed part's, if one failed, and of several the first that was stored; else the
    slowest part's.
    """
    ordered = sorted(events, key=lambda event: event.status.rank)
    failures = [event for event in ordered if event.status.is_failure]
    # What is not stored yet is the newest.
    return min(failures, key=lambda event: event.pk or float("inf"), default=ordered[0])


def standing(events: Sequence[StatusEvent], expected: int) -> Standing:
    """Return where a message stands by its answers and its reports, in the order they were stored.

    ``expected`` is of how many parts it consists. Where no answer names them, reports do, by their
    ids; and a part that nobody has spoken of yet stands at ``unknown``.

    A report that names none of the parts is about the whole message, and so is its price.
    """
    parts = [
        _Part(event)
        for event in events
        if event.source == StatusEvent.Source.ANSWER and event.number > 0
    ]
    reports = [event for event in events if event.source == StatusEvent.Source.REPORT]
    parts += _unanswered(parts, reports, expected)
    whole = _Price()
    for event in reports:
        meant = [
            part for part in parts if part.provider_id and part.provider_id == event.provider_id
        ]
        for part in meant or parts:
            part.hear(event)
        price = meant[0].price if meant else parts[0].price if len(parts) == 1 else whole
        price.hear(event)
    named = [whole] if whole.amount is not None else [part.price for part in parts]
    known = [price for price in named if price.amount is not None]
    currencies = {price.currency for price in known if price.currency}
    is_mixed = len(currencies) > 1
    return Standing(
        cause=decisive(part.event for part in parts),
        price=None if is_mixed else storable.total(price.amount for price in known),
        currency="" if is_mixed else "".join(currencies),
        is_priced=bool(known),
    )


class _Price:
    """The latest price that was named: each says what there is to pay in all."""

    def __init__(self) -> None:
        self.amount: Decimal | None = None
        self.currency = ""

    def hear(self, event: StatusEvent) -> None:
        if event.price is not None:
            self.amount = event.price
            self.currency = event.currency or self.currency


class _Part:
    """A part, with the highest of what was said of it."""

    def __init__(self, event: StatusEvent) -> None:
        self.event = event
        self.provider_id = event.provider_id
        self.price = _Price()
        self.price.hear(event)

    def hear(self, event: StatusEvent) -> None:
        if event.status.rank > self.event.status.rank:
            self.event = event


def _unanswered(
    answered: Iterable[_Part], reports: Iterable[StatusEvent], expected: int
) -> list[_Part]:
    """Return the parts that no answer names: those that reports name, and the silent rest."""
    known = [part.provider_id for part in answered]
    missing = expected - len(known)
    if missing <= 0:
        return []
    ids = dict.fromkeys(event.provider_id for event in reports if event.provider_id)
    # All that is said of a text of one part is said of that part, under whatever id.
    names = [name for name in ids if name not in known] if expected > 1 else []
    names += [""] * (missing - len(names))
    return [_Part(StatusEvent(provider_id=name, status=Status.UNKNOWN)) for name in names]
