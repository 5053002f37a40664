"""Sending: the row first, then the call, then the answer; never twice."""

from __future__ import annotations

import copy
import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from asgiref.sync import sync_to_async
from django.utils import timezone

from djsms.accounts import addresses
from djsms.accounts.gateways import Gateway
from djsms.exceptions import (
    InvalidMessage,
    OutcomeUnknown,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
)
from djsms.ledger.transactions import in_transaction, read_afresh, rows_of
from djsms.models import TextMessage
from djsms.sending.drafts import Draft
from djsms.sending.outcomes import record_answer, record_failure
from djsms.types import Encoding, OutgoingText, Status

__all__ = ["asend_text", "send_text", "send_texts"]

logger = logging.getLogger("djsms")

LOT = 100

Item: TypeAlias = "Sequence[str] | Mapping[str, Any]"


def send_text(
    text: str,
    frm: str,
    to: str,
    fail_silently: bool = True,
    status_report: bool = False,
    *,
    using: str = "default",
    extra: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> TextMessage:
    """Store one text message, hand it to the provider and return it with the provider's answer.

    ``text`` may be long: it is then sent, and charged, as several segments, up to 255.
    ``frm`` is the originator: an international number with ``+``, a short code of 3 to 8 digits,
    or a name of up to 11 characters. ``to`` is an international number with ``+``.

    ``fail_silently`` concerns the provider's call alone: with True its failure is only to be read
    from the message (``status``, ``error_code``, ``error_text``), with False it is also raised, as
    a ``TextMessageError``. Wrong arguments always raise ``InvalidMessage``, and wrong settings an
    ``ImproperlyConfigured``, before anything is stored or called.

    ``status_report`` asks the provider to report how the message fares. ``using`` is the alias of
    the account. ``extra`` holds what only this provider knows. ``key`` makes the call idempotent:
    another call with the same key returns the first message and sends nothing.

    Call it outside of transactions, in ``transaction.on_commit`` for instance: a rollback would
    take away the row of a message that is on its way.
    """
    draft = Draft(text, frm, to, status_report=status_report, using=using, extra=extra, key=key)
    message, is_new = draft.store(attempted=True)
    if is_new:
        _attempt(message, draft.gateway, fail_silently=fail_silently)
    return message


asend_text = sync_to_async(send_text)


def send_texts(
    messages: Iterable[Item],
    *,
    using: str = "default",
    fail_silently: bool = True,
    status_report: bool = False,
) -> list[TextMessage]:
    """Send many messages, each as by ``send_text``, and return them in order.

    ``messages`` are tuples ``(text, frm, to)`` or dictionaries of the arguments of ``send_text``,
    which then count for that message. They are read lazily, and their rows stored in lots of 100.

    If one of them raises, those before it have been sent and those after it have not; what was
    raised tells by a note how many. Rows of its lot that were stored already end as ``failed``.
    """
    defaults = {"using": using, "fail_silently": fail_silently, "status_report": status_report}
    done: list[TextMessage] = []
    drafts = _drafts(messages, defaults)
    try:
        while lot := list(itertools.islice(drafts, LOT)):
            _send_lot(lot, done)
    except Exception as error:
        error.add_note(f"{len(done)} messages of this call to send_texts were dealt with before.")
        raise
    return done


def _drafts(messages: Iterable[Item], defaults: dict[str, Any]) -> Iterator[Draft | Exception]:
    """Yield the drafts; a wrong message comes as its error, once all before it were dealt with."""
    read = 0
    try:
        for item in messages:
            yield _draft(item, defaults)
            read += 1
    except Exception as error:
        error.add_note(f"It is about the message at index {read}.")
        yield error


def _draft(item: Item, defaults: dict[str, Any]) -> Draft:
    arguments: dict[str, Any] = {"extra": None, "key": None} | defaults
    if isinstance(item, Mapping):
        arguments |= item
    elif isinstance(item, tuple | list) and len(item) == 3:
        arguments |= zip(("text", "frm", "to"), item, strict=True)
    else:
        raise InvalidMessage(
            f"A message is a tuple (text, frm, to) or a dictionary, not a {type(item).__name__}."
        )
    try:
        return Draft(**arguments)
    except TypeError as error:
        words = str(error).replace("Draft.__init__()", "send_text()")
        raise InvalidMessage(f"The message's arguments do not fit: {words}") from error


def _send_lot(lot: list[Draft | Exception], done: list[TextMessage]) -> None:
    drafts = [draft for draft in lot if isinstance(draft, Draft)]
    stored = in_transaction(lambda: [draft.store(attempted=False) for draft in drafts])
    reached = 0
    try:
        for draft, (message, is_new) in zip(drafts, stored, strict=True):
            reached += 1
            if is_new and _claim(message):
                _attempt(message, draft.gateway, fail_silently=draft.fail_silently)
            else:
                read_afresh(message)
            done.append(message)
    except BaseException:
        _give_up([message for message, is_new in stored[reached:] if is_new])
        raise
    for wrong in lot:
        if isinstance(wrong, Exception):
            raise wrong


def _claim(message: TextMessage) -> bool:
    """Mark a stored row as handed to the provider; False if it is not there to be sent any more."""
    message.attempted_on = timezone.now()
    waiting = rows_of(TextMessage).filter(
        pk=message.pk, status=Status.CREATED, attempted_on__isnull=True
    )
    return bool(waiting.update(attempted_on=message.attempted_on))


def _give_up(messages: list[TextMessage]) -> None:
    for message in messages:
        try:
            record_failure(message, TemporarilyUnavailable("Not sent: an earlier one raised."))
        except Exception:
            # What raised first is on its way to the caller, and the other rows want to be told too.
            logger.exception("Text %s: not sent, and not marked so", message.ref)


def _attempt(message: TextMessage, gateway: Gateway, *, fail_silently: bool) -> None:
    """Call the provider for a stored message and record what comes of it."""
    failure: TextMessageError | None = None
    try:
        result = gateway.send(_outgoing(message))
    except TextMessageError as error:
        failure = error
        # Not the words: providers quote numbers and texts in them.
        code = error.code if isinstance(error, SendError) else ""
        logger.warning("Text %s: %s (code %r)", message.ref, type(error).__name__, code)
    except Exception as error:
        failure = OutcomeUnknown(f"The backend failed with {type(error).__name__}.")
        failure.__cause__ = error
        logger.exception("Text %s: the backend %r failed", message.ref, gateway.backend)
    if failure is None:
        failure = record_answer(message, result)
    else:
        record_failure(message, failure)
    if failure is not None and not fail_silently:
        raise failure


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
        # The row's own must not change with what a backend does to its copy.
        extra=copy.deepcopy(message.extra),
    )
