"""The gates of the accounts: how many texts may go now, and whether any.

An account has one row for itself, whose lock covers everything of the account, and one for each
originator that is limited by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from djsms import conf
from djsms.ledger import clock, statements, storable
from djsms.ledger.transactions import in_transaction, persist, rows_of
from djsms.models import Gate, TextMessage
from djsms.waiting.waking import wake_after_commit

__all__ = [
    "align",
    "is_on_probation",
    "is_open",
    "is_shut",
    "lock",
    "make",
    "pause",
    "provide",
    "resume",
    "slot_of",
]

REASON_LENGTH = 200
LOT = 500

_provided: set[tuple[str, str]] = set()


def lock(alias: str) -> Gate:
    """Return the gate of an account, locked for this transaction, whose first statement it is.

    On SQLite a transaction that reads before it writes may not write at all once another has.
    """
    if not _take_turn(alias):
        make(alias)
        _take_turn(alias)
    table, columns = statements.table(Gate), statements.columns(Gate)
    own = f"SELECT {columns} FROM {table} WHERE account = %s AND slot = ''"
    return next(iter(rows_of(Gate).raw(own, [alias])))


def _take_turn(alias: str) -> int:
    turn = {"turn_on": timezone.now()}
    return statements.execute(
        f"UPDATE {statements.table(Gate)} SET {statements.assigned(turn)} "
        "WHERE account = %s AND slot = ''",
        [*statements.prepared(Gate, turn), alias],
    )


def make(alias: str, *slots: str) -> None:
    """Make the gates of an account and of originators, those that are not there."""
    gates = [Gate(account=alias, slot=slot) for slot in ("", *slots)]
    rows_of(Gate).bulk_create(gates, ignore_conflicts=True)


def provide(slots: Iterable[tuple[str, str]]) -> None:
    """Make the gates of accounts and originators, unless this process has done so before.

    To be called once the texts are committed: in their transaction the new rows would make all
    others wait who need the same gates.
    """
    for alias, slot in set(slots) - _provided:
        persist(partial(make, alias, *filter(None, [slot])))
        _provided.add((alias, slot))


def pause(using: str, reason: str = "") -> None:
    """Let no text of an account go that waits, until the account is resumed; for all workers.

    Calls under way end. ``reason`` is for people to see. Raises ``AccountNotFound``.
    """
    alias = conf.account(using).alias
    if not isinstance(reason, str):
        raise TypeError(f"reason must be a str, not {type(reason).__name__}.")
    words = storable.clean_text(reason)[:REASON_LENGTH]
    paused = {"paused_on": clock.stored(clock.now()), "reason": words}

    def change() -> None:
        lock(alias)
        rows_of(Gate).filter(account=alias, slot="").update(**paused)

    in_transaction(change)


def resume(using: str) -> None:
    """Let an account's texts go again, also if it had closed by itself.

    Raises ``AccountNotFound``.
    """
    alias = conf.account(using).alias

    def change() -> None:
        lock(alias)
        rows_of(Gate).filter(account=alias, slot="").update(
            paused_on=None, reason="", closed_until=None, failures=0, closings=0
        )

    in_transaction(change)
    wake_after_commit([alias])


def is_open(gate: Gate, moment: datetime) -> bool:
    """Return whether texts may go: nobody has paused the account, and it has not closed itself."""
    return gate.paused_on is None and not is_shut(gate, moment)


def is_shut(gate: Gate, moment: datetime) -> bool:
    """Return whether the account has closed by itself, and not opened again yet."""
    return gate.closed_until is not None and clock.aware(gate.closed_until) > moment


def is_on_probation(gate: Gate) -> bool:
    """Return whether the account has closed for its failures, so that one text is to try it."""
    return gate.closings > 0


def align(alias: str, *, by_originator: bool) -> None:
    """Put what waits where the settings want it: each originator in a slot of its own, or none.

    Needed where the limit came or went while texts waited, and where a process died before it made
    the gates of what it had stored. Texts that do not wait have no slot.
    """
    persist(partial(_align, alias, by_originator=by_originator))


def slot_of(frm: str, limits: conf.Account) -> str:
    """Return where a text waits: at its originator's gate if the account limits each by itself."""
    return frm if limits.originator_rate is not None else ""


def _align(alias: str, *, by_originator: bool) -> None:
    texts = rows_of(TextMessage).filter(account=alias)
    others = rows_of(Gate).filter(account=alias).exclude(slot="")
    if not by_originator:
        _move(texts.exclude(slot=""), "")
        if others.exists():
            others.delete()
        return
    lanes = TextMessage.Lane.values
    without = texts.filter(slot="", lane__in=lanes, due_on__gt=clock.stored(clock.EPOCH))
    # Where the provider chooses there is no originator to limit.
    without = without.exclude(frm="")
    for originator in set(without.values_list("frm", flat=True).distinct()):
        _move(without.filter(frm=originator), originator)
    slots = set(texts.exclude(slot="").values_list("slot", flat=True).distinct())
    make(alias, *slots - set(others.values_list("slot", flat=True)))


def _move(texts: QuerySet[TextMessage], slot: str) -> None:
    # Read first, and changed by their keys: an UPDATE that has to look for its rows would wait on
    # MariaDB for every transaction that has just stored one.
    ids = list(texts.values_list("pk", flat=True))
    for start in range(0, len(ids), LOT):
        rows_of(TextMessage).filter(pk__in=ids[start : start + LOT]).update(slot=slot)
