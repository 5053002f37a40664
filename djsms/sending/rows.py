"""Storing drafts, each once, whatever becomes of the connection meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    transaction,
)
from django.utils import timezone

from djsms.ledger.announcements import announce_new
from djsms.ledger.transactions import database, in_transaction, persist, rows_of
from djsms.models import TextMessage
from djsms.sending.drafts import Draft

__all__ = ["store", "store_attempted", "store_lot"]


def store(draft: Draft) -> tuple[TextMessage, bool]:
    """Store the row; return it, or the one that has its key already, and whether it is new."""
    message = draft.message

    def insert() -> None:
        message.pk = None
        message.save(force_insert=True)

    try:
        in_transaction(insert)
    except IntegrityError:
        if own := _own(message):
            return own, True
        key = message.key
        first = rows_of(TextMessage).filter(key=key).first() if key else None
        if first is None:
            raise
        return first, False
    except (OperationalError, InterfaceError):
        own = _own(message)
        if own is None:
            raise
        return own, True
    return message, True


def store_attempted(draft: Draft) -> tuple[TextMessage, bool]:
    """Store the row marked as attempted, in one statement, as ``store`` does.

    From then on it is not known what became of it until the answer is stored.
    """
    draft.message.attempted_on = timezone.now()
    draft.message.attempts = 1
    return store(draft)


def store_lot(drafts: Sequence[Draft]) -> list[tuple[TextMessage, bool]]:
    """Store the rows in one transaction; return for each draft what ``store`` does.

    ``post_save`` is sent for each, in the transaction.
    """
    # Not in the transaction: on SQLite one that reads first cannot wait for others to have written.
    # Whoever stores one of the keys meanwhile is met by the INSERT.
    known = persist(lambda: _by_key(drafts))

    def insert() -> list[tuple[TextMessage, bool]]:
        keyed = dict(known)
        placed, new = [], []
        for draft in drafts:
            message = draft.message
            first = keyed.setdefault(message.key, message) if message.key else message
            if first is message:
                message.pk = None
                new.append(message)
            placed.append((first, first.ref == message.ref))
        _insert_all(new)
        return placed

    try:
        return in_transaction(insert)
    except (IntegrityError, OperationalError, InterfaceError) as error:
        # Another process has stored one of the keys meanwhile; or else the COMMIT's acknowledgement
        # got lost, and all are there.
        if not isinstance(error, IntegrityError) and _own(drafts[0].message) is None:
            raise
        return [store(draft) for draft in drafts]


def _own(message: TextMessage) -> TextMessage | None:
    """Return the row of this message, if it is stored after all.

    The COMMIT of a try that failed may have gone through, and only its acknowledgement got lost.
    """
    if connections[database()].in_atomic_block:
        return None
    return persist(lambda: rows_of(TextMessage).filter(ref=message.ref).first())


def _by_key(drafts: Sequence[Draft]) -> dict[str | None, TextMessage]:
    keys = {draft.message.key for draft in drafts if draft.message.key}
    found = rows_of(TextMessage).filter(key__in=keys) if keys else ()
    return {row.key: row for row in found}


def _insert_all(messages: list[TextMessage]) -> None:
    # A savepoint, so that the transaction of a caller survives a key that is taken.
    with transaction.atomic(using=database()):
        rows_of(TextMessage).bulk_create(messages)
    if any(message.pk is None for message in messages):  # MySQL does not tell
        refs = [message.ref for message in messages]
        ids = dict(rows_of(TextMessage).filter(ref__in=refs).values_list("ref", "pk"))
        for message in messages:
            message.pk = ids[message.ref]
    for message in messages:
        announce_new(message)
