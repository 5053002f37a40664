"""What a person can do about a message that has not simply arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from djsms.admin import permissions
from djsms.admin.actions.cancelling import cancel
from djsms.admin.actions.refreshing import ask_provider, unaskable
from djsms.admin.actions.resending import send_again
from djsms.ledger.transactions import rows_of
from djsms.models import TextMessage
from djsms.types import Status

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["NextStep", "next_steps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """One thing to do, in words, with the button for it if the person may do it."""

    words: str
    action: str = ""
    """The action's name; empty if there is nothing to press."""
    button: str = ""
    message: TextMessage | None = None
    """Another message to look at instead."""


def next_steps(message: TextMessage, request: HttpRequest) -> list[NextStep]:
    """Return what can be done about an outgoing message, in the order in which to try it."""
    if message.erased_on is not None:
        words = _("It was erased: it counts, and can be neither read nor sent again.")
        return [NextStep(words=words)]
    if message.direction != TextMessage.Direction.OUTGOING:
        return []
    newer = rows_of(TextMessage).filter(resend_of=message).first()
    if newer is not None:
        return [NextStep(words=_("It was sent again, as a new message:"), message=newer)]
    if message.due_on is not None:
        return [_cancelling(request)]
    if message.status is Status.CREATED and message.attempted_on is None:
        return [_stranded(request)]
    if message.status is Status.UNKNOWN:
        return [_waiting(message), _asking(message, request), _deciding(request)]
    if message.status in (Status.SENDING, Status.SENT):
        return [] if unaskable(message) else [_asking(message, request)]
    if message.status.is_failure:
        return [_resending(message, request)]
    return []


def _waiting(message: TextMessage) -> NextStep:
    if message.status_report:
        return NextStep(
            words=_("Wait: a status report was asked for, and settles it, usually within minutes.")
        )
    return NextStep(
        words=_("No status report was asked for: unless somebody asks, it stays as it is.")
    )


def _asking(message: TextMessage, request: HttpRequest) -> NextStep:
    problem = unaskable(message)
    if problem:
        ref = _("It knows the message by its number and time, or as %(ref)s.")
        return NextStep(words=f"{problem} {ref % {'ref': message.ref}}")
    return _step(
        permissions.may_ask(request),
        _("Ask the provider how it stands: that costs nothing, and sends nothing."),
        ask_provider,
        _("Ask the provider"),
    )


def _deciding(request: HttpRequest) -> NextStep:
    return _step(
        permissions.may_send_again(request),
        _("Decide: if twice is better than never, send it again as a new message."),
        send_again,
        _("Send again"),
    )


def _resending(message: TextMessage, request: HttpRequest) -> NextStep:
    if message.status is Status.FAILED and message.error_kind:
        words = _("It surely did not go out: it can be sent again, as a new message.")
    else:
        words = _("Once what kept it from arriving is put right, it can be sent again.")
    return _step(permissions.may_send_again(request), words, send_again, _("Send again"))


def _stranded(request: HttpRequest) -> NextStep:
    words = _(
        "Its turn to be sent has not come. If the process that was to send it is gone, send it "
        "again: it surely did not go out."
    )
    return _step(permissions.may_send_again(request), words, send_again, _("Send again"))


def _cancelling(request: HttpRequest) -> NextStep:
    return _step(
        permissions.may_control(request),
        _("It waits to be sent. Until then it can be taken back."),
        cancel,
        _("Cancel it"),
    )


def _step(is_allowed: bool, words: str, action: Any, button: str) -> NextStep:
    if not is_allowed:
        return NextStep(words=words)
    return NextStep(words=words, action=action.__name__, button=button)
