"""Incoming texts: each is stored once, and the parts of a long one become one message."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Min, Q
from django.utils import timezone

from djsms import conf, segments
from djsms.calling.interruptions import is_interruption
from djsms.ledger import storable
from djsms.ledger.transactions import in_transaction, insert_once, rows_of
from djsms.models import (
    ACCOUNT_LENGTH,
    BACKEND_LENGTH,
    CODE_LENGTH,
    ID_LENGTH,
    NUMBER_LENGTH,
    IncomingPart,
    TextMessage,
)
from djsms.types import IncomingText, PartOf, Status

__all__ = ["release_parts", "take_text"]

logger = logging.getLogger("djsms")

MAX_COUNT = 32_767  # what the column holds
SHORTEST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # for another try

# What the parts of one text have in common. The reference is the sender's phone's, which counts
# to 255 and begins anew.
IN_COMMON = ("account", "frm", "to", "part_ref", "total")


def take_text(account: str, backend: str, incoming: IncomingText) -> None:
    """Store one incoming text of an account, or one part of it; a repeat changes nothing.

    What receivers of ``post_save`` raise gets out, and the text is not stored: the provider has to
    come again.
    """
    if incoming.part is None or incoming.part.total == 1:
        _take_whole(account, backend, incoming)
    else:
        _take_part(account, backend, incoming, incoming.part)


def release_parts(limit: int | None = None) -> int:
    """Make messages, marked incomplete, of the texts whose missing parts did not come in time.

    Returns how many; ``limit`` bounds them. One for which a receiver raised is tried again when it
    has waited as long again as before, or an hour.
    """
    now = timezone.now()
    late = (
        rows_of(IncomingPart)
        .filter(_has_its_turn(now), message=None, created_on__lt=now - conf.parts_timeout())
        .values(*IN_COMMON)
        .annotate(first=Min("created_on"))
        .order_by("first")[:limit]
    )
    released = 0
    for row in late:
        try:
            released += _take_turn({name: row[name] for name in IN_COMMON}, row["first"], now)
        except Exception as error:
            if is_interruption(error):
                raise
            # The others must not wait for a receiver that does not get along with this one.
            logger.exception("An incoming text with missing parts could not be released")
    return released


def _take_whole(account: str, backend: str, incoming: IncomingText) -> None:
    message = TextMessage(
        direction=TextMessage.Direction.INCOMING,
        status=Status.RECEIVED,
        account=storable.fit(account, ACCOUNT_LENGTH),
        backend=storable.fit(backend, BACKEND_LENGTH),
        frm=storable.fit(incoming.frm, NUMBER_LENGTH),
        to=storable.fit(incoming.to, NUMBER_LENGTH),
        text=storable.clean_text(incoming.text),
        provider_id=storable.fit(incoming.provider_id, ID_LENGTH),
        received_on=storable.moment(incoming.received_on),
        extra=storable.as_given(incoming.raw),
    )
    if incoming.provider_id:
        message.fingerprint = _identity(account, incoming)
        # What was erased is known by this alone.
        if rows_of(IncomingPart).filter(fingerprint=message.fingerprint).exists():
            return
    _measure(message)
    insert_once(message)


def _take_part(account: str, backend: str, incoming: IncomingText, part_of: PartOf) -> None:
    part = IncomingPart(
        account=storable.fit(account, ACCOUNT_LENGTH),
        backend=storable.fit(backend, BACKEND_LENGTH),
        frm=storable.fit(incoming.frm, NUMBER_LENGTH),
        to=storable.fit(incoming.to, NUMBER_LENGTH),
        part_ref=storable.fit(part_of.ref, CODE_LENGTH),
        number=part_of.number,
        total=part_of.total,
        text=storable.clean_text(incoming.text),
        escaped_text=storable.escaped_unless_clean(incoming.text),
        provider_id=storable.fit(incoming.provider_id, ID_LENGTH),
        received_on=storable.moment(incoming.received_on),
        raw=storable.as_given(incoming.raw),
    )
    if incoming.provider_id:
        part.fingerprint = _identity(account, incoming, part_of.ref, part_of.number, part_of.total)
    # The part is committed before the others are looked for: of two workers with the last two
    # parts, the later one then sees both.
    stored = _twin_without_id(part)
    if stored is None and not insert_once(part):
        stored = rows_of(IncomingPart).get(fingerprint=part.fingerprint)
    newest = part if stored is None else stored
    if newest.message_id is None:
        in_transaction(lambda: _join(newest))


def _identity(account: str, incoming: IncomingText, *part_of: object) -> str:
    """Return what a repeat has in common with the first, and nothing else has.

    The provider's id is not enough: gateways leave it out, count from 0 again after a restart, or
    give all parts of a text the same.
    """
    return storable.fingerprint(
        account, incoming.provider_id, incoming.frm, incoming.text, *part_of
    )


def _twin_without_id(part: IncomingPart) -> IncomingPart | None:
    """Return the stored part that this one repeats, where no id of the provider's tells."""
    if part.fingerprint is not None:
        return None
    recent = (
        rows_of(IncomingPart)
        .filter(
            **_in_common(part),
            number=part.number,
            created_on__gte=timezone.now() - conf.parts_timeout(),
        )
        .exclude(pk=part.pk)
        .order_by("pk")
    )
    return next((other for other in recent if other.exact_text == part.exact_text), None)


