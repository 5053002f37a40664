"""Sending one text now: the row first, then the call, then the answer; never twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.utils.functional import Promise
from django.views.decorators.debug import sensitive_variables

from djsms.accounts import gateways
from djsms.accounts.gateways import Gateway
from djsms.models import TextMessage
from djsms.sending import keys, threads
from djsms.sending.arguments import Arguments, typed
from djsms.sending.attempts import Outcome, attempt, attempt_in_thread, record
from djsms.sending.drafts import Draft, draft
from djsms.sending.rows import store, store_attempted
from djsms.waiting.fallback import pass_on

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = ["asend_text", "attempts", "begin", "finish", "send_text", "take_over"]


@sensitive_variables()
def send_text(
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
) -> TextMessage:
    """Store one text message, hand it to the provider and return it with the provider's answer.

    ``text`` may be long: it is then sent, and charged, as several segments, up to 255.
    ``frm`` is the originator: an international number with ``+``, a short code of 3 to 8 digits,
    or a name of up to 11 characters; None is the account's ``FROM``. ``to`` is an international
    number with ``+``.

    With ``fail_silently`` what goes wrong is only to be read from the message that is returned
    (``status``, ``error_kind``, ``error_code``, ``error_text``); one with a wrong number or text is
    stored as ``refused``. Without, it is raised as a ``TextMessageError``, and what is refused
    before the call is not stored. A value of a wrong type is a ``TypeError`` always, and wrong
    settings are an ``ImproperlyConfigured``.

    ``status_report`` asks the provider to report how the message fares. ``using`` is the alias of
    the account. ``extra`` holds what only this provider knows. ``expires``, an aware ``datetime``
    or a ``timedelta`` from now, is when the text is worth nothing any more.

    ``key`` makes the call idempotent: another call for the same text with this key returns the same
    message, and sends it only if it surely has not gone out yet. For another text the key is
    refused, by ``KeyReused``.

    Call it outside of transactions, in ``transaction.on_commit`` for instance: a rollback would
    take away the row of a message that is on its way.
    """
    arguments = typed(
        text=text,
        frm=frm,
        to=to,
        fail_silently=fail_silently,
        status_report=status_report,
        using=using,
        extra=extra,
        key=key,
        expires=expires,
    )
    new = draft(arguments)
    message, gateway = begin(new)
    if gateway is not None:
        finish(message, attempts(gateway, message), fail_silently=new.fail_silently)
    return message


@sensitive_variables()
async def asend_text(
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
) -> TextMessage:
    """As ``send_text``, for asynchronous code: the event loop goes on meanwhile.

    The rows are written in Django's thread for the database, and the provider is called in another,
    so that calls overlap under ``asyncio.gather``. Cancelled during the call, it ends when that has
    ended and its outcome is recorded.
    """
    arguments = typed(
        text=text,
        frm=frm,
        to=to,
        fail_silently=fail_silently,
        status_report=status_report,
        using=using,
        extra=extra,
        key=key,
        expires=expires,
    )
    stop = threads.Stop()
    return await threads.to_its_end(_send(arguments, stop), stop.set)


async def _send(arguments: Arguments, stop: threads.Stop) -> TextMessage:
    message, gateway, may_leave = await sync_to_async(_begin)(arguments, stop)
    if gateway is not None:
        call = (
            sync_to_async(attempt_in_thread, thread_sensitive=False, executor=threads.executor())
            if may_leave
            else sync_to_async(attempt)
        )
        outcome = await call(gateway, message)
        while (other := await sync_to_async(pass_on)(message, outcome)) is not None:
            outcome = await call(other, message)
        await sync_to_async(finish)(message, outcome, fail_silently=arguments.fail_silently)
    return message


def _begin(arguments: Arguments, stop: threads.Stop) -> tuple[TextMessage, Gateway | None, bool]:
    stop.check()
    message, gateway = begin(draft(arguments))
    return message, gateway, gateway is not None and threads.may_leave(gateway)


def attempts(gateway: Gateway, message: TextMessage) -> Outcome:
    """Attempt a message that is marked, also by the accounts that take over; return the end."""
    outcome = attempt(gateway, message)
    while (other := pass_on(message, outcome)) is not None:
        outcome = attempt(other, message)
    return outcome


def begin(new: Draft) -> tuple[TextMessage, Gateway | None]:
    """Store a draft's row, marked as attempted; return it, and the gateway to call for it.

    None is to be called if the draft is refused, or has the key of a message that does not go out
    again.
    """
    if new.error is not None:
        first, is_new = store(new)
        return (first, None) if is_new else take_over(new, first)
    message, is_new = store_attempted(new)
    return (message, new.gateway) if is_new else take_over(new, message)


def take_over(new: Draft, first: TextMessage) -> tuple[TextMessage, Gateway | None]:
    """Return the same as ``begin`` for a draft whose key a stored row has already."""
    reused = keys.difference(new.message, first)
    if reused is not None:
        new.message.key = None
        new.refuse(reused)
        message, _ = store(new)
        return message, None
    if new.error is None and keys.claim_again(first, expires_on=new.message.expires_on):
        # Another account may have taken over from the one that was asked for.
        return first, gateways.get(first.account)
    error = keys.ending(first)
    if error is not None and not new.fail_silently:
        raise error
    return first, None


def finish(message: TextMessage, outcome: Outcome, *, fail_silently: bool) -> None:
    """Record how the call for a message ended, and raise its error if it is to be raised.

    What ended the call from outside is raised always.
    """
    error = record(message, outcome)
    if outcome.interruption is not None:
        raise outcome.interruption
    if error is not None and not fail_silently:
        raise error
