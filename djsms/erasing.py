"""Forgetting a person: their number and texts go, and what is needed to count and to pay stays."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q, QuerySet

from djsms import conf, numbers
from djsms.ledger.erasure import SILENCE, erase_number, finish, names, national
from djsms.ledger.transactions import in_transaction, rows_of
from djsms.models import Gate, IncomingPart, StatusEvent, TextMessage
from djsms.types import Status
from djsms.waiting.cancelling import cancel_texts
from djsms.waiting.leaving import change_idle

__all__ = ["Forgotten", "Holdings", "forget", "holdings"]

PAGE = 500
E164 = re.compile(r"\+[0-9]+")

WAITING: dict[str, Any] = {"status": Status.CREATED, "due_on__isnull": False}
IDLE: dict[str, Any] = {"status": Status.CREATED, "due_on": None, "attempted_on": None}
IN_FLIGHT: dict[str, Any] = {
    "status": Status.CREATED,
    "due_on": None,
    "attempted_on__isnull": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """How much is stored of a number."""

    outgoing: int
    """Messages sent to it, or from it."""
    incoming: int
    """Messages that came from it, or to it."""
    waiting: int
    """Of the outgoing ones those that wait to be sent, or for their turn: cancelled first."""
    in_flight: int
    """Of the outgoing ones those for which the provider is being called just now: left alone."""
    parts: int
    """Parts of incoming texts that wait for the others: deleted."""

    @property
    def total(self) -> int:
        return self.outgoing + self.incoming + self.parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was done to forget a number."""

    erased: int
    """Messages whose text is gone, and this number, with all that providers said of them."""
    cancelled: int
    """Of these, those that waited, now ``cancelled``."""
    left: tuple[str, ...]
    """References of messages under way, which are left as they are: forget the number again."""
    parts: int
    """Parts of incoming texts that waited for the others, deleted."""
    reports: int
    """Reports without a message whose words were erased, since the number was in them."""


def holdings(number: object) -> Holdings:
    """Return how much is stored of a phone number; changes nothing.

    It is read as the recipient of ``send_text`` is. Raises ``InvalidNumber`` and ``TypeError`` as
    ``numbers.recipient``.
    """
    forms = _forms(numbers.recipient(number))

    def count(**condition: Any) -> int:
        return sum(rows.filter(**condition).count() for rows in _messages(forms))

    outgoing = {"direction": TextMessage.Direction.OUTGOING}
    return Holdings(
        outgoing=count(**outgoing),
        incoming=count(direction=TextMessage.Direction.INCOMING),
        waiting=count(**outgoing, **WAITING) + count(**outgoing, **IDLE),
        in_flight=count(**outgoing, **IN_FLIGHT),
        parts=_waiting_parts(forms).count(),
    )


def forget(number: object, *, progress: Callable[[int], object] | None = None) -> Forgotten:
    """Erase a phone number and the texts of its messages; return what was done.

    Of each message text, number, ``extra`` and the provider's words go, in its events and parts as
    well, and its key if the number is in it; status, times, segments, prices and ids stay, so that
    it still counts, and a late report still finds it by its ``ref``, and brings nothing back. What
    waits is cancelled first; what is under way is left, and told. Receivers of ``post_save`` are
    told of cancelled texts alone. ``progress`` is called with the number of messages done.

    Safe to run again, and beside everything else: in lots of 500, each in a short transaction.

    Raises ``InvalidNumber`` and ``TypeError`` as ``numbers.recipient``, and ``ValueError`` for the
    number that an account sends from, with which every message would go.
    """
    person = numbers.recipient(number)
    _require_other(person)
    forms, digits = _forms(person), national(person)
    messages = _messages(forms)
    cancelled = _cancel(messages)
    erased = done = 0
    for lot in chain.from_iterable(_pages(rows) for rows in messages):
        erased += erase_number(lot, forms, person)
        done += len(lot)
        if progress is not None:
            progress(done)
    parts = _waiting_parts(forms)
    deleted = in_transaction(lambda: parts.delete()[0])
    reports = _silence_stray_reports(digits)
    # One of a sender that sends no more; one that does gets another with the next text.
    gates = rows_of(Gate).filter(slot__in=forms)
    in_transaction(gates.delete)
    finish()
    return Forgotten(
        erased=erased,
        cancelled=cancelled,
        left=tuple(
            chain.from_iterable(
                rows.filter(**IN_FLIGHT).values_list("ref", flat=True) for rows in messages
            )
        ),
        parts=deleted,
        reports=reports,
    )