def _join(newest: IncomingPart) -> None:
    """Make a message of the waiting parts, if none is missing."""
    timeout = conf.parts_timeout()
    # Nobody may have come by to release those that came long before, and they may be of another
    # text.
    parts = [
        part
        for part in _locked(_in_common(newest))
        if abs(part.created_on - newest.created_on) <= timeout
    ]
    twin = _twin_without_id(newest)
    if twin is not None and twin.message_id is not None:
        # It came twice at once, and the other one has been joined meanwhile.
        newest.delete()
        return
    older = [part for part in parts if part.pk < newest.pk]
    if any(part.number == newest.number and part.exact_text != newest.exact_text for part in older):
        # The same number with another text: the phone has used its reference anew.
        _make_message(older)
        parts = [part for part in parts if part.pk >= newest.pk]
    if len({part.number for part in parts}) == newest.total:
        _make_message(parts)


def _has_its_turn(now: datetime) -> Q:
    return Q(next_try_on=None) | Q(next_try_on__lte=now)


def _take_turn(in_common: Mapping[str, Any], first: datetime, now: datetime) -> bool:
    """Make a message of the late parts of one text, unless others are about to."""
    waiting = rows_of(IncomingPart).filter(_has_its_turn(now), message=None, **in_common)
    wait = min(max(now - first, SHORTEST_WAIT), LONGEST_WAIT)
    # Before the try, and by itself, so that it counts whatever becomes of us meanwhile.
    if not in_transaction(lambda: waiting.update(next_try_on=now + wait)):
        return False
    return in_transaction(partial(_release, in_common, first + conf.parts_timeout()))


def _release(in_common: Mapping[str, Any], until: datetime) -> bool:
    """Make a message of the parts of one text that came by then, if they still wait."""
    parts = [part for part in _locked(in_common) if part.created_on <= until]
    if parts:
        _make_message(parts)
    return bool(parts)


def _locked(in_common: Mapping[str, Any]) -> list[IncomingPart]:
    """Return the waiting parts of one text, locked until the transaction ends."""
    waiting = rows_of(IncomingPart).filter(message=None, **in_common)
    # A write locks on every database, also on those without SELECT … FOR UPDATE; the locking read
    # has those as well that came in between. Later on none must be waited for, since receivers will
    # have been told by then.
    waiting.update(total=in_common["total"])
    return list(waiting.select_for_update().order_by("pk"))


def _make_message(parts: list[IncomingPart]) -> None:
    by_number: dict[int, IncomingPart] = {}
    for part in parts:
        by_number.setdefault(part.number, part)
    ordered = [by_number[number] for number in sorted(by_number)]
    first = ordered[0]
    message = TextMessage(
        direction=TextMessage.Direction.INCOMING,
        status=Status.RECEIVED,
        account=first.account,
        backend=first.backend,
        frm=first.frm,
        to=first.to,
        # Parts are cut without regard for surrogate pairs; joined, the halves are whole again.
        text=storable.clean_text("".join(part.exact_text for part in ordered)),
        provider_id=first.provider_id,
        received_on=first.received_on,
        parts=len(ordered),
        incomplete=len(ordered) < first.total,
        extra={"parts": [part.raw for part in ordered]},
    )
    _measure(message)
    message.save(force_insert=True)
    rows_of(IncomingPart).filter(pk__in=[part.pk for part in parts]).update(message=message)


def _in_common(part: IncomingPart) -> dict[str, Any]:
    return {name: getattr(part, name) for name in IN_COMMON}


def _measure(message: TextMessage) -> None:
    encoding, count = segments.count(message.text)
    message.encoding, message.segments = encoding.value, min(count, MAX_COUNT)
