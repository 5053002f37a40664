"""What the queue needs every minute, whoever sends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

from django.core.exceptions import ImproperlyConfigured

from djsms import conf
from djsms.exceptions import OutcomeUnknown
from djsms.ledger import clock
from djsms.ledger.statuses import lock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import Gate, TextMessage, Worker
from djsms.sending import gates, leaving
from djsms.sending.outcomes import record_failure
from djsms.sending.presence import GONE
from djsms.sending.waiting import under_way
from djsms.types import Status

__all__ = ["keep_up"]

logger = logging.getLogger("djsms")

# Of an account, at one time: a worker has other things to do as well.
LOTS = 100


def keep_up() -> None:
    """Put the gates and slots in order, end what is over, give up the calls of dead workers.

    What goes wrong with one account is logged, and keeps no other from it.
    """
    for alias in _accounts():
        try:
            _keep_up(alias)
        except Exception:
            logger.exception("The queue of the account %s could not be put in order", alias)
    give_up_calls_of_the_dead()


def give_up_calls_of_the_dead() -> int:
    """Mark as unknown what workers were calling for that have not been seen since; return how many.

    Nobody calls for it again.
    """
    dead = rows_of(Worker).filter(seen_on__lt=clock.stored(clock.now() - GONE))
    ids = list(dead.values_list("id", flat=True))
    if not ids:
        return 0
    count = 0
    for alias in _accounts():
        for message in under_way(alias).filter(worker__in=ids):
            count += in_transaction(partial(_give_up, message))
    rows_of(Worker).filter(id__in=ids, seen_on__lt=clock.stored(clock.now() - GONE)).delete()
    return count


def _accounts() -> Iterator[str]:
    """Yield the accounts that have, or had, texts that wait; the settings may have lost some."""
    yield from rows_of(Gate).filter(slot="").order_by("account").values_list("account", flat=True)


def _keep_up(alias: str) -> None:
    try:
        limits = conf.account(alias)
    except ImproperlyConfigured:
        limits = None
    gates.align(alias, by_originator=limits is not None and limits.originator_rate is not None)
    for _ in range(LOTS):
        if not leaving.sweep(alias):
            break


def _give_up(message: TextMessage) -> bool:
    attempts = message.attempts
    lock(message)
    is_ours = message.attempts == attempts and message.due_on is None
    if message.status is not Status.CREATED or message.attempted_on is None or not is_ours:
        return False
    record_failure(message, OutcomeUnknown("The worker died during the call to the provider."))
    return True
