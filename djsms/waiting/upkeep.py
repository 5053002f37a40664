"""What the queue needs every minute, whoever sends."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured

from djsms import conf
from djsms.calling.interruptions import is_interruption
from djsms.exceptions import OutcomeUnknown
from djsms.ledger import clock
from djsms.ledger.statuses import lock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import Gate, TextMessage, Worker
from djsms.observing.facts import GivenUp
from djsms.observing.observers import around
from djsms.sending.outcomes import record_failure
from djsms.types import Status
from djsms.waiting import gates, leaving
from djsms.waiting.presence import GONE
from djsms.waiting.queued import under_way

__all__ = ["give_up", "give_up_calls_of_the_dead", "keep_up"]

logger = logging.getLogger("djsms")

# Of an account, at one time: a worker has other things to do as well.
LOTS = 100


def keep_up() -> int:
    """Put gates and slots in order, and end what waits and is over; return how many that were.

    What goes wrong with one account is logged, and keeps no other from it.
    """
    expired = 0
    for alias in _accounts():
        try:
            expired += _keep_up(alias)
        except Exception as error:
            if is_interruption(error):
                raise
            logger.exception("The queue of the account %s could not be put in order", alias)
    return expired


def give_up_calls_of_the_dead() -> int:
    """Mark as unknown what workers were calling for that are not seen any more; return how many.

    Nobody calls for it again.
    """
    gone = clock.stored(clock.now() - GONE)
    ids = list(rows_of(Worker).filter(seen_on__lt=gone).values_list("id", flat=True))
    if not ids:
        return 0
    words = "The worker died during the call to the provider."
    calls = [call for alias in _accounts() for call in under_way(alias).filter(worker__in=ids)]
    count = 0
    for call in calls:
        try:
            count += give_up(call, words)
        except Exception as error:
            if is_interruption(error):
                raise
            # It is tried again like any other call that never came back.
            logger.exception("Text %s: its call could not be given up", call.ref)
    rows_of(Worker).filter(id__in=ids, seen_on__lt=gone).delete()
    return count


def give_up(message: TextMessage, words: str) -> bool:
    """Mark a text as unknown whose call never came back; False if it is not in flight any more."""
    # By its time, since the number of an attempt that was given back comes again.
    attempted_on = message.attempted_on

    def mark() -> bool:
        lock(message)
        is_same = message.attempted_on == attempted_on and message.due_on is None
        if message.status is not Status.CREATED or message.attempted_on is None or not is_same:
            return False
        record_failure(message, OutcomeUnknown(words))
        return True

    is_given_up = in_transaction(mark)
    if is_given_up:
        logger.warning("Text %s: unknown. %s Nobody calls for it again.", message.ref, words)
        with around(GivenUp(account=message.account, backend=message.backend)):
            pass
    return is_given_up


def _accounts() -> Iterator[str]:
    """Yield the accounts that have, or had, texts that wait; the settings may have lost some."""
    yield from rows_of(Gate).filter(slot="").order_by("account").values_list("account", flat=True)


def _keep_up(alias: str) -> int:
    try:
        by_originator = conf.account(alias).originator_rate is not None
    except ImproperlyConfigured:
        by_originator = False
    gates.align(alias, by_originator=by_originator)
    expired = 0
    for _ in range(LOTS):
        lot = leaving.expire_lot(alias)
        expired += lot
        if not lot:
            break
    return expired
