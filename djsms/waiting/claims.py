"""Claiming: taking what may go now from the queue and marking it as attempted, in one transaction.

A claim is the attempt. Whoever claimed a text calls the provider for it at once; if it dies before
it can tell, nobody knows whether it called, and nobody calls again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, QuerySet

from djsms.accounts.gateways import Gateway
from djsms.conf import Rate
from djsms.ledger import clock, statements, storable
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import BACKEND_LENGTH, Gate, TextMessage
from djsms.observing import facts as observing
from djsms.observing.observers import around
from djsms.types import Status
from djsms.waiting import gates, queued
from djsms.waiting.hours import may_go
from djsms.waiting.rates import Meter

__all__ = ["Claim", "claim"]

Lane = TextMessage.Lane

# How many originators a claim looks at in each lane; those first whose turn is longest ago.
SLOTS = 20
# When another text tries whether the provider is back, if nothing is heard of the one that does.
PROBE_PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one turn at the gate gave."""

    texts: Sequence[TextMessage] = ()
    """Marked as attempted."""
    gate: Gate
    """As it was before."""
    moment: datetime
    """When it was, by the database's clock."""
    is_probe: bool = False
    """Whether the text is to find out if the provider is back."""
    wait: float = 0
    """For how many seconds the rates let nothing more go of what is due; 0 if nothing is."""
    has_spoiled: bool = False
    """Whether there were some whose time is over, or that are not to go at this hour."""
    has_missed: bool = False
    """Whether others were faster with some, so that there may be more to take."""

    @property
    def is_clean(self) -> bool:
        """Whether the gate knew of nothing that a success would have to clear."""
        return not (self.gate.failures or self.gate.closings or self.gate.denied)

    @property
    def is_shut(self) -> bool:
        """Whether the account had closed by itself."""
        return gates.is_shut(self.gate, self.moment)


def claim(gateway: Gateway, worker: str, limit: int, *, bulk_limit: int | None = None) -> Claim:
    """Take up to ``limit`` texts that may go now, and of bulk ones up to ``bulk_limit``.

    ``worker`` stands for who calls; each thread that claims needs its own.
    """
    bulk = limit if bulk_limit is None else bulk_limit
    facts = observing.Claim(account=gateway.alias)
    with around(facts):
        found = in_transaction(lambda: _Turn(gateway).take(worker, limit, bulk))
        facts.count = len(found.texts)
    return found


class Allowance:
    """What the rate of an account, or of an originator, allows at one turn."""

    def __init__(self, gate: Gate, meter: Meter | None, now: int) -> None:
        self.gate = gate
        self.meter = meter
        self.now = now
        self.free_at = gate.free_at
        self.has_had_turn = False

    def free(self, most: int) -> int:
        """Return how many texts may go, up to so many."""
        return most if self.meter is None else min(most, self.meter.free(self.free_at, self.now))

    def pay(self, texts: Sequence[TextMessage]) -> int:
        """Return how many of these texts may go, from the first on, and count them."""
        if self.meter is None:
            return len(texts)
        segments = [text.segments for text in texts]
        count, self.free_at = self.meter.take(self.free_at, self.now, segments)
        return count

    def pay_anew(self, texts: Sequence[TextMessage]) -> None:
        """Count these texts, and none of those that were counted at this turn before."""
        self.free_at = self.gate.free_at
        self.pay(texts)

    def wait(self) -> float:
        """Return for how many seconds no other text may go."""
        return 0 if self.meter is None else self.meter.wait(self.free_at, self.now)


