"""How the queue stands, for people and for monitoring."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Min, Q

from djsms import conf
from djsms.accounts import gateways
from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import Gate, Worker
from djsms.waiting import gates
from djsms.waiting.queued import under_way_of, waiting_of
from djsms.waiting.schedule import LANES

__all__ = ["AccountState", "QueueState", "WorkerState", "state"]

# A worker shows itself every few seconds.
ALIVE = timedelta(seconds=60)
# Whoever sends takes what is due within seconds, and looks again at once.
NEGLECTED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """How the texts of one account stand that wait. Times are aware, by the database's clock."""

    account: str
    is_configured: bool
    """Whether the settings define the account; if not, its texts wait until they expire."""
    problem: str
    """Why the settings let it send nothing; empty if they do not keep it from sending."""
    waiting: int
    """How many wait, due or not."""
    due: int
    """How many of them may go by their own time."""
    by_priority: dict[str, int]
    """How many wait of each priority."""
    oldest_due: datetime | None
    """Since when the one has been due that has waited longest; None if none is due."""
    next_due: datetime | None
    """When the first of those that are not due yet will be; None if one is due, or none waits."""
    next_expiry: datetime | None
    """When the first of those that wait is worth nothing any more; None if none waits."""
    in_flight: int
    """How many calls to the provider are under way."""
    concurrency: int | None
    """The account's ``CONCURRENCY``: how many there may be; None if it has none."""
    rate: str
    """The account's ``RATE``, such as ``"30/s"``; empty if it has none."""
    paused_on: datetime | None
    """Since when it is paused."""
    closed_until: datetime | None
    """Until when it has closed by itself; None if it is open."""
    is_on_probation: bool
    """Whether it had closed for its failures, and one text tries if the provider is back."""
    reason: str
    """Why it is paused or closed, or was."""
    failures: int
    """Calls in a row that failed for the account's sake."""
    is_neglected: bool
    """Whether texts that may go have been due for five minutes, and nobody has taken any: no worker
    runs that would."""

    @property
    def is_open(self) -> bool:
        """Whether its texts may go: it is neither paused nor closed, and can send."""
        return self.paused_on is None and self.closed_until is None and not self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerState:
    """A ``djsms work`` that was seen within the last minute."""

    id: str
    host: str
    pid: int
    started_on: datetime
    seen_on: datetime
    is_stopping: bool
    """Whether it was told to end, and only waits for calls under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How the whole queue stands."""

    moment: datetime
    """When it was read."""
    accounts: tuple[AccountState, ...]
    """Those of the settings in their order, then others whose texts wait."""
    workers: tuple[WorkerState, ...]


def state() -> QueueState:
    """Return how the queue stands now; writes nothing, and reads only what waits or is under way.

    A few queries, however many accounts there are.
    """
    moment = clock.now()
    known = conf.aliases()
    # Accounts that the settings lost still have their gates, and perhaps texts.
    rows = list(rows_of(Gate).order_by("account"))
    own = {gate.account: gate for gate in rows if not gate.slot}
    lost = [alias for alias in own if alias not in known]
    figures = _figures([*known, *lost], {gate.slot for gate in rows}, moment)
    accounts = [
        _account(alias, own.get(alias), figures[alias], moment)
        for alias in (*known, *lost)
        if alias in known or figures[alias].waiting
    ]
    return QueueState(moment=moment, accounts=tuple(accounts), workers=tuple(_workers(moment)))


@dataclass(slots=True)
class _Figures:
    """What the texts of an account add up to."""

    lanes: dict[int, int] = field(default_factory=dict)
    due: int = 0
    first_due: datetime | None = None
    first_expiry: datetime | None = None
    in_flight: int = 0

    @property
    def waiting(self) -> int:
        return sum(self.lanes.values())

    def add(self, lane: Mapping[str, Any]) -> None:
        self.lanes[lane["lane"]] = lane["count"]
        self.due += lane["due"]
        self.first_due = _earlier(self.first_due, lane["first_due"])
        self.first_expiry = _earlier(self.first_expiry, lane["first_expiry"])


def _figures(
    aliases: Collection[str], slots: Collection[str], moment: datetime
) -> dict[str, _Figures]:
    figures = {alias: _Figures() for alias in aliases}
    lanes = waiting_of(aliases, slots).values("account", "lane").order_by()
    for lane in lanes.annotate(
        count=Count("pk"),
        due=Count("pk", filter=Q(due_on__lte=clock.stored(moment))),
        first_due=Min("due_on"),
        first_expiry=Min("expires_on"),
    ):
        figures[lane["account"]].add(lane)
    counts = under_way_of(aliases).values_list("account").order_by().annotate(count=Count("pk"))
    for alias, count in counts:
        figures[alias].in_flight = count
    return figures


def _account(alias: str, gate: Gate | None, figures: _Figures, moment: datetime) -> AccountState:
    first_due = clock.aware(figures.first_due)
    is_due = first_due is not None and first_due <= moment
    oldest_due, next_due = (first_due, None) if is_due else (None, first_due)
    paused_on = clock.aware(gate.paused_on) if gate else None
    closed_until = clock.aware(gate.closed_until) if gate and gates.is_shut(gate, moment) else None
    is_on_probation = gate is not None and gates.is_on_probation(gate)
    limits = _limits(alias)
    problem = _problem(alias)
    is_open = paused_on is None and closed_until is None and not problem
    return AccountState(
        account=alias,
        is_configured=limits is not None,
        problem=problem,
        waiting=figures.waiting,
        due=figures.due,
        by_priority={name: figures.lanes.get(lane, 0) for name, lane in LANES.items()},
        oldest_due=oldest_due,
        next_due=next_due,
        next_expiry=clock.aware(figures.first_expiry),
        in_flight=figures.in_flight,
        concurrency=limits.concurrency if limits else None,
        rate=str(limits.rate) if limits and limits.rate else "",
        paused_on=paused_on,
        closed_until=closed_until,
        is_on_probation=is_on_probation,
        reason=gate.reason if gate and (paused_on or closed_until or is_on_probation) else "",
        failures=gate.failures if gate else 0,
        is_neglected=is_open and _is_neglected(gate, oldest_due, moment),
    )


def _limits(alias: str) -> conf.Account | None:
    try:
        return conf.account(alias)
    except ImproperlyConfigured:
        return None


def _problem(alias: str) -> str:
    try:
        gateway = gateways.get(alias)
    except ImproperlyConfigured as error:
        return str(error)
    return "" if gateway.supports("send") else f"The backend {gateway.backend!r} has no send()."


def _is_neglected(gate: Gate | None, oldest_due: datetime | None, moment: datetime) -> bool:
    since = moment - NEGLECTED
    if oldest_due is None or oldest_due > since:
        return False
    if gate is None or gate.turn_on is None:
        return True
    # A slow rate may let nothing go for an hour.
    return clock.aware(gate.turn_on) < since and clock.moment_of(gate.free_at) <= moment


def _workers(moment: datetime) -> list[WorkerState]:
    alive = rows_of(Worker).filter(seen_on__gt=clock.stored(moment - ALIVE))
    return [
        WorkerState(
            id=worker.id,
            host=worker.host,
            pid=worker.pid,
            started_on=clock.aware(worker.started_on),
            seen_on=clock.aware(worker.seen_on),
            is_stopping=worker.stopping,
        )
        for worker in alive.order_by("started_on")
    ]


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
