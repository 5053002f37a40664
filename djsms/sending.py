"""Sending: the row first, then the call, then the answer; never twice."""

from __future__ import annotations

import copy
import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from asgiref.sync import sync_to_async
from django.db import IntegrityError
from django.utils import timezone

from djsms import addresses, gateways, numbers, segments, storable
from djsms.exceptions import (
    InvalidMessage,
    InvalidText,
    NotSupported,
    OutcomeUnknown,
    Refused,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
)
from djsms.gateways import Gateway
from djsms.models import (
    BACKEND_LENGTH,
    CODE_LENGTH,
    CURRENCY_LENGTH,
    ID_LENGTH,
    KEY_LENGTH,
    StatusEvent,
    TextMessage,
)
from djsms.reports import catch_up_message
from djsms.signals import announce
from djsms.statuses import advance, decisive
from djsms.transactions import in_transaction, read_afresh, rows_of
from djsms.types import MAX_PARTS, Encoding, OutgoingText, SendResult, Status

__all__ = ["asend_text", "record_failure", "send_text", "send_texts"]

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
    draft = _Draft(text, frm, to, status_report=status_report, using=using, extra=extra, key=key)
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


class _Draft:
    """A message whose arguments have proved right, with the gateway that is to send it."""

    def __init__(
        self,
        text: str,
        frm: str,
        to: str,
        *,
        status_report: bool,
        using: str,
        extra: Mapping[str, Any] | None,
        key: str | None,
        fail_silently: bool = True,
    ) -> None:
        self.gateway = gateways.get(using)
        if not self.gateway.supports("send"):
            raise NotSupported(f"The backend {self.gateway.backend!r} cannot send.")
        self.fail_silently = fail_silently
        encoding, count = _measured(text)
        self.message = TextMessage(
            account=using,
            backend=storable.fit(self.gateway.backend, BACKEND_LENGTH),
            frm=numbers.originator(frm),
            to=numbers.recipient(to),
            text=text,
            encoding=encoding.value,
            segments=count,
            status=Status.CREATED,
            status_report=status_report,
            extra=_extras(extra),
            key=_checked_key(key),
        )

    def store(self, *, attempted: bool) -> tuple[TextMessage, bool]:
        """Store the row; return it, or the one that has its key already, and whether it is new.

        ``attempted`` marks the row as handed to the provider: from then on it is not known what
        became of it until the answer is stored.
        """
        if attempted:
            self.message.attempted_on = timezone.now()
        try:
            in_transaction(self._insert)
        except IntegrityError:
            key = self.message.key
            first = rows_of(TextMessage).filter(key=key).first() if key else None
            if first is None:
                raise
            return first, False
        return self.message, True

    def _insert(self) -> None:
        self.message.pk = None
        self.message.save(force_insert=True)


def _drafts(messages: Iterable[Item], defaults: dict[str, Any]) -> Iterator[_Draft | Exception]:
    """Yield the drafts; a wrong message comes as its error, once all before it were dealt with."""
    read = 0
    try:
        for item in messages:
            yield _draft(item, defaults)
            read += 1
    except Exception as error:
        error.add_note(f"It is about the message at index {read}.")
        yield error


def _draft(item: Item, defaults: dict[str, Any]) -> _Draft:
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
        return _Draft(**arguments)
    except TypeError as error:
        words = str(error).replace("_Draft.__init__()", "send_text()")
        raise InvalidMessage(f"The message's arguments do not fit: {words}") from error


def _send_lot(lot: list[_Draft | Exception], done: list[TextMessage]) -> None:
    drafts = [draft for draft in lot if isinstance(draft, _Draft)]
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


def record_failure(message: TextMessage, error: TextMessageError) -> None:
    """Record that the provider's call for a stored message did not end in acceptance."""
    _record(message, [_error_event(message, error)])


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
        events = _answer_events(message, result)
        _record(message, events, currency=result.currency)
        failure = _failure_told(decisive(events))
    else:
        record_failure(message, failure)
    if failure is not None and not fail_silently:
        raise failure


def _failure_told(event: StatusEvent) -> SendError | None:
    """Return the error that parts amount to of which some were not accepted."""
    if event.status.is_failure:
        # Never one that invites another try: other parts may be out.
        return Refused(event.error_text, code=event.error_code)
    if event.status is Status.UNKNOWN:
        return OutcomeUnknown(event.error_text, code=event.error_code)
    return None


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


def _record(message: TextMessage, events: list[StatusEvent], *, currency: str = "") -> None:
    """Store the answer, announce it, and then apply the status reports that were faster."""
    ids = [event.provider_id for event in events if event.provider_id]
    parts = sum(event.number > 0 for event in events)
    price = storable.total(event.price for event in events)
    changes: dict[str, Any] = {"parts": parts} if parts else {}
    if ids:
        changes["provider_id"] = ids[0]
    if price is not None:
        changes |= {"price": price, "currency": storable.fit(currency, CURRENCY_LENGTH)}

    def store() -> frozenset[str]:
        changed = advance(message, decisive(events), **changes)
        if changed:
            for event in events:
                event.pk = None
            rows_of(StatusEvent).bulk_create(events)
        return changed

    try:
        changed = in_transaction(store, message)
    except TextMessage.DoesNotExist:
        logger.error("Text %s was deleted during its call; provider's ids: %r", message.ref, ids)
        return
    except Exception:
        logger.error("Text %s: its answer is not stored; provider's ids: %r", message.ref, ids)
        raise
    # From here on the answer is safe, whatever a receiver raises.
    try:
        if changed:
            announce(message, changed)
    finally:
        if catch_up_message(message, ids):
            read_afresh(message)


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
        status=_status_after(error),
        error_code=storable.fit(code, CODE_LENGTH),
        error_text=storable.clean_text(words),
    )


def _answer_event(
    message: TextMessage, *, number: int, status: Status, **fields: Any
) -> StatusEvent:
    # A part is answered for once; a call may be given up, and still fail in a way of its own.
    once = (number,) if number else (status, fields["error_code"])
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


def _status_after(error: TextMessageError) -> Status:
    if isinstance(error, Refused | InvalidMessage | NotSupported):
        return Status.REFUSED
    if isinstance(error, TemporarilyUnavailable):
        return Status.FAILED
    return Status.UNKNOWN


def _measured(text: str) -> tuple[Encoding, int]:
    if not isinstance(text, str):
        raise InvalidText(f"The text is not a text, but a {type(text).__name__}.")
    if not text:
        raise InvalidText("The text is empty.")
    if "\0" in text:
        raise InvalidText("The text holds a NUL character, which no text message can carry.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidText(
            f"The text holds half a surrogate pair at index {error.start}; it was cut in the "
            "middle of a character."
        ) from None
    encoding, count = segments.count(text)
    if count > MAX_PARTS:
        raise InvalidText(
            f"The text of {len(text)} characters falls into {count} segments; "
            f"a message can have {MAX_PARTS}. Shorten it."
        )
    return encoding, count


def _extras(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        raise InvalidMessage(f"extra must be a dictionary, not a {type(extra).__name__}.")
    try:
        json.dumps(dict(extra), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessage(f"extra must hold plain JSON values: {error}.") from None
    values: dict[str, Any] = storable.json_values(extra)
    return values


def _checked_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not isinstance(key, str) or not key or storable.fit(key, KEY_LENGTH) != key:
        raise InvalidMessage(f"key must be a text of 1 to {KEY_LENGTH} characters.")
    return key