class _Turn:
    """One turn at the gate, within its transaction."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.limits = gateway.limits
        self.gate = gates.lock(gateway.alias)
        self.now = clock.microseconds()  # read after the lock, however long that took
        self.moment = clock.moment_of(self.now)
        self.account = self._allowance(self.gate, self.limits.rate)
        self.originators: dict[str, Allowance] = {}
        self.has_spoiled = False
        self.has_missed = False

    def take(self, worker: str, limit: int, bulk: int) -> Claim:
        if not gates.is_open(self.gate, self.moment):
            return Claim(gate=self.gate, moment=self.moment)
        is_probe = gates.is_on_probation(self.gate)
        texts = self._candidates(self._room(1 if is_probe else limit), bulk)
        texts = self._marked(self._paid(texts), worker)
        if texts:
            self._write(is_probe=is_probe)
        return Claim(
            texts=texts,
            gate=self.gate,
            moment=self.moment,
            is_probe=is_probe and bool(texts),
            wait=self._wait(),
            has_spoiled=self.has_spoiled,
            has_missed=self.has_missed,
        )

    def _wait(self) -> float:
        if self.account.free(1) == 0:
            is_any_due = queued.is_any_due(self.gateway.alias, self.moment)
            return self.account.wait() if is_any_due else 0
        if self.limits.originator_rate is None:
            return 0
        busy = self._children(*Lane).order_by("free_at").first()
        return 0 if busy is None else self._allowance(busy, self.limits.originator_rate).wait()

    def _room(self, limit: int) -> int:
        limit = self.account.free(limit)
        if limit > 0 and self.limits.concurrency is not None:
            limit = min(limit, self.limits.concurrency - queued.in_flight(self.gateway.alias))
        return max(limit, 0)

    def _candidates(self, room: int, bulk: int) -> list[TextMessage]:
        """Return what may go by everything but the account's rate, urgent texts first."""
        if room <= 0:
            return []
        most: dict[int, int] = {
            lane: min(room, bulk) if lane is Lane.BULK else room for lane in Lane
        }
        if self.limits.originator_rate is None:
            return self._due("", most)[:room]
        found: list[TextMessage] = []
        for lane in Lane:
            self._collect(found, lane, min(most[lane], room - len(found)))
        return found

    def _paid(self, texts: list[TextMessage]) -> list[TextMessage]:
        """Return which of these texts the account's rate lets go."""
        going = texts[: self.account.pay(texts)]
        if len(going) < len(texts):
            for originator in self.originators.values():
                originator.pay_anew([t for t in going if t.slot == originator.gate.slot])
        return going

    def _collect(self, found: list[TextMessage], lane: int, room: int) -> None:
        for allowance in self._slots(lane) if room > 0 else ():
            most = allowance.free(room)
            if most <= 0:
                continue
            texts = self._due(allowance.gate.slot, {lane: most})
            allowance.has_had_turn = True
            if allowance.gate.slot:
                texts = texts[: allowance.pay(texts)]
            found += texts
            room -= len(texts)

    def _due(self, slot: str, most: Mapping[int, int]) -> list[TextMessage]:
        texts = queued.oldest_due(self.gateway.alias, slot, most, self.moment)
        fresh = [text for text in texts if may_go(text, self.moment)]
        self.has_spoiled = self.has_spoiled or len(fresh) < len(texts)
        return fresh

    def _slots(self, lane: int) -> list[Allowance]:
        """Return where texts of this lane may be due; the account's own slot is always asked."""
        ready = self._children(lane).filter(free_at__lte=self.now)
        children = ready.order_by(F("turn_on").asc(nulls_first=True))[:SLOTS]
        # What it gave to a lane before counts for this one.
        own = [
            self.originators.setdefault(
                child.slot, self._allowance(child, self.limits.originator_rate)
            )
            for child in children
        ]
        return [self.account, *own]

    def _children(self, *lanes: int) -> QuerySet[Gate]:
        """Return the gates of the originators that have texts due in one of the lanes."""
        due = queued.due(self.gateway.alias, OuterRef("slot"), lanes, self.moment)
        return rows_of(Gate).filter(Exists(due), account=self.gateway.alias).exclude(slot="")

    def _allowance(self, gate: Gate, rate: Rate | None) -> Allowance:
        meter = None if rate is None else Meter.of(rate, max_segments=self.limits.max_segments)
        return Allowance(gate, meter, self.now)

    def _marked(self, texts: list[TextMessage], worker: str) -> list[TextMessage]:
        """Mark them as attempted; return those that were still there to be marked."""
        if not texts:
            return []
        marks = {
            "attempted_on": clock.stored(self.moment),
            "worker": worker,
            "due_on": None,
            "slot": "",
            "backend": storable.fit(self.gateway.backend, BACKEND_LENGTH),
        }
        ids = [text.pk for text in texts]
        marked = statements.execute(
            f"UPDATE {statements.table(TextMessage)} "
            f"SET {statements.assigned(marks)}, attempts = attempts + 1 "
            f"WHERE id IN ({', '.join(['%s'] * len(ids))}) "
            "AND status = %s AND due_on IS NOT NULL AND account = %s",
            [
                *statements.prepared(TextMessage, marks),
                *ids,
                Status.CREATED.value,
                self.gateway.alias,
            ],
        )
        if marked < len(texts):
            # Somebody cancelled one just now, or sent it by its key, or handed it over.
            self.has_missed = True
            rows = rows_of(TextMessage).filter(pk__in=ids, account=self.gateway.alias, **marks)
            ours = set(rows.values_list("pk", flat=True))
            texts = [text for text in texts if text.pk in ours]
        for text in texts:
            text.attempts += 1
            for name, value in marks.items():
                setattr(text, name, value)
        return texts

    def _write(self, *, is_probe: bool) -> None:
        moment = clock.stored(self.moment)
        if self.account.meter is not None:
            rows_of(Gate).filter(pk=self.gate.pk).update(free_at=self.account.free_at)
        if is_probe:
            until = clock.stored(self.moment + PROBE_PATIENCE)
            rows_of(Gate).filter(pk=self.gate.pk).update(closed_until=until)
        for originator in self.originators.values():
            if not originator.has_had_turn:
                # There was no room for any of its texts: it is still among the first.
                continue
            rows_of(Gate).filter(pk=originator.gate.pk).update(
                free_at=originator.free_at, turn_on=moment
            )
