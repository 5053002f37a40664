"""What becomes of a claimed text, by the outcome of its attempt: the end, or another try."""

from __future__ import annotations

import logging
from datetime import timedelta

from djsms.accounts import gateways
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.ledger import clock
from djsms.ledger.statuses import kind_of, put_back
from djsms.ledger.transactions import read_afresh
from djsms.models import TextMessage
from djsms.sending.attempts import Outcome, record
from djsms.types import Status
from djsms.waiting import breaker, gates, leaving
from djsms.waiting.fallback import hand_over, next_account
from djsms.waiting.hours import is_over
from djsms.waiting.schedule import pause_before, seconds_asked_for

__all__ = ["settle"]

logger = logging.getLogger("djsms")


def settle(message: TextMessage, outcome: Outcome, *, is_probe: bool, is_clean: bool) -> bool:
    """Record the outcome with the text and with its account's gate.

    ``is_clean`` says that the gate is known to have no failures, which a success would clear.
    Returns whether it still has none. Harmless if it is called again for the same outcome.
    """
    alias, error = message.account, outcome.error
    if isinstance(error, AuthenticationFailed | InsufficientFunds):
        if breaker.denied(alias, message, kind_of(error), is_probe=is_probe):
            _retry(message, error, outcome)
        else:
            record(message, outcome)
        return False
    if isinstance(error, Throttled):
        breaker.throttled(alias, error.retry_after)
        _retry(message, error, outcome)
        return is_clean
    if isinstance(error, TemporarilyUnavailable):
        breaker.failed(alias, kind_of(error), is_probe=is_probe)
        _retry(message, error, outcome)
        return False
    if isinstance(error, OutcomeUnknown):
        breaker.failed(alias, kind_of(error), is_probe=is_probe)
        record(message, outcome)
        return False
    # Our own no, or the backend's, is none of the provider's: it was not asked.
    has_answered = error is None or isinstance(error, Refused)
    # The gate first: what a receiver of the text's raises must not keep it shut.
    if has_answered and not is_clean:
        breaker.passed(alias)
    elif not has_answered and is_probe:
        breaker.untried(alias)
    record(message, outcome)
    return has_answered or is_clean


def _retry(message: TextMessage, error: SendError, outcome: Outcome) -> None:
    """Let the text wait again, as the schedule has it, or for the account that takes over."""
    now, pause = clock.now(), pause_before(message.attempts)
    asked = timedelta(seconds=seconds_asked_for(error.retry_after) or 0)
    if not put_back(message, error, due_on=clock.stored(now + max(pause, asked))):
        _too_late(message, outcome)
    elif other := next_account(message):
        hand_over(message, other)
    elif is_over(message, now + pause):
        # By our own schedule alone: a provider that asks for too much must not end what waits, and
        # what has a key may still be sent by it.
        leaving.expire([message])
    elif slot := gates.slot_of(message.frm, gateways.get(message.account).limits):
        leaving.move([(message, {"slot": slot})])


def _too_late(message: TextMessage, outcome: Outcome) -> None:
    """Take note of a sure no to a text that is not in flight any more.

    One that was given up as unknown ends by it. One that a report has moved on is out, whatever
    the answer says; and one that waits again is that of another try of ours.
    """
    read_afresh(message)
    if message.status is Status.UNKNOWN:
        record(message, outcome)
