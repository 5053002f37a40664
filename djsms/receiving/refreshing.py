"""Asking providers how messages stand, where no status report has told.

Which ones are asked about by themselves: those ``unknown`` for five minutes; those on their way for
an hour whose status reports were wanted, and did not come; and, if reports were wanted, those that
ended a quarter of an hour ago and whose price nobody has told. The first two are asked about once
an hour, for a day after the call; the price once. What was made two days ago is left alone, since
to look through all that is older each minute would cost too much.
"""

from __future__ import annotations

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from djsms import conf
from djsms.accounts import gateways
from djsms.accounts.gateways import Gateway
from djsms.calling.interruptions import is_interruption
from djsms.exceptions import TextMessageError
from djsms.ledger import clock
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import StatusEvent, TextMessage
from djsms.receiving.reports import apply_reports
from djsms.types import SentText, Status

__all__ = ["Refreshed", "refresh", "refresh_due", "unsettled"]

logger = logging.getLogger("djsms")

UNKNOWN_FOR = timedelta(minutes=5)
ON_ITS_WAY_FOR = timedelta(hours=1)
PRICELESS_FOR = timedelta(minutes=15)
ASK_AGAIN = timedelta(hours=1)
# Later only a person asks, by djsms refresh.
ASK_FOR = timedelta(days=1)
# One that waits a day, as bulk may, has still a day for its report.
MADE_WITHIN = timedelta(days=2)
# Of one call to a backend, which may make a request for each.
LOT = 20
# Of an account, at one time.
MOST = 200

ON_ITS_WAY = (Status.SENDING, Status.SENT)
ENDED = tuple(status for status in Status if status.is_final and status.is_reportable)


@dataclass(slots=True, kw_only=True)
class Refreshed:
    """What came of asking an account's provider."""

    account: str
    asked: int = 0
    """About how many messages it was asked."""
    news: int = 0
    """How many reports it gave that were not known."""
    problem: str = ""
    """What kept it from being asked, or from answering to the end; empty if nothing did.

    The provider's words may be in it, and so numbers and texts.
    """
    problem_kind: str = ""
    """The name of that error."""


def refresh(
    messages: Iterable[TextMessage], *, is_over: Callable[[], bool] = lambda: False
) -> list[Refreshed]:
    """Ask the providers how these messages stand, and store what they report.

    In lots, each account by itself: one that fails ends its own turn, and no other's. No
    transaction is open while a provider is asked. ``is_over`` ends it after the lot under way.
    """
    of_account: dict[str, list[TextMessage]] = defaultdict(list)
    for message in messages:
        of_account[message.account].append(message)
    return [_refresh(alias, texts, is_over) for alias, texts in of_account.items()]


def refresh_due(is_over: Callable[[], bool] = lambda: False) -> list[Refreshed]:
    """Ask about those whose time has come, up to 200 of an account; for every minute.

    Whoever asks first marks them, so that several who do this share them.
    """
    refreshed = []
    for gateway in _asking_gateways():
        texts = list(unsettled(gateway.alias).filter(_time_has_come(clock.now()))[:MOST])
        # One that always makes the provider fail must not always be the first.
        random.shuffle(texts)
        refreshed += refresh(texts, is_over=is_over)
    for result in refreshed:
        if result.problem:
            # Not the provider's words: numbers and texts are quoted in them.
            logger.warning("Account %s: asking in vain: %s", result.account, result.problem_kind)
    return refreshed


def unsettled(alias: str, since: datetime | None = None) -> QuerySet[TextMessage]:
    """Return the messages of an account that it may be worth asking about, the oldest first.

    That is the unknown ones, and of those whose status reports were wanted the ones on their way,
    or without a price. ``since`` is when they were made, aware; two days ago if it is None.
    """
    made = since if since is not None else clock.now() - MADE_WITHIN
    reported = Q(status__in=ON_ITS_WAY) | Q(status__in=ENDED, price=None)
    return (
        rows_of(TextMessage)
        .filter(
            Q(status=Status.UNKNOWN) | reported & Q(status_report=True),
            # for the index: they are looked for each minute
            status__in=(Status.UNKNOWN, *ON_ITS_WAY, *ENDED),
            account=alias,
            direction=TextMessage.Direction.OUTGOING,
            erased_on=None,
            attempted_on__isnull=False,
            created_on__gte=clock.stored(made),
        )
        .order_by("attempted_on", "pk")
    )


