"""What came of a call to the provider, recorded once and for all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections

from djsms.exceptions import (
    InvalidMessage,
    NotSupported,
    OutcomeUnknown,
    Refused,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
)
from djsms.ledger import storable
from djsms.ledger.announcements import announce
from djsms.ledger.entries import attempt_of, enter_answer
from djsms.ledger.standing import decisive
from djsms.ledger.statuses import kind_of
from djsms.ledger.transactions import database, in_transaction, read_afresh
from djsms.models import CODE_LENGTH, CURRENCY_LENGTH, ID_LENGTH, StatusEvent, TextMessage
from djsms.receiving.reports import catch_up_message
from djsms.types import SendResult, Status

__all__ = ["record_answer", "record_failure", "status_after"]

T = TypeVar("T")

logger = logging.getLogger("djsms")


def record_answer(message: TextMessage, result: SendResult) -> SendError | None:
    """Record the provider's answer; return the error it amounts to, if a part was not taken."""
    events = _answer_events(message, result)
    failure = _failure_told(decisive(events))
    _record(message, events, failure)
    return failure


def record_failure(message: TextMessage, error: TextMessageError) -> None:
    """Record that the provider's call for a stored message did not end in acceptance."""
    _record(message, [_error_event(message, error)], error)


def status_after(error: TextMessageError) -> Status:
    """Return the status of a message whose call ended with this error."""
    if isinstance(error, Refused | InvalidMessage | NotSupported):
        return Status.REFUSED
    if isinstance(error, TemporarilyUnavailable):
        return Status.FAILED
    return Status.UNKNOWN


def _record(
    message: TextMessage, events: list[StatusEvent], failure: TextMessageError | None
) -> None:
    """Store the answer, announce it, and then apply the status reports that were faster."""
    ids = [event.provider_id for event in events if event.provider_id]
    parts = sum(event.number > 0 for event in events)
    changes: dict[str, Any] = {"parts": parts} if parts else {}
    if failure is not None:
        changes["error_kind"] = kind_of(failure)
    if ids:
        changes["provider_id"] = ids[0]

    # Before any try: the row may be at another attempt when it is read afresh for the next one.
    attempt = attempt_of(message)

    def store() -> frozenset[str]:
        return enter_answer(message, events, attempt, **changes)

    try:
        changed, interruption = _stubbornly(store, message)
    except TextMessage.DoesNotExist:
        logger.error("Text %s was deleted during its call; provider's ids: %r", message.ref, ids)
        return
    except BaseException as error:
        logger.error("Text %s: its answer is not stored; provider's ids: %r", message.ref, ids)
        error.add_note(
            f"The text {message.ref} was handed to the provider; only the answer is not stored "
            f"(outcome: {kind_of(failure) if failure else decisive(events).status}; "
            f"provider's ids: {ids})."
        )
        raise
    # From here on the answer is safe, whatever a receiver raises.
    try:
        if changed:
            announce(message, changed)
    finally:
        _catch_up(message, ids)
    if interruption is not None:
        raise interruption


def _stubbornly(store: Callable[[], T], message: TextMessage) -> tuple[T, BaseException | None]:
    """Store the answer; if that fails, once more on a fresh connection, since the call is made.

    Returns also what broke off the first try without being the database's, as a job's time limit
    may do, for it to be raised when all is done.
    """
    try:
        return in_transaction(store, message), None
    except TextMessage.DoesNotExist:
        raise
    except BaseException as error:
        connection = connections[database()]
        if connection.in_atomic_block:
            raise
        connection.close()
        is_the_databases = isinstance(error, DatabaseError | InterfaceError)
        return in_transaction(store, message), None if is_the_databases else error


def _catch_up(message: TextMessage, ids: list[str]) -> None:
    def catch_up() -> None:
        if catch_up_message(message, ids):
            read_afresh(message)

    try:
        catch_up()
    except (OperationalError, InterfaceError):
        connection = connections[database()]
        if connection.in_atomic_block:
            raise
        # The text is out and its answer stored: a connection that broke just now must not look as
        # if it were not. What cannot be applied now waits to be tidied up.
        connection.close()
        try:
            catch_up()
        except (OperationalError, InterfaceError):
            logger.exception("Text %s: reports that came early are not applied yet", message.ref)


def _failure_told(event: StatusEvent) -> SendError | None:
    """Return the error that parts amount to of which some were not accepted."""
    if event.status.is_failure:
        # Never one that invites another try: other parts may be out.
        return Refused(event.error_text, code=event.error_code)
    if event.status is Status.UNKNOWN:
        return OutcomeUnknown(event.error_text, code=event.error_code)
    return None


def _answer_events(message: TextMessage, result: SendResult) -> list[StatusEvent]:
    return [
        _answer_event(
            message,
            number=number,
            provider_id=storable.fit(part.provider_id, ID_LENGTH),
            status=part.status,
            error_code=storable.fit(part.error_code, CODE_LENGTH),
            error_text=storable.clean_text(part.error_text),
            price=storable.money(part.price),
            currency=storable.fit(result.currency, CURRENCY_LENGTH),
            # The answer is one for all parts, so it is kept once.
            raw=storable.as_given(result.raw) if number == 1 else {},
        )
        for number, part in enumerate(result.parts, start=1)
    ]


def _error_event(message: TextMessage, error: TextMessageError) -> StatusEvent:
    code = error.code if isinstance(error, SendError) else ""
    words = error.text if isinstance(error, SendError) else str(error)
    return _answer_event(
        message,
        number=0,
        status=status_after(error),
        error_code=storable.fit(code, CODE_LENGTH),
        error_text=storable.clean_text(words),
    )


def _answer_event(
    message: TextMessage, *, number: int, status: Status, **fields: Any
) -> StatusEvent:
    # A part is answered for once; a call may be given up, and still fail in a way of its own.
    once = (number,) if number else (message.attempts, status, fields["error_code"])
    return StatusEvent(
        message=message,
        source=StatusEvent.Source.ANSWER,
        account=message.account,
        ref=message.ref,
        number=number,
        status=status,
        fingerprint=storable.fingerprint(StatusEvent.Source.ANSWER, message.ref, *once),
        **fields,
    )
