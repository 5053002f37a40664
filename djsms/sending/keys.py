"""What a second call with an idempotency key does with the row that has the key."""

from __future__ import annotations

from datetime import datetime

from djsms import conf, exceptions
from djsms.accounts.originators import is_own_originator
from djsms.exceptions import KeyReused, SendError, TextMessageError
from djsms.ledger.statuses import SURELY_UNSENT, put_back
from djsms.ledger.transactions import read_afresh
from djsms.models import TextMessage
from djsms.sending.attempts import claim
from djsms.types import Status

__all__ = ["claim_again", "difference", "ending"]


def difference(message: TextMessage, first: TextMessage) -> KeyReused | None:
    """Return why a message is another one than the first with its key; None if it is the same.

    An account that took over from the one asked for does not make it another one. What has been
    erased of the first cannot be compared, and counts as the same: it is not sent again either way.
    """
    is_erased = first.erased_on is not None
    others = [
        name
        for name, is_same in {
            "text": is_erased or message.text == first.text,
            "sender": is_erased or _has_sender_of(message, first),
            "recipient": is_erased or message.to == first.to,
            "account": first.account in (message.account, *conf.fallbacks(message.account)),
        }.items()
        if not is_same
    ]
    if not others:
        return None
    return KeyReused(
        f"The key belongs to a message with another {' and another '.join(others)} "
        f"({first.ref}). Each message needs a key of its own."
    )


def _has_sender_of(message: TextMessage, first: TextMessage) -> bool:
    """Return whether a message has the first one's originator, whoever took over since."""
    if message.frm == first.frm:
        return True
    # An account that takes over puts its own in the place of another's own, and may have had to
    # name one where the provider was to choose.
    is_taken_over = message.account != first.account
    is_own = is_own_originator(message.account, message.frm)
    return not message.frm or (
        is_taken_over and is_own and is_own_originator(first.account, first.frm)
    )


def claim_again(first: TextMessage, *, expires_on: datetime | None) -> bool:
    """Claim the row that has the key, if it never went out; else read it as it is now.

    It never went out if it waits, or its turn never came, or the provider surely did not take it.
    ``expires_on`` is until when the second call wants it sent, if it says so.
    """
    is_unsent = first.status is Status.FAILED and first.error_kind in SURELY_UNSENT
    if is_unsent and not put_back(first):
        read_afresh(first)
    if first.status is not Status.CREATED:
        return False
    first.expires_on = expires_on or first.expires_on
    return claim(first)


def ending(first: TextMessage) -> TextMessageError | None:
    """Return the error that the message ended with, if its call did not end in acceptance."""
    if not (first.status.is_failure or first.status is Status.UNKNOWN):
        return None
    kind = getattr(exceptions, first.error_kind, None) if first.error_kind else None
    if not (isinstance(kind, type) and issubclass(kind, TextMessageError)):
        return None
    if issubclass(kind, SendError):
        return kind(first.error_text, code=first.error_code)
    return kind(first.error_text)
