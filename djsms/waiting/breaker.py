"""What the outcome of a call does to the account's gate.

A provider that hangs must not turn a queue into unknown outcomes, and wrong credentials must not
have the next fifty thousand texts refused: either closes the account for a while, longer each time,
and then one text tries whether it may open again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop

from djsms.ledger import clock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import Gate, TextMessage
from djsms.waiting import gates
from djsms.waiting.schedule import seconds_asked_for

__all__ = ["DENIALS", "THROTTLES", "denied", "failed", "passed", "throttled", "untried"]

logger = logging.getLogger("djsms")

DENIALS = {
    "AuthenticationFailed": gettext_noop(
        "The provider does not take the credentials: AuthenticationFailed."
    ),
    "InsufficientFunds": gettext_noop(
        "The provider says that the credit is used up: InsufficientFunds."
    ),
}
"""The kinds of error by which a provider turns a text away for the account's sake, in words."""
THROTTLES = gettext_noop("The provider throttles.")

# Calls in a row that fail until the account closes.
FAILURES = 5
FAILED_FOR = timedelta(seconds=30), timedelta(minutes=5)
DENIED_FOR = timedelta(minutes=1), timedelta(minutes=15)
THROTTLED_FOR = 10.0  # seconds, if the provider says none


def passed(alias: str) -> None:
    """The provider answered, and not for the account's sake: what it had closed opens."""
    troubled = rows_of(Gate).filter(
        Q(failures__gt=0) | Q(closings__gt=0) | ~Q(denied=""), account=alias, slot=""
    )

    def clear() -> None:
        for gate in troubled:
            opened = {"closed_until": None, "reason": ""} if gate.closings else {}
            _write(gate, failures=0, closings=0, denied="", **opened)

    in_transaction(clear)


def failed(alias: str, kind: str, *, is_probe: bool) -> None:
    """The call failed, and perhaps every other would."""

    def count() -> None:
        gate, moment = gates.lock(alias), clock.now()
        failures = gate.failures + 1
        changes: dict[str, Any] = {"failures": failures}
        # Calls that were under way when it closed must not prolong it.
        if is_probe or (failures >= FAILURES and not gates.is_shut(gate, moment)):
            reason = f"{failures} calls in a row failed, the last by {kind}"
            changes |= _closed(gate, moment, FAILED_FOR, reason)
        _write(gate, **changes)

    in_transaction(count)


def throttled(alias: str, retry_after: float | None) -> None:
    """The provider wants no more for a while; that is no failure."""
    asked = seconds_asked_for(retry_after)
    pause = timedelta(seconds=THROTTLED_FOR if asked is None else asked)

    def close() -> None:
        gate, moment = gates.lock(alias), clock.now()
        until = moment + pause
        if gate.closed_until is not None:
            until = max(until, clock.aware(gate.closed_until))
        _write(gate, closed_until=clock.stored(until), reason=THROTTLES)

    in_transaction(close)


def denied(alias: str, message: TextMessage, kind: str, *, is_probe: bool) -> bool:
    """The provider turned the text away for the account's sake; return whether it may go again.

    One alone may be at fault itself. A second one closes the account; but a text that is turned
    away again, while others passed, is refused for good.
    """

    def weigh() -> bool:
        gate, moment = gates.lock(alias), clock.now()
        if message.error_kind in DENIALS and not gate.denied:
            return False
        changes: dict[str, Any] = {"denied": message.ref}
        is_second = gate.denied not in ("", message.ref)
        if is_probe or (is_second and not gates.is_shut(gate, moment)):
            changes |= _closed(gate, moment, DENIED_FOR, DENIALS[kind])
        _write(gate, **changes)
        return True

    return in_transaction(weigh)


def untried(alias: str) -> None:
    """The text that was to try the provider did not reach it: another one may at once."""

    def open_up() -> None:
        gate = gates.lock(alias)
        _write(gate, closed_until=clock.stored(clock.now()))

    in_transaction(open_up)


def _closed(
    gate: Gate, moment: datetime, bounds: tuple[timedelta, timedelta], reason: str
) -> dict[str, Any]:
    first, longest = bounds
    pause = min(first * 2 ** min(gate.closings, 10), longest)
    # Once, and not with each probe: whoever is woken by errors knows by then.
    level = logging.INFO if gate.closings else logging.ERROR
    logger.log(level, "The account %s is closed for %s: %s", gate.account, pause, reason)
    closings = gate.closings + 1
    until = clock.stored(moment + pause)
    return {"closings": closings, "closed_until": until, "reason": reason}


def _write(gate: Gate, **changes: Any) -> None:
    if gate.paused_on is not None:
        # Somebody's reason for the pause is not overwritten.
        changes.pop("reason", None)
    rows_of(Gate).filter(pk=gate.pk).update(**changes)