def _forms(number: str) -> list[str]:
    """Return the ways in which a number is stored: as it was read, or as somebody wrote it."""
    return sorted(_usual_forms(number) | _unread_forms(number))


def _unread_forms(number: str) -> set[str]:
    """Return what was given as a number, could not be read, and has these digits in it.

    A text that was refused for it keeps it as it was given, whatever stands around the digits.
    """
    digits = national(number)
    refused = rows_of(TextMessage).filter(status=Status.REFUSED, attempted_on=None)
    pairs = refused.order_by().values_list("to", "frm").distinct()
    found = set(chain.from_iterable(pairs.iterator()))
    return {form for form in found if names(form, digits) and not E164.fullmatch(form)}


def _usual_forms(number: str) -> set[str]:
    """Return the ways in which what came in may have a number."""
    import phonenumbers

    digits = number.removeprefix("+")
    forms = {number, digits, f"00{digits}"}
    parsed = phonenumbers.parse(number)
    for style in (
        phonenumbers.PhoneNumberFormat.NATIONAL,
        phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    ):
        written = phonenumbers.format_number(parsed, style)
        forms |= {written, "".join(written.split())}
    return forms


def _messages(forms: list[str]) -> tuple[QuerySet[TextMessage], ...]:
    # By one index each: for an OR of the two columns databases may read the whole table.
    rows = rows_of(TextMessage)
    return rows.filter(to__in=forms), rows.filter(frm__in=forms).exclude(to__in=forms)


def _waiting_parts(forms: list[str]) -> QuerySet[IncomingPart]:
    return rows_of(IncomingPart).filter(Q(frm__in=forms) | Q(to__in=forms), message=None)


def _require_other(number: str) -> None:
    for alias in conf.aliases():
        try:
            sender = conf.account(alias).frm
        except ImproperlyConfigured:
            continue
        if sender == number:
            raise ValueError(
                f"{numbers.mask(number)} is the sender of the account {alias!r}, not a person: to "
                "forget it would be to erase all of its messages. What is old DJSMS_KEEP_TEXTS "
                "erases."
            )


def _cancel(messages: Iterable[QuerySet[TextMessage]]) -> int:
    cancelled = 0
    for rows in messages:
        for lot in _pages(rows.filter(**WAITING)):
            cancelled += len(lot) - len(cancel_texts(_read(lot)))
        for lot in _pages(rows.filter(**IDLE)):
            for message in _read(lot):
                cancelled += in_transaction(partial(change_idle, message, status=Status.CANCELLED))
    return cancelled


def _read(keys: list[int]) -> QuerySet[TextMessage]:
    return rows_of(TextMessage).filter(pk__in=keys).order_by("pk")


def _silence_stray_reports(digits: str) -> int:
    if not digits:
        return 0
    stray = rows_of(StatusEvent).filter(message=None)
    count = 0
    for lot in _pages(stray):
        rows = rows_of(StatusEvent).filter(pk__in=lot)
        naming = [
            pk
            for pk, raw, words in rows.values_list("pk", "raw", "error_text")
            if names(raw, digits) or names(words, digits)
        ]
        if naming:
            count += rows_of(StatusEvent).filter(pk__in=naming).update(**SILENCE)
    return count


def _pages(rows: QuerySet[TextMessage] | QuerySet[StatusEvent]) -> Iterator[list[int]]:
    last = 0
    while keys := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PAGE]):
        yield keys
        last = keys[-1]
