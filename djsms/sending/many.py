"""Sending many texts now: the rows by the calling thread, several calls at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, wait
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.views.decorators.debug import sensitive_variables

from djsms.conf import MAX_CONCURRENCY
from djsms.models import TextMessage
from djsms.sending import threads
from djsms.sending.batches import Batch
from djsms.sending.lots import Item, Lots
from djsms.sending.signals import Strikes

__all__ = ["asend_texts", "send_texts"]


@sensitive_variables()
def send_texts(
    messages: Iterable[Item],
    *,
    using: str = "default",
    fail_silently: bool = True,
    status_report: bool = False,
    expires: datetime | timedelta | None = None,
    concurrency: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> list[TextMessage]:
    """Send many messages, each as by ``send_text``, and return them in order.

    ``messages`` are tuples ``(text, frm, to)`` or dictionaries of the arguments of ``send_text``,
    which then count for that message. They are read lazily, and their rows stored lot by lot; one
    of a wrong type is a ``TypeError`` that names its index, and nothing of its lot is stored.

    ``concurrency`` is how many calls to the provider may be under way at once, in threads; by
    default as many as the backend has connections for, its ``pool_size``, or else one. It is never
    more than the account's ``CONCURRENCY``. The database is used by the calling thread alone.
    ``progress`` is called after each message with the number of those that are dealt with.

    Whatever ends it early, an error that is raised or Ctrl-C: calls under way end and are recorded,
    and rows whose turn did not come stay ``created``, to be sent by the same keys, or resent. A
    second Ctrl-C waits for no call; those under way are then of unknown outcome. What is raised
    tells by a note how many were dealt with.
    """
    defaults = {
        "using": using,
        "fail_silently": fail_silently,
        "status_report": status_report,
        "expires": expires,
    }
    strikes = Strikes()
    batch = _batch(messages, defaults, concurrency, progress, check=strikes.check)
    with strikes.held_back():
        try:
            while calls := batch.step():
                with strikes.let_through():
                    wait(calls, return_when=FIRST_COMPLETED)
        except BaseException as error:
            batch.give_up(error)
            raise
        finally:
            batch.close()
    return batch.messages


@sensitive_variables()
async def asend_texts(
    messages: Iterable[Item],
    *,
    using: str = "default",
    fail_silently: bool = True,
    status_report: bool = False,
    expires: datetime | timedelta | None = None,
    concurrency: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> list[TextMessage]:
    """As ``send_texts``, for asynchronous code: the event loop goes on meanwhile.

    ``messages`` are read, and ``progress`` is called, in Django's thread for the database. When it
    is cancelled, it ends as by Ctrl-C.
    """
    defaults = {
        "using": using,
        "fail_silently": fail_silently,
        "status_report": status_report,
        "expires": expires,
    }
    stop = threads.Stop()
    batch = _batch(messages, defaults, concurrency, progress, check=stop.check, always_apart=True)
    return await threads.to_its_end(_driven(batch), stop.set)


async def _driven(batch: Batch) -> list[TextMessage]:
    try:
        while calls := await sync_to_async(batch.step)():
            futures = [asyncio.wrap_future(call) for call in calls]
            await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    except BaseException as error:
        await sync_to_async(batch.give_up)(error)
        raise
    finally:
        batch.close()
    return batch.messages


def _batch(
    messages: Iterable[Item],
    defaults: dict[str, Any],
    concurrency: object,
    progress: Any,
    *,
    check: Callable[[], object],
    always_apart: bool = False,
) -> Batch:
    if concurrency is not None and type(concurrency) is not int:
        kind = type(concurrency).__name__
        raise TypeError(f"concurrency must be a whole number, not {kind}.")
    if concurrency is not None and not 1 <= concurrency <= MAX_CONCURRENCY:
        raise ValueError(f"concurrency must be 1 to {MAX_CONCURRENCY}, not {concurrency}.")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function, not {type(progress).__name__}.")
    return Batch(
        Lots(messages, defaults),
        concurrency=concurrency,
        progress=progress,
        check=check,
        always_apart=always_apart,
    )
