"""The network behind the phones: takes texts, and puts down what it has to tell the application."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connections, router
from django.utils import timezone
from djsms import OutgoingText, SendResult, SentPart, Status, segments
from djsms.exceptions import TextMessageError

from djsms_phone import texts
from djsms_phone.behaviours import EXPIRED, REFUSALS, REPORTS, Behaviour, Report
from djsms_phone.models import Call, Handset

__all__ = ["SwitchedOff", "reply", "submit", "switch", "switch_all"]

PRICE, CURRENCY = Decimal("0.04"), "EUR"
SLOW_REPLY = timedelta(seconds=3)
REPEAT = timedelta(milliseconds=500)


class SwitchedOff(TextMessageError):
    """Nobody writes with a phone that is switched off."""


def submit(message: OutgoingText) -> SendResult:
    """Take a text, or raise what its phone's behaviour is to show; as the hook ``send``."""
    # No transaction around: on SQLite one that reads before it writes fails beside another.
    with _leaving_no_connection():
        handset, behaviour = _received(message.to)
        ids = tuple(_new_id() for _ in range(message.segments))
        if message.status_report:
            _report(handset, message, ids, REPORTS.get(behaviour, ()))
    if refusal := REFUSALS.get(behaviour):
        raise refusal()
    parts = tuple(SentPart(provider_id=part, price=PRICE) for part in ids)
    return SendResult(parts=parts, currency=CURRENCY)


def reply(handset: Handset, text: str, *, account: str, to: str) -> list[Call]:
    """Write ``text`` on a phone, and return the calls that bring it: one for each part.

    Raises ``SwitchedOff``.
    """
    if handset.is_off:
        raise SwitchedOff(f"The phone {handset.number} is switched off.")
    now = timezone.now()
    due = now + SLOW_REPLY if handset.behaviour == Behaviour.SLOW else now
    bodies = _bodies(text, now) if segments.count(text)[1] > 1 else [_body(text, now)]
    moments = [due] * len(bodies)
    if handset.behaviour == Behaviour.TWICE:
        bodies = [*reversed(bodies), *reversed(bodies)]
        moments += [due + REPEAT] * len(moments)
    Handset.objects.filter(pk=handset.pk).update(active_on=now)
    return [
        Call.objects.create(
            handset=handset,
            account=account,
            kind=Call.Kind.INCOMING,
            body={"frm": handset.number, "to": to, **body},
            due_on=moment,
        )
        for body, moment in zip(bodies, moments, strict=True)
    ]


def switch(handset: Handset, behaviour: Behaviour, *, next_only: bool = False) -> None:
    """Let a phone behave in another way from now on, or for its next text alone."""
    if next_only:
        handset.next_behaviour = behaviour
        handset.save(update_fields=["next_behaviour"])
    else:
        handset.behaviour, handset.next_behaviour = behaviour, ""
        handset.save(update_fields=["behaviour", "next_behaviour"])
        _hold_or_deliver([handset.pk], behaviour)
    Handset.objects.filter(pk=handset.pk).update(active_on=timezone.now())


def switch_all(behaviour: Behaviour) -> None:
    """Let all phones behave in another way, and those that come."""
    Handset.objects.get_or_create(number="")
    Handset.objects.update(behaviour=behaviour, next_behaviour="")
    _hold_or_deliver(Handset.objects.values("pk"), behaviour)


def _received(number: str) -> tuple[Handset, Behaviour]:
    """Return the phone of a number and how it treats the text that it gets now."""
    now = timezone.now()
    handset = Handset.objects.filter(number=number).first()
    if handset is None:
        others = Handset.objects.filter(number="").values_list("behaviour", flat=True).first()
        handset, _ = Handset.objects.get_or_create(
            number=number, defaults={"behaviour": others or Behaviour.DELIVERS}
        )
    Handset.objects.filter(pk=handset.pk).update(active_on=now)
    once = handset.next_behaviour
    # Who of two texts at the same moment takes it off is the next one.
    if once and Handset.objects.filter(pk=handset.pk, next_behaviour=once).update(
        next_behaviour=""
    ):
        return handset, Behaviour(once)
    return handset, Behaviour(handset.behaviour)


def _report(
    handset: Handset, message: OutgoingText, ids: tuple[str, ...], reports: tuple[Report, ...]
) -> None:
    account = texts.account_of(message.ref)
    if account is None:
        # Nobody keeps this text, so nobody waits for news of it.
        return
    now = timezone.now()
    Call.objects.bulk_create(
        Call(
            handset=handset,
            account=account,
            kind=Call.Kind.CALLBACK,
            status=report.status,
            body=_report_body(report, message.ref, part, _moment(report, message, now)),
            due_on=_moment(report, message, now),
        )
        for report in reports
        for part in ids
    )


def _moment(report: Report, message: OutgoingText, now: datetime) -> datetime:
    if report is EXPIRED and message.expires_on:
        return min(message.expires_on, now + report.after)
    return now + report.after


def _report_body(report: Report, ref: str, part: str, moment: datetime) -> dict[str, Any]:
    body = {
        "ref": ref,
        "provider_id": part,
        "status": report.status.value,
        "occurred_on": moment.isoformat(timespec="milliseconds"),
    }
    if report.error_code:
        body |= {"error_code": report.error_code, "error_text": report.error_text}
    return body


def _hold_or_deliver(handsets: Any, behaviour: Behaviour) -> None:
    """Let what is on its way wait for phones that are now off, or reach those that are now on."""
    waiting = Call.objects.filter(
        handset__in=handsets, kind=Call.Kind.CALLBACK, done_on=None, taken_until=None
    )
    now = timezone.now()
    if behaviour == Behaviour.OFF:
        report, before, moment = EXPIRED, Status.DELIVERED, now + EXPIRED.after
    else:
        [report] = (r for r in REPORTS[Behaviour.DELIVERS] if r.status is Status.DELIVERED)
        before, moment = Status.EXPIRED, now
    for call in waiting.filter(status=before):
        call.status, call.due_on = report.status, moment
        call.body = _report_body(report, call.body["ref"], call.body["provider_id"], moment)
        call.save(update_fields=["status", "due_on", "body"])


def _bodies(text: str, now: datetime) -> list[dict[str, Any]]:
    pieces = segments.split(text).segments
    ref = uuid.uuid4().hex[:8]
    return [
        {**_body(piece, now), "part": {"ref": ref, "number": number, "total": len(pieces)}}
        for number, piece in enumerate(pieces, start=1)
    ]


def _body(text: str, now: datetime) -> dict[str, Any]:
    return {
        "text": text,
        "provider_id": _new_id(),
        "received_on": now.isoformat(timespec="milliseconds"),
    }


def _new_id() -> str:
    # Short enough to be read beside others.
    return f"phone-{uuid.uuid4().hex[:16]}"


@contextmanager
def _leaving_no_connection() -> Iterator[None]:
    """Close the connection that the block opens: the thread may be one that nobody tidies up."""
    database = connections[router.db_for_write(Handset)]
    was_open = database.connection is not None
    try:
        yield
    finally:
        if not (was_open or database.in_atomic_block):
            database.close()
