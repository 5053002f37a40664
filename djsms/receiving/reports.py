"""Status reports: each is kept once, finds its message sooner or later, and moves it forward."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, connections
from django.db.models import Q

from djsms.ledger import storable
from djsms.ledger.announcements import announce
from djsms.ledger.statuses import follow, is_news
from djsms.ledger.transactions import database, in_transaction, rows_of
from djsms.models import (
    ACCOUNT_LENGTH,
    CODE_LENGTH,
    CURRENCY_LENGTH,
    ID_LENGTH,
    StatusEvent,
    TextMessage,
)
from djsms.types import Status, StatusReport

__all__ = ["catch_up", "catch_up_message", "take_report"]

logger = logging.getLogger("djsms")

# Of messages with one and the same id; a provider that gives such ids is beyond help.
MAX_NAMESAKES = 20


def take_report(account: str, report: StatusReport) -> None:
    """Store one status report of an account and apply it to its message, if that is known.

    A repeat changes nothing. What receivers of ``post_save`` raise gets out, and then nothing is
    stored: the provider has to come again.
    """
    event = _event(account, report)
    event.message = _message_of(event)
    if event.status is Status.UNKNOWN and event.provider_status != Status.UNKNOWN:
        logger.warning(
            "Account %s: status report with the unknown status %r (code %r)",
            account,
            event.provider_status,
            event.error_code,
        )
    rows = [event.message] if event.message is not None else []
    has_no_news = event.message is not None and not is_news(event.message, event)
    try:
        applied = in_transaction(lambda: _store(event), *rows)
    except _Repeat as repeat:
        stored = rows_of(StatusEvent).filter(fingerprint=event.fingerprint).first()
        if stored is None:
            # Something else than a repeat has kept it from being stored.
            raise repeat.__cause__ or repeat from None
        event, applied = stored, has_no_news
    if not applied:
        catch_up(event)


def catch_up(event: StatusEvent) -> bool:
    """Apply a stored event that came before its message was ready for it; return whether it is now.

    Whoever stores the answer of a send looks for such events afterwards, and whoever stores such an
    event looks for the message afterwards; so at least one of the two sees the other.
    """
    message = _message_of(event)
    if message is None or not _is_ready(message):
        return False
    if event.message_id is not None and not is_news(message, event):
        return False

    def attach() -> None:
        changed = follow(message, event)
        rows_of(StatusEvent).filter(pk=event.pk).update(message=message)
        if changed:
            announce(message, changed)

    in_transaction(attach, message)
    return True


def catch_up_message(message: TextMessage, ids: list[str]) -> bool:
    """Apply the status reports that came before the answer with these provider's ids was stored.

    Returns whether there were any.
    """
    if not _any_early(message, ids):
        return False
    early = Q(message=message)
    if ids:
        early |= Q(message=None, account=message.account, provider_id__in=ids)
    reports = rows_of(StatusEvent).filter(early, source=StatusEvent.Source.REPORT)
    for event in reports.order_by("pk"):
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
            f"SELECT 1 FROM {table} WHERE ({condition}) AND source = %s LIMIT 1",
            [*values, StatusEvent.Source.REPORT.value],
        )
        return cursor.fetchone() is not None


class _Repeat(Exception):
    """The event is stored already."""


def _store(event: StatusEvent) -> bool:
    """Insert the event, and apply it if its message is ready; return whether it was applied."""
    message = event.message
    is_ready = message is not None and _is_ready(message)
    changed: frozenset[str] = frozenset()
    if message is not None and is_ready and is_news(message, event):
        changed = follow(message, event)
    try:
        event.pk = None
        event.save(force_insert=True)
    except IntegrityError as error:
        # The transaction ends with this, so nothing must be asked of the database any more.
        raise _Repeat from error
    if message is not None and changed:
        announce(message, changed)
    return is_ready


def _is_ready(message: TextMessage) -> bool:
    # Of a long text under way it is not known yet how many parts the provider makes of it, and the
    # first report must not pass for the whole message's.
    answered = message.parts > 0 or message.status is not Status.CREATED
    return answered or message.segments == 1


def _message_of(event: StatusEvent) -> TextMessage | None:
    """Find the message by our reference, else by the provider's id of it or of one of its parts."""
    if event.ref:
        for message in _messages("ref = %s", event.ref):
            if message.account == event.account and _is_outgoing(message):
                return message
    if not event.provider_id:
        return None
    by_id = "account = %s AND provider_id = %s ORDER BY id DESC"
    for message in _messages(by_id, event.account, event.provider_id):
        if _is_outgoing(message):
            return message
    parts = rows_of(StatusEvent).filter(
        account=event.account,
        provider_id=event.provider_id,
        source=StatusEvent.Source.ANSWER,
        message__isnull=False,
    )
    part = parts.select_related("message").order_by("-pk").first()
    return part.message if part else None


def _messages(condition: str, *values: str) -> Iterable[TextMessage]:
    # Asked for each report; the ORM would take longer to build the query than it takes to answer.
    query = f"SELECT * FROM {TextMessage._meta.db_table} WHERE {condition} LIMIT {MAX_NAMESAKES}"
    return TextMessage.objects.using(database()).raw(query, values)


def _is_outgoing(message: TextMessage) -> bool:
    return message.direction == TextMessage.Direction.OUTGOING


def _event(account: str, report: StatusReport) -> StatusEvent:
    provider_status = report.provider_status or report.status.value
    return StatusEvent(
        source=StatusEvent.Source.REPORT,
        account=storable.fit(account, ACCOUNT_LENGTH),
        ref=storable.fit(report.ref, CODE_LENGTH),
        provider_id=storable.fit(report.provider_id, ID_LENGTH),
        status=report.status,
        provider_status=storable.fit(provider_status, CODE_LENGTH),
        error_code=storable.fit(report.error_code, CODE_LENGTH),
        error_text=storable.clean_text(report.error_text),
        price=storable.money(report.price),
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
        ),
    )
