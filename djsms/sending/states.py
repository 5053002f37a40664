"""How the queue stands, for people and for monitoring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count, Min

from djsms import conf
from djsms.ledger import clock
from djsms.ledger.transactions import rows_of
from djsms.models import Gate, Worker
from djsms.sending import gates
from djsms.sending.schedule import LANES
from djsms.sending.waiting import in_flight, waiting

__all__ = ["AccountState", "QueueState", "WorkerState", "state"]

# A worker shows itself every few seconds.
ALIVE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """How the texts of one account stand that wait. Times are aware, by the database's clock."""

    account: str
    is_configured: bool
    """Whether the settings define the account; if not, its texts wait until they expire."""
    waiting: int
    """How many wait, due or not."""
    due: int
    """How many of them may go by their own time."""
    by_priority: dict[str, int]
    """How many wait of each priority."""
    oldest_due: datetime | None
    """Since when the one has been due that has waited longest; None if none is due."""
    in_flight: int
    """How many calls to the provider are under way."""
    rate: str
    """The account's ``RATE``, such as ``"30/s"``; empty if it has none."""
    paused_on: datetime | None
    """Since when it is paused."""
    closed_until: datetime | None
    """Until when it has closed by itself; None if it is open."""
    reason: str
    """Why it is paused or closed."""
    failures: int
    """Calls in a row that failed for the account's sake."""

    @property
    def is_open(self) -> bool:
        """Whether its texts go: it is neither paused nor closed."""
        return self.paused_on is None and self.closed_until is None


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
    """Return how the queue stands now; writes nothing."""
    moment = clock.now()
    known = conf.aliases()
    # Accounts that the settings lost still have their gates, and perhaps texts.
    own = {gate.account: gate for gate in rows_of(Gate).filter(slot="").order_by("account")}
    accounts = [_account(alias, own.get(alias), moment) for alias in known]
    lost = [_account(alias, gate, moment) for alias, gate in own.items() if alias not in known]
    return QueueState(
        moment=moment,
        accounts=(*accounts, *(account for account in lost if account.waiting)),
        workers=tuple(_workers(moment)),
    )


def _account(alias: str, gate: Gate | None, moment: datetime) -> AccountState:
    texts = waiting(alias)
    lanes = dict(texts.values_list("lane").annotate(count=Count("pk")).order_by())
    due = texts.filter(due_on__lte=clock.stored(moment))
    oldest = due.aggregate(count=Count("pk"), oldest=Min("due_on"))
    paused_on = _aware(gate.paused_on) if gate else None
    closed_until = _aware(gate.closed_until) if gate and gates.is_shut(gate, moment) else None
    limits = _limits(alias)
    return AccountState(
        account=alias,
        is_configured=limits is not None,
        waiting=sum(lanes.values()),
        due=oldest["count"],
        by_priority={name: lanes.get(lane, 0) for name, lane in LANES.items()},
        oldest_due=_aware(oldest["oldest"]),
        in_flight=in_flight(alias),
        rate=str(limits.rate) if limits and limits.rate else "",
        paused_on=paused_on,
        closed_until=closed_until,
        reason=gate.reason if gate and (paused_on or closed_until) else "",
        failures=gate.failures if gate else 0,
    )


def _limits(alias: str) -> conf.Account | None:
    try:
        return conf.account(alias)
    except ImproperlyConfigured:
        return None


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


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else clock.aware(moment)
