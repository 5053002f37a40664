"""Status reports: each is kept once, finds its message sooner or later, and moves it forward."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connections, transaction
from django.db.models import Q

from djsms.accounts import gateways
from djsms.ledger import storable, told
from djsms.ledger.entries import enter_report, is_ready, settle
from djsms.ledger.transactions import database, persist, rows_of
from djsms.models import (
    ACCOUNT_LENGTH,
    CODE_LENGTH,
    CURRENCY_LENGTH,
    ID_LENGTH,
    StatusEvent,
    TextMessage,
)
from djsms.receiving.matching import match, message_of
from djsms.types import Status, StatusReport

__all__ = ["apply_reports", "catch_up", "catch_up_message", "take_report", "take_reports"]

logger = logging.getLogger("djsms")

# Of reports that share a transaction: it must not keep others waiting for long.
LOT = 100


def apply_reports(account: str, reports: Iterable[StatusReport]) -> int:
    """Store status reports of an account that came another way than by its webhook.

    Returns how many were new: each counts once, by whichever way it comes. Messages are found and
    moved, and receivers told, as for a webhook. One that fails does not keep the others from being
    stored; what the first one raised is raised in the end.

    Raises ``AccountNotFound`` and the other errors of configuration, and ``TypeError`` for what is
    no ``StatusReport``, before anything is stored.
    """
    gateways.get(account)
    listed = list(reports)
    for report in listed:
        if not isinstance(report, StatusReport):
            raise TypeError(f"reports holds {type(report).__name__}, not a StatusReport")
    return take_reports(account, listed)


def take_report(account: str, report: StatusReport) -> None:
    """Do as ``take_reports`` with one."""
    take_reports(account, [report])


def take_reports(account: str, reports: Iterable[StatusReport]) -> int:
    """Store the status reports of an account and apply those to their messages that are known.

    Returns how many were new; a repeat changes nothing. What receivers of ``post_save`` raise gets
    out when all are dealt with, and of that report nothing is stored: the provider has to come
    again.
    """
    events: dict[str, StatusEvent] = {}
    for report in reports:
        event = _event(account, report)
        events.setdefault(event.fingerprint, event)
    waiting = list(events.values())
    lot = _Lot()
    for start in range(0, len(waiting), LOT):
        lot.add(_take_lot(waiting[start : start + LOT]))
    _catch_up_pending([*lot.new, *lot.repeats], lot.failures)
    for event in lot.new:
        if event.status is Status.UNKNOWN and event.provider_status != Status.UNKNOWN:
            logger.warning(
                "Account %s: status report with the unknown status %r (code %r)",
                account,
                event.provider_status,
                event.error_code,
            )
    for failure in lot.failures[1:]:
        logger.error("Account %s: another status report failed", account, exc_info=failure)
    if lot.failures:
        raise lot.failures[0]
    return len(lot.new)


def catch_up(event: StatusEvent) -> bool:
    """Apply a stored event that came before its message was ready for it; return whether it is now.

    Whoever stores the answer of a send looks for such events afterwards, and whoever stores such an
    event looks for the message afterwards; so at least one of the two sees the other.
    """

    def look_and_settle() -> bool:
        message = message_of(event)
        return message is not None and is_ready(message) and settle(event, message)

    return persist(look_and_settle)


def catch_up_message(message: TextMessage, ids: list[str]) -> bool:
    """Apply the status reports that came before the answer with these provider's ids was stored.

    Returns whether there were any.
    """
    if not _any_early(message, ids):
        return False
    early = Q(message=message)
    if ids:
        early |= Q(message=None, account=message.account, provider_id__in=ids)
    for event in rows_of(StatusEvent).filter(early, pending=True).order_by("pk"):
        catch_up(event)
    return True


def _any_early(message: TextMessage, ids: list[str]) -> bool:
    # Asked for each message that is sent, nearly always in vain; to have the ORM build this query
    # anew each time takes ten times as long as the database takes to answer it.
    connection = connections[database()]
    table = connection.ops.quote_name(StatusEvent._meta.db_table)
    condition = "message_id = %s"
    values: list[Any] = [message.pk]
    if ids:
        places = ", ".join(["%s"] * len(ids))
        condition += f" OR message_id IS NULL AND account = %s AND provider_id IN ({places})"
        values += [message.account, *ids]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table} WHERE ({condition}) AND pending = %s LIMIT 1", [*values, True]
        )
        return cursor.fetchone() is not None


def _catch_up_pending(events: list[StatusEvent], failures: list[Exception]) -> None:
    pending = [event.fingerprint for event in events if event.pending]
    if not pending:
        return
    for event in rows_of(StatusEvent).filter(fingerprint__in=pending).order_by("pk"):
        try:
            catch_up(event)
        except Exception as error:
            failures.append(error)


@dataclass(slots=True)
class _Lot:
    """What became of some reports."""

    new: list[StatusEvent] = field(default_factory=list)
    repeats: list[StatusEvent] = field(default_factory=list)
    """As they are stored."""
    left: list[StatusEvent] = field(default_factory=list)
    """Something kept them from being stored, and no receiver has heard of them."""
    failures: list[Exception] = field(default_factory=list)

    def add(self, other: _Lot) -> None:
        self.new += other.new
        self.repeats += other.repeats
        self.failures += other.failures


def _take_lot(events: list[StatusEvent]) -> _Lot:
    """Store reports in one transaction; those that could not be stored in it, one by one."""
    lot = _Lot(left=events)
    if len(events) > 1:
        try:
            lot = persist(partial(_enter_lot, events))
        except (OperationalError, InterfaceError):
            # The transaction is lost with all that was in it, perhaps for one of them.
            logger.info("%d reports are stored one by one", len(events), exc_info=True)
    for event in lot.left:
        try:
            lot.add(persist(partial(_enter_alone, event)))
        except Exception as error:
            lot.failures.append(error)
    return lot


def _enter_lot(events: list[StatusEvent]) -> _Lot:
    lot = _new_of(events)
    # In one order, or two who store many would wait for each other.
    lot.new.sort(key=lambda event: event.message_id or 0)
    new, lot.new = lot.new, []
    connection = connections[database()]
    moved: set[int | None] = {None}
    with transaction.atomic(using=database()):
        for event in new:
            if event.message_id in moved:
                event.message = message_of(event)
            moved.add(event.message_id)
            told_before = told.count()
            try:
                with transaction.atomic(using=database()):
                    enter_report(event)
            except Exception as error:
                if connection.needs_rollback:
                    raise
                if told.count() > told_before:
                    lot.failures.append(error)
                else:
                    lot.left.append(event)
            else:
                lot.new.append(event)
    return lot


def _enter_alone(event: StatusEvent) -> _Lot:
    told_before = told.count()
    for is_last in (False, True):
        lot = _new_of([event])
        if not lot.new:
            return lot
        try:
            with transaction.atomic(using=database()):
                enter_report(event)
        except (IntegrityError, TextMessage.DoesNotExist):
            # At the same time a repeat was stored, or the message deleted: the next look shows it.
            if is_last or told.count() > told_before:
                raise
        else:
            return lot
    raise AssertionError("unreachable")  # pragma: no cover


def _new_of(events: list[StatusEvent]) -> _Lot:
    """Tell new reports from repeats, and look for the messages of the new ones."""
    stored = {event.fingerprint: event for event in _stored(events)}
    new = [event for event in events if event.fingerprint not in stored]
    match(new)
    return _Lot(new=new, repeats=list(stored.values()))


def _stored(events: list[StatusEvent]) -> Iterable[StatusEvent]:
    places = ", ".join(["%s"] * len(events))
    query = (
        f"SELECT id, fingerprint, pending FROM {StatusEvent._meta.db_table} "
        f"WHERE fingerprint IN ({places})"
    )
    with connections[database()].cursor() as cursor:
        cursor.execute(query, [event.fingerprint for event in events])
        for pk, fingerprint, pending in cursor.fetchall():
            yield StatusEvent(pk=pk, fingerprint=fingerprint, pending=bool(pending))


def _event(account: str, report: StatusReport) -> StatusEvent:
    provider_status = report.provider_status or report.status.value
    price = storable.money(report.price)
    return StatusEvent(
        source=StatusEvent.Source.REPORT,
        account=storable.fit(account, ACCOUNT_LENGTH),
        ref=storable.fit(report.ref, CODE_LENGTH),
        provider_id=storable.fit(report.provider_id, ID_LENGTH),
        status=report.status,
        provider_status=storable.fit(provider_status, CODE_LENGTH),
        error_code=storable.fit(report.error_code, CODE_LENGTH),
        error_text=storable.clean_text(report.error_text),
        price=price,
        currency=storable.fit(report.currency, CURRENCY_LENGTH),
        occurred_on=storable.moment(report.occurred_on),
        raw=storable.as_given(report.raw),
        fingerprint=storable.fingerprint(
            StatusEvent.Source.REPORT,
            account,
            report.ref,
            report.provider_id,
            provider_status,
            report.error_code,
            price,
            report.currency,
        ),
    )
