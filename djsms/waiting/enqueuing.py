"""Letting texts wait: the row is stored in the caller's transaction, and nothing is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.utils.functional import Promise

from djsms import conf
from djsms.exceptions import InvalidMessage
from djsms.ledger import clock
from djsms.ledger.statuses import SURELY_UNSENT, put_back
from djsms.ledger.transactions import database, in_transaction, read_afresh
from djsms.models import TextMessage
from djsms.observing.facts import Enqueuing
from djsms.observing.observers import around
from djsms.sending import keys
from djsms.sending.arguments import typed
from djsms.sending.drafts import Draft, draft
from djsms.sending.lots import Item, Lots
from djsms.sending.rows import store
from djsms.types import Status
from djsms.waiting import gates
from djsms.waiting.leaving import change_idle
from djsms.waiting.timing import time, wishes
from djsms.waiting.waking import wake_after_commit

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = ["aenqueue_text", "aenqueue_texts", "enqueue_text", "enqueue_texts"]

LOT = 500
TIMES = ("priority", "run_after", "window", "zone")
FIELDS = ("due_on", "expires_on", "lane", "window", "zone", "slot")


def enqueue_text(
    text: str | Promise,
    frm: str | Promise | PhoneNumber | None,
    to: str | Promise | PhoneNumber,
    fail_silently: bool = True,
    status_report: bool = False,
    *,
    using: str = "default",
    extra: Mapping[str, Any] | None = None,
    key: str | None = None,
    expires: datetime | timedelta | None = None,
    priority: str = "normal",
    run_after: datetime | timedelta | None = None,
    window: str | None = None,
    zone: str | None = None,
) -> TextMessage:
    """Store one text message that waits to be sent, and return it; ``djsms work`` sends it.

    Nothing is called. The row is stored in the transaction that is open: a rollback takes it away,
    and nothing is sent before the commit.

    ``priority`` is ``"urgent"``, ``"normal"`` or ``"bulk"``: which of an account's texts go first.
    ``run_after``, an aware ``datetime`` or a ``timedelta`` from now, is when it may go at the
    earliest. ``window`` names hours of ``DJSMS_WINDOWS`` at which alone it may go, by the clock of
    the recipient, whose time ``zone``, if it is known, is like ``"Europe/London"``; an urgent text
    goes at any hour.

    ``expires``, an aware ``datetime`` or a ``timedelta`` from when it may go, is when the text is
    worth nothing any more, and ends as ``expired``. Without it the account's ``LIFETIME`` holds,
    else 10 minutes for an urgent text, 4 hours for a normal one, and 24 hours for bulk.

    ``key`` makes the call idempotent: the message that has the key is returned. If that surely did
    not go out, it waits again. The other arguments, and what is raised, are as for ``send_text``;
    a priority or a zone that there is not, and a zone without a window, are a ``ValueError``.
    """
    now = clock.now()
    facts = Enqueuing(account=using, priority=priority)
    with around(facts):
        message = _enqueued(
            now,
            text=text,
            frm=frm,
            to=to,
            fail_silently=fail_silently,
            status_report=status_report,
            using=using,
            extra=extra,
            key=key,
            expires=expires,
            priority=priority,
            run_after=run_after,
            window=window,
            zone=zone,
        )
        facts.count = int(message.due_on is not None)
    return message


async def aenqueue_text(
    text: str | Promise,
    frm: str | Promise | PhoneNumber | None,
    to: str | Promise | PhoneNumber,
    fail_silently: bool = True,
    status_report: bool = False,
    *,
    using: str = "default",
    extra: Mapping[str, Any] | None = None,
    key: str | None = None,
    expires: datetime | timedelta | None = None,
    priority: str = "normal",
    run_after: datetime | timedelta | None = None,
    window: str | None = None,
    zone: str | None = None,
) -> TextMessage:
    """As ``enqueue_text``, for asynchronous code."""
    return await sync_to_async(enqueue_text)(
        text,
        frm,
        to,
        fail_silently,
        status_report,
        using=using,
        extra=extra,
        key=key,
        expires=expires,
        priority=priority,
        run_after=run_after,
        window=window,
        zone=zone,
    )


def enqueue_texts(
    messages: Iterable[Item],
    *,
    using: str = "default",
    fail_silently: bool = True,
    status_report: bool = False,
    expires: datetime | timedelta | None = None,
    priority: str = "bulk",
    run_after: datetime | timedelta | None = None,
    window: str | None = None,
    zone: str | None = None,
) -> int:
    """Store many messages that wait to be sent; return the number of those that wait.

    ``messages`` are tuples ``(text, frm, to)`` or dictionaries of the arguments of
    ``enqueue_text``, which then count for that message. They are read lazily and stored in lots of
    500, each in a transaction of its own, unless one is open. ``post_save`` is sent for each.

    One that is refused is stored as ``refused``, and does not count. If one raises, those before it
    are stored and those after it are not; what was raised tells which one it was. Of the lot of one
    with a slip, a ``TypeError`` or a ``ValueError``, nothing is stored.
    """
    defaults = {
        "using": using,
        "fail_silently": fail_silently,
        "status_report": status_report,
        "expires": expires,
        "priority": priority,
        "run_after": run_after,
        "window": window,
        "zone": zone,
    }
    now = clock.ticking()
    lots = Lots(messages, defaults, make=lambda **given: _draft(now(), **given), size=LOT)
    count = 0
    facts = Enqueuing(account=using, priority=priority)
    with around(facts):
        while turns := lots.store_next():
            placed = [_placed(turn.new, turn.message, turn.is_new) for turn in turns]
            _tell_after_commit(placed, now())
            count += sum(message.due_on is not None for message in placed)
            facts.count = count
    if lots.error is not None:
        raise lots.error
    return count


aenqueue_texts = sync_to_async(enqueue_texts)


def _enqueued(now: datetime, **given: Any) -> TextMessage:
    new = _draft(now, **given)
    message = _placed(new, *store(new))
    _tell_after_commit([message], now)
    return message


def _draft(now: datetime, **given: Any) -> Draft:
    """Return the message that the arguments make, timed; or refused, as ``drafts.draft`` does."""
    expires = given.pop("expires")
    wanted = wishes(expires=expires, **{name: given.pop(name) for name in TIMES})
    new = draft(typed(**given, expires=None))
    if new.error is None:
        try:
            time(new.message, new.gateway.limits, wanted, now)
        except InvalidMessage as error:
            new.refuse(error)
        else:
            new.message.slot = gates.slot_of(new.message.frm, new.gateway.limits)
    return new


def _placed(new: Draft, message: TextMessage, is_new: bool) -> TextMessage:
    """Return the message that waits for a draft that is stored: its own, or that of its key."""
    if is_new:
        return message
    reused = keys.difference(new.message, message)
    if reused is not None:
        new.message.key = None
        new.refuse(reused)
        return store(new)[0]
    if new.error is None:
        _let_wait_again(message, new)
    return message


def _let_wait_again(first: TextMessage, new: Draft) -> None:
    """Let the message that has the key wait, if it surely did not go out and does not wait yet."""
    times = {name: getattr(new.message, name) for name in FIELDS}
    # Another account may have taken over from the one that was asked for.
    times["slot"] = gates.slot_of(first.frm, conf.account(first.account))
    if first.status is Status.FAILED and first.error_kind in SURELY_UNSENT:
        waits = put_back(first, **times)
    elif first.status is Status.CREATED and first.attempted_on is None and first.due_on is None:
        waits = in_transaction(lambda: change_idle(first, **times))
    else:
        return
    if not waits:
        # Somebody else was faster with it.
        read_afresh(first)


def _tell_after_commit(messages: Iterable[TextMessage], now: datetime) -> None:
    waiting = [message for message in messages if message.due_on]
    slots = {(message.account, message.slot) for message in waiting}
    if slots:
        # Robust, since what is stored is stored, whatever becomes of those who are told.
        # A function, since Django names in its log what failed, and a partial has no name.
        transaction.on_commit(lambda: gates.provide(slots), using=database(), robust=True)
    wake_after_commit({message.account for message in waiting if _is_due(message, now)})


def _is_due(message: TextMessage, now: datetime) -> bool:
    return message.due_on is not None and clock.aware(message.due_on) <= now