def _asking_gateways() -> Iterator[Gateway]:
    for alias in conf.aliases():
        try:
            gateway = gateways.get(alias)
        except ImproperlyConfigured:
            continue  # whoever sends what waits says so each time it begins
        if gateway.supports("fetch_reports"):
            yield gateway


def _time_has_come(moment: datetime) -> Q:
    def ago(length: timedelta) -> datetime:
        return clock.stored(moment - length)

    not_just_asked = Q(asked_on=None) | Q(asked_on__lt=ago(ASK_AGAIN))
    # After what it is since then: a price is asked for anew if the status has changed once more.
    never_asked = Q(asked_on=None) | Q(asked_on__lt=F("updated_on"))
    unknown = Q(status=Status.UNKNOWN, attempted_on__lt=ago(UNKNOWN_FOR))
    overdue = Q(status__in=ON_ITS_WAY, attempted_on__lt=ago(ON_ITS_WAY_FOR))
    priceless = Q(status__in=ENDED, updated_on__lt=ago(PRICELESS_FOR))
    again = (unknown | overdue) & not_just_asked
    return (again | priceless & never_asked) & Q(attempted_on__gt=ago(ASK_FOR))


def _refresh(alias: str, messages: Sequence[TextMessage], is_over: Callable[[], bool]) -> Refreshed:
    refreshed = Refreshed(account=alias)
    for start in range(0, len(messages), LOT):
        if is_over():
            break
        lot = messages[start : start + LOT]
        try:
            _ask(alias, lot, refreshed)
        except DatabaseError:
            raise
        except Exception as error:
            if is_interruption(error):
                raise
            # The provider's failure, the backend's, or that of a receiver of the news.
            refreshed.problem_kind = type(error).__name__
            refreshed.problem = f"{type(error).__name__}: {error}".rstrip(": ")
            break
    return refreshed


def _ask(alias: str, lot: Sequence[TextMessage], refreshed: Refreshed) -> None:
    gateway = gateways.get(alias)
    sent = _as_sent(lot)
    # Before, so that others who look meanwhile ask about other ones.
    _mark(lot, timezone.now())
    try:
        reports = gateway.fetch_reports(sent)
    except TextMessageError:
        _mark(lot, None)
        raise
    refreshed.asked += len(lot)
    refreshed.news += apply_reports(alias, reports)


def _mark(lot: Sequence[TextMessage], moment: datetime | None) -> None:
    rows = rows_of(TextMessage).filter(pk__in=[message.pk for message in lot])
    in_transaction(lambda: rows.update(asked_on=moment))


def _as_sent(lot: Sequence[TextMessage]) -> list[SentText]:
    ids = _provider_ids(lot)
    return [
        SentText(
            ref=message.ref,
            to=message.to,
            frm=message.frm,
            attempted_on=clock.aware(message.attempted_on or message.created_on),
            provider_ids=tuple(ids.get(message.pk) or filter(None, [message.provider_id])),
            status=message.status,
        )
        for message in lot
    ]


def _provider_ids(lot: Sequence[TextMessage]) -> dict[int, list[str]]:
    """Return the provider's ids of the parts of each message, in order."""
    events = rows_of(StatusEvent).filter(
        message__in=[message.pk for message in lot], source=StatusEvent.Source.ANSWER
    )
    ids: dict[int, list[str]] = defaultdict(list)
    for pk, provider_id in events.order_by("number", "pk").values_list("message", "provider_id"):
        if provider_id and provider_id not in ids[pk]:
            ids[pk].append(provider_id)
    return ids
