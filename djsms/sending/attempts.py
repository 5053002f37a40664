"""One attempt: a row is marked, then the provider is called for it, then the outcome recorded."""

from __future__ import annotations

import copy
import itertools
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from djsms.accounts import addresses
from djsms.accounts.gateways import Gateway
from djsms.calling.interruptions import is_interruption
from djsms.exceptions import (
    OutcomeUnknown,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
)
from djsms.ledger import clock, statements, storable
from djsms.ledger.announcements import announce
from djsms.ledger.statuses import kind_of
from djsms.ledger.transactions import persist, read_afresh, rows_of
from djsms.models import CODE_LENGTH, TextMessage
from djsms.observing.facts import Attempt
from djsms.observing.observers import around
from djsms.sending.outcomes import record_answer, record_failure
from djsms.types import Encoding, OutgoingText, SendResult, Status

__all__ = ["Outcome", "attempt", "attempt_in_thread", "claim", "record", "release"]

logger = logging.getLogger("djsms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a call to the provider ended: with its answer, or else with an error."""

    answer: SendResult | None = None
    error: TextMessageError | None = None
    interruption: BaseException | None = None
    """What ended the call from outside, to be raised once the outcome is recorded."""


def claim(message: TextMessage) -> bool:
    """Mark a row that waits as attempted; if it is not there to be sent any more, read it afresh.

    Who gets True, and nobody else, is to call the provider for it. A row that has expired ends.
    """
    now = timezone.now()
    if message.expires_on is not None and message.expires_on <= now:
        _expire(message, now)
        return False
    row = rows_of(TextMessage).filter(pk=message.pk, status=Status.CREATED)
    attempts = message.attempts + 1
    # Set beforehand, so that what is broken off can be taken back.
    message.attempted_on, message.attempts = now, attempts
    marks = {
        "attempted_on": now,
        "attempts": attempts,
        "expires_on": message.expires_on,
        "due_on": None,
        "worker": "",
        "updated_on": now,
    }
    tries = itertools.count()

    def mark() -> bool:
        is_first = next(tries) == 0
        if _change_idle(message, attempts - 1, marks):
            return True
        # The first try may have gone through, and only its acknowledgement got lost.
        return not is_first and row.filter(attempted_on=now, attempts=attempts).exists()

    try:
        is_ours = persist(mark)
    except (DatabaseError, InterfaceError):
        raise
    except BaseException:
        # Broken off: nobody is called, so it should not look as if somebody had been.
        release(message, due_on=message.due_on)
        raise
    if not is_ours:
        read_afresh(message)
        return False
    message.due_on, message.worker, message.updated_on = None, "", now
    return True


def release(message: TextMessage, *, due_on: datetime | None = None) -> None:
    """Take back a claim of ours after which the provider was not called.

    ``due_on`` is since when it had waited, for it to wait again.
    """
    row = rows_of(TextMessage).filter(
        pk=message.pk,
        status=Status.CREATED,
        attempted_on=message.attempted_on,
        attempts=message.attempts,
    )
    fields = {"attempted_on": None, "attempts": message.attempts - 1, "due_on": due_on}
    persist(lambda: row.update(**fields))
    for name, value in fields.items():
        setattr(message, name, value)


def attempt(gateway: Gateway, message: TextMessage) -> Outcome:
    """Call the provider for a row that is marked as attempted, and log how it ended.

    Raises nothing and touches no database, so it may run in any thread.
    """
    outcome: Outcome | None = None
    has_begun = False
    facts = Attempt(
        account=gateway.alias,
        backend=gateway.backend,
        ref=message.ref,
        segments=message.segments,
    )
    try:
        with around(facts):
            start = time.perf_counter()
            has_begun = True
            outcome = _called(gateway, message)
            seconds = time.perf_counter() - start
            error = outcome.error
            facts.is_error = error is not None
            facts.outcome = kind_of(error) if error is not None else _status(outcome)
        _log(facts, outcome, seconds)
    except BaseException as error:
        # What strikes while this is told, as a job's time limit may, must not cost the answer.
        if outcome is not None:
            return replace(outcome, interruption=outcome.interruption or error)
        return _ended(error) if has_begun else _not_begun(message, error)
    return outcome


def attempt_in_thread(gateway: Gateway, message: TextMessage) -> Outcome:
    """Make an attempt in a thread of ours; connections that extensions open in it are closed."""
    outcome = attempt(gateway, message)
    try:
        connections.close_all()
    except Exception:
        # One that is broken already must not cost the outcome.
        logger.exception("A connection could not be closed")
    return outcome


def record(message: TextMessage, outcome: Outcome) -> TextMessageError | None:
    """Record how an attempt ended; return the error it amounts to, if any."""
    if outcome.answer is not None:
        return record_answer(message, outcome.answer)
    # Of one that was put back the failure is kept already.
    if outcome.error is not None and message.attempted_on is not None:
        record_failure(message, outcome.error)
    return outcome.error


def _expire(message: TextMessage, now: datetime) -> None:
    changes = {
        "status": Status.EXPIRED,
        "error_text": "It expired before its turn to be sent came.",
        "due_on": None,
        "updated_on": now,
    }
    has_ended = persist(lambda: _change_idle(message, message.attempts, changes))
    read_afresh(message)
    if has_ended:
        announce(message, changes)


def _change_idle(message: TextMessage, attempts: int, changes: Mapping[str, Any]) -> bool:
    """Change a row that waits, or whose turn has not come, after so many attempts.

    Returns whether it was there to be changed. One statement, and so a transaction of its own.
    """
    rows = statements.execute(
        f"UPDATE {statements.table(TextMessage)} SET {statements.assigned(changes)} "
        "WHERE id = %s AND status = %s AND attempts = %s "
        "AND (attempted_on IS NULL OR due_on IS NOT NULL)",
        [
            *statements.prepared(TextMessage, changes),
            message.pk,
            Status.CREATED.value,
            attempts,
        ],
    )
    return bool(rows)


def _called(gateway: Gateway, message: TextMessage) -> Outcome:
    try:
        outgoing = _outgoing(message)
    except BaseException as error:
        return _not_begun(message, error)
    try:
        return Outcome(answer=gateway.send(outgoing))
    except TextMessageError as error:
        return Outcome(error=error)
    except BaseException as error:
        if is_interruption(error):
            return _ended(error)
        culprit = gateway.culprit_of_send(error)
        logger.exception("Text %s: %s failed", message.ref, culprit)
        unknown = OutcomeUnknown(f"{culprit} failed with {type(error).__name__}.")
        unknown.__cause__ = error
        return Outcome(error=unknown)


def _ended(interruption: BaseException) -> Outcome:
    """Return the outcome of a call that something ended from outside."""
    unknown = OutcomeUnknown(f"The call was ended by {type(interruption).__name__}.")
    return Outcome(error=unknown, interruption=interruption)


def _not_begun(message: TextMessage, error: BaseException) -> Outcome:
    """Return the outcome of a call that was not made, as what the project adds to it is wrong."""
    name = type(error).__name__
    unsent = TemporarilyUnavailable(f"The backend was not called, because of {name}: {error}")
    unsent.__cause__ = error
    if is_interruption(error):
        return Outcome(error=unsent, interruption=error)
    logger.error("Text %s: not handed to the backend", message.ref, exc_info=error)
    return Outcome(error=unsent)


def _outgoing(message: TextMessage) -> OutgoingText:
    wants_report = message.status_report
    return OutgoingText(
        ref=message.ref,
        text=message.text,
        frm=message.frm,
        to=message.to,
        status_report=wants_report,
        callback_url=addresses.webhook_url(message.account, "callback") if wants_report else "",
        encoding=Encoding(message.encoding),
        segments=message.segments,
        expires_on=clock.aware(message.expires_on),
        # The row's own must not change with what a backend does to its copy.
        extra=copy.deepcopy(message.extra),
    )


def _log(attempt: Attempt, outcome: Outcome, seconds: float) -> None:
    error = outcome.error
    code = error.code if isinstance(error, SendError) else ""
    facts = {
        "account": attempt.account,
        "backend": attempt.backend,
        "ref": attempt.ref,
        "outcome": attempt.outcome,
        "code": storable.fit(code, CODE_LENGTH),
        "milliseconds": round(seconds * 1000),
    }
    # Not the provider's words: numbers and texts are quoted in them.
    logger.info(
        "Attempt: account %(account)s, backend %(backend)s, ref %(ref)s, outcome %(outcome)s, "
        "code %(code)r, %(milliseconds)d ms",
        facts,
        extra=facts,
    )
    if error is not None:
        logger.warning(
            "Text %(ref)s: %(outcome)s (code %(code)r) by the backend %(backend)r of the account "
            "%(account)s",
            facts,
        )


def _status(outcome: Outcome) -> str:
    parts = outcome.answer.parts if outcome.answer is not None else ()
    return min(parts, key=lambda part: (not part.status.is_failure, part.status.rank)).status.value
