"""A shift: the bounded drain that an engine's task is. And the sweep, which starts them."""

from __future__ import annotations

import logging
import time

from djsms.accounts import engines
from djsms.ledger import clock
from djsms.waiting.drains import sending_gateways, work_off
from djsms.waiting.queued import is_any_due, waiting

__all__ = ["SECONDS", "TEXTS", "drain_bounded", "wake_due"]

logger = logging.getLogger("djsms")

TEXTS = 200
SECONDS = 25.0
# So many texts show whether the account's rate, or nothing but the provider's pace, is the limit.
TRIAL = 10


def drain_bounded(account: str) -> int:
    """Send what is due of an account, for 25 seconds or 200 texts at most; return how many.

    This is what an engine's task does. A call that is under way then is not broken off.

    If more is due at the end the engine is woken again. If it is more than this can send, and no
    rate holds it back, the engine is woken at the beginning as well, so that others help: each
    of them only once it runs, and so never more of them than there is room for.
    Raises the errors of the account's configuration.
    """
    end = time.monotonic() + SECONDS
    drained = work_off(account, limit=TRIAL, seconds=SECONDS)
    calls = drained.calls
    if calls == TRIAL:
        if not drained.has_waited and _is_more_due(account):
            engines.bell().ring(account)
        calls += work_off(account, limit=TEXTS - TRIAL, seconds=end - time.monotonic()).calls
    is_broken_off = calls == TEXTS or time.monotonic() >= end
    if is_broken_off and is_any_due(account, clock.now()):
        engines.bell().ring(account)
    return calls


def wake_due() -> list[str]:
    """Wake the engine for each account that has texts due; return the aliases of those."""
    moment = clock.now()
    aliases = [gateway.alias for gateway in sending_gateways()]
    due = [alias for alias in aliases if is_any_due(alias, moment)]
    for alias in due:
        engines.bell().ring(alias)
    return due


def _is_more_due(account: str) -> bool:
    due = waiting(account).filter(due_on__lte=clock.stored(clock.now()))
    return due[: TEXTS + 1].count() > TEXTS
