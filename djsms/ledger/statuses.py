"""Moving a message's status forward, and only forward, whoever else does so at the same time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import OperationalError
from django.db.models import Exists, F, Q
from django.utils import timezone

from djsms.exceptions import (
    OutcomeUnknown,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
    Throttled,
)
from djsms.ledger import storable
from djsms.ledger.announcements import announce
from djsms.ledger.statements import change, insert_unless_there
from djsms.ledger.transactions import OUTDATED, in_transaction, rows_of
from djsms.models import CODE_LENGTH, StatusEvent, TextMessage
from djsms.types import Status

__all__ = [
    "SURELY_UNSENT",
    "advance",
    "advance_by",
    "kind_of",
    "lock",
    "pass_over",
    "put_back",
]

SURELY_UNSENT = (TemporarilyUnavailable.__name__, Throttled.__name__)
"""The kinds of error after which a failed text may be sent again: it was surely not taken."""

_IN_FLIGHT = Q(status=Status.CREATED, attempted_on__isnull=False, due_on=None)


def advance(message: TextMessage, cause: StatusEvent, **changes: Any) -> frozenset[str]:
    """Change a message to the event's status, if that is higher, with what else there is to change.

    Returns the names of the fields that changed. To be called first of all in a transaction: the
    update locks the row. It is guarded by the status that was read; if another worker was faster,
    the row is locked, read again and compared again.
    """
    return advance_by(message, lambda: (cause, changes))


def advance_by(
    message: TextMessage, decide: Callable[[], tuple[StatusEvent, dict[str, Any]] | None]
) -> frozenset[str]:
    """Do as ``advance`` by what ``decide`` makes of the message as it was last read.

    None leaves it as it is.
    """
    step = _step(message, decide())
    if step and not change(message, step):
        lock(message)
        step = _step(message, decide())
        if step and not change(message, step):
            raise OperationalError(OUTDATED)
    return frozenset(step)


def lock(message: TextMessage) -> None:
    """Lock a message until the transaction ends, and read it as it is then.

    Raises ``TextMessage.DoesNotExist`` if it has been deleted.
    """
    rows = rows_of(TextMessage)
    # A write locks on every database, also on those without SELECT … FOR UPDATE, and lets those who
    # began earlier notice; a locking read sees what is stored, where a plain one would see what was
    # stored when the transaction began.
    rows.filter(pk=message.pk).update(updated_on=F("updated_on"))
    message.refresh_from_db(from_queryset=rows.select_for_update())


def put_back(
    message: TextMessage,
    error: SendError | None = None,
    *,
    due_on: datetime | None = None,
    **fields: Any,
) -> bool:
    """Let a text that surely did not go out wait again, as ``created``; return whether it does.

    This is the one way back. It is open to a text in flight whose call ended with ``error``, and to
    one that ``failed`` by ``TemporarilyUnavailable`` or ``Throttled``, of which no part was taken
    and no report came; without ``error`` it keeps its own. The attempt is kept as an event.

    ``due_on`` is when it may go out; None leaves it to whoever has its key, or resends it. What
    else is to change about how it waits is in ``fields``, and changes with it. Whoever
    calls for it next counts ``attempts`` up; an older instance than the row puts nothing back.
    """
    step = {"due_on": due_on, "attempted_on": None, **fields}
    unsent = Q(status=Status.FAILED, error_kind__in=SURELY_UNSENT)
    is_back = _undo(message, error, _IN_FLIGHT | unsent, step)
    if is_back:
        # Once it is stored: by what a receiver raises, a text that surely did not go out must not
        # be left like one that perhaps did.
        announce(message, ["status", *step])
    return is_back


def pass_over(message: TextMessage, error: SendError, **account: Any) -> bool:
    """Let another attempt follow at once on one that ended with ``error``; return whether it does.

    Who gets True, and nobody else, is to call for the text by the account that ``account`` has the
    fields of. It is in flight all the while, so that nobody who has its key calls for it, too. The
    attempt that ended is kept as an event. Nobody is told yet.
    """
    step = {"attempted_on": timezone.now(), "attempts": message.attempts + 1}
    return _undo(message, error, _IN_FLIGHT, {**step, **account})


def kind_of(error: TextMessageError) -> str:
    """Return what is stored of an exception's class: the name of ours that it is, or comes from."""
    ours = (kind for kind in type(error).__mro__ if kind.__module__ == TextMessageError.__module__)
    return next(ours).__name__


def _undo(message: TextMessage, error: SendError | None, where: Q, step: Mapping[str, Any]) -> bool:
    """Undo an attempt that surely came to nothing; return whether it was there to be undone."""
    if isinstance(error, OutcomeUnknown):
        raise ValueError("A text of unknown outcome may have gone out, and never waits again.")
    words = {} if error is None else _words_of(error)
    event = _attempt(message, words)
    now = timezone.now()
    changes = {"status": Status.CREATED, "updated_on": now, **words, **step}
    # A provider that reported on it has it, whatever the call ended with.
    reports = rows_of(StatusEvent).filter(message=message, source=StatusEvent.Source.REPORT)
    # As it was read: the attempt that is undone must be the one that failed.
    of_this_attempt = Q(pk=message.pk, attempts=message.attempts, parts=0, erased_on=None)
    rows = rows_of(TextMessage).filter(~Exists(reports), of_this_attempt, where)
    undone = rows_of(TextMessage).filter(pk=message.pk, status=Status.CREATED, updated_on=now)
    tries = itertools.count()

    def undo() -> bool:
        if next(tries) > 0 and undone.exists():
            # The first try went through, and only its acknowledgement got lost.
            return True
        if not rows.update(**changes):
            return False
        # One that is there already is this one: the text failed by it, and was recorded as failed.
        insert_unless_there(event)
        return True

    is_undone = in_transaction(undo)
    if is_undone:
        for name, value in changes.items():
            setattr(message, name, value)
    return is_undone


def _step(
    message: TextMessage, decided: tuple[StatusEvent, dict[str, Any]] | None
) -> dict[str, Any]:
    if decided is None:
        return {}
    cause, changes = decided
    step = _forward(message, cause) | changes
    return step | {"updated_on": timezone.now()} if step else step


def _forward(message: TextMessage, cause: StatusEvent) -> dict[str, Any]:
    if cause.status.rank <= message.status.rank:
        return {}
    explains = cause.status.is_failure or cause.status is Status.UNKNOWN
    # Providers quote numbers and texts.
    has_words = explains and message.erased_on is None
    step = {
        "status": cause.status,
        "error_code": cause.error_code if explains else "",
        "error_text": cause.error_text if has_words else "",
        "error_kind": "",
    }
    # What is not waiting any more must not be found by those who look for what waits.
    return step | {"due_on": None} if message.status is Status.CREATED else step


def _words_of(error: SendError) -> dict[str, str]:
    return {
        "error_code": storable.fit(error.code, CODE_LENGTH),
        "error_text": storable.clean_text(error.text),
        "error_kind": kind_of(error),
    }


def _attempt(message: TextMessage, words: Mapping[str, str]) -> StatusEvent:
    return StatusEvent(
        message=message,
        source=StatusEvent.Source.ATTEMPT,
        account=message.account,
        ref=message.ref,
        number=message.attempts,
        status=Status.FAILED,
        error_code=words.get("error_code", message.error_code),
        error_text=words.get("error_text", message.error_text),
        fingerprint=storable.fingerprint(StatusEvent.Source.ATTEMPT, message.ref, message.attempts),
    )
