"""Sending a message once more, as a new one that names the old."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import translation
from django.utils.translation import gettext as _

from djsms.accounts.gateways import Gateway
from djsms.ledger.statuses import advance, lock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import StatusEvent, TextMessage
from djsms.sending.arguments import typed
from djsms.sending.drafts import draft
from djsms.sending.now import attempts, begin, finish
from djsms.types import Status

__all__ = ["obstacle", "resend_text"]


def resend_text(
    message: TextMessage,
    *,
    using: str | None = None,
    fail_silently: bool = True,
    expires: datetime | timedelta | None = None,
) -> TextMessage:
    """Send an outgoing message again, and return the new one: its ``resend_of`` is the old.

    Text, sender, recipient, ``extra`` and ``status_report`` are the old message's, and so is the
    account unless ``using`` names another. The other arguments are those of ``send_text``.

    Nobody knows of an ``unknown`` message whether it arrived, so it is for a person to decide that
    twice is better than never. One whose turn never came ends as ``cancelled``, and goes out as the
    new one alone.

    Raises ``ValueError``, silent or not, for a message that is not to be sent again: an incoming
    one, one that waits or is under way, and one that was sent again before; the newer one can be.
    """
    _require_message(message)
    arguments = typed(
        text=message.text,
        frm=message.frm or None,
        to=message.to,
        fail_silently=fail_silently,
        status_report=message.status_report,
        using=message.account if using is None else using,
        extra=message.extra,
        key=None,
        expires=expires,
    )

    def store() -> tuple[TextMessage, Gateway | None]:
        # Two people who press the button at once must not send it twice.
        lock(message)
        with translation.override("en"):
            problem = obstacle(message)
        if problem:
            raise ValueError(problem)
        if message.status is Status.CREATED:
            advance(message, StatusEvent(status=Status.CANCELLED))
        return begin(draft(arguments, resend_of=message))

    new, gateway = in_transaction(store)
    if gateway is not None:
        finish(new, attempts(gateway, new), fail_silently=fail_silently)
    return new


def obstacle(message: TextMessage) -> str:
    """Return why a message is not to be sent again, in the current language; empty if it can be."""
    if message.direction != TextMessage.Direction.OUTGOING:
        return _("An incoming message is not ours to send.")
    if message.erased_on is not None:
        return _("The message was erased: neither its text nor its recipient is kept.")
    if message.due_on is not None:
        return _("The message waits to be sent; cancel it first.")
    if message.status is Status.CREATED and message.attempted_on is not None:
        return _("The message is under way: the call to the provider has not ended yet.")
    newer = rows_of(TextMessage).filter(resend_of=message).first()
    if newer is not None:
        words = _("The message was sent again before, as %(ref)s; that one can be sent again.")
        return words % {"ref": newer.ref}
    return ""


def _require_message(message: object) -> None:
    if not isinstance(message, TextMessage):
        raise TypeError(f"message must be a TextMessage, not {type(message).__name__}.")
    if message._state.adding:
        raise ValueError("The message is not stored, so it was never sent: use send_text.")
