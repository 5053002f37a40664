"""The values that cross the boundary between the core and a backend."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from djsms.segments import Encoding

__all__ = [
    "Balance",
    "Encoding",
    "IncomingText",
    "OutgoingText",
    "PartOf",
    "SendResult",
    "SentPart",
    "SentText",
    "Status",
    "StatusReport",
]

MAX_PARTS = 255  # one octet counts them: 3GPP TS 23.040, section 9.2.3.24.1


class Status(enum.StrEnum):
    """Where a message stands. ``rank`` orders them, ``explanation`` says what each means."""

    rank: int
    explanation: str

    CREATED = "created", 0, "stored, and not yet handed to the provider"
    UNKNOWN = (
        "unknown",
        1,
        "the call to the provider ended without an answer, so it may or may not have been taken; "
        "a status report settles it, if one was asked for",
    )
    SENDING = "sending", 2, "accepted by the provider"
    SENT = (
        "sent",
        3,
        "handed on: the provider, or the backend where there is none, has done its part",
    )
    REFUSED = "refused", 4, "the provider said no, or was not even asked"
    REJECTED = "rejected", 4, "refused by the recipient's carrier"
    FAILED = "failed", 4, "surely not sent, or lost on the way"
    EXPIRED = "expired", 4, "not delivered within its validity period"
    CANCELLED = "cancelled", 4, "taken back by the application before it went out"
    DELIVERED = "delivered", 5, "delivered to the recipient's handset"
    RECEIVED = "received", 6, "an incoming message"

    def __new__(cls, value: str, rank: int = 0, explanation: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.rank = rank
        member.explanation = explanation
        return member

    @property
    def is_reportable(self) -> bool:
        """Whether a provider can say it of a message that it was handed."""
        return self not in (Status.CREATED, Status.CANCELLED, Status.RECEIVED)

    @property
    def is_failure(self) -> bool:
        """Whether the message, or this part of it, ended without reaching the handset."""
        return self.rank == Status.FAILED.rank and self is not Status.CANCELLED

    @property
    def is_final(self) -> bool:
        """Whether no better news is expected; a late ``delivered`` still wins over a failure."""
        return self.rank >= Status.FAILED.rank


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OutgoingText:
    """One text message to hand to the provider."""

    ref: str
    """Our own reference: a UUID as 32 hexadecimal characters. Pass it on wherever the provider
    echoes a reference in its status reports."""
    text: str
    """Never empty, without NUL and without lone surrogates."""
    frm: str
    """The originator: an E.164 number with ``+``, a short code, or up to 11 characters. Empty only
    for a backend with ``chooses_originator``: then nobody has named one."""
    to: str
    """The recipient, an E.164 number with ``+``."""
    status_report: bool = False
    """Whether the caller asks for status reports."""
    callback_url: str = ""
    """Where status reports should go, with the account's token; empty if no report is asked for or
    the project's address is not known."""
    encoding: Encoding = Encoding.GSM7
    segments: int = 1
    """Into how many segments the text falls, by our own count."""
    expires_on: datetime | None = None
    """After which the text is worth nothing; always aware. Pass it on as the provider's validity
    period, cut to what that takes."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """The caller's provider-specific extras."""

    def __repr__(self) -> str:
        # Not imported above: with it would come Django, which the values have no need of.
        from djsms.numbers import mask

        return (
            f"<OutgoingText {self.ref}: {mask(self.frm)} → {mask(self.to)}, "
            f"{self.segments} × {self.encoding}>"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPart:
    """What the provider said of one part of a message at once, in its answer."""

    provider_id: str = ""
    """The provider's id of this part; empty if it gives none."""
    status: Status = Status.SENDING
    price: Decimal | None = None
    """Price of this part, in the currency of the ``SendResult``."""
    error_code: str = ""
    error_text: str = ""

    def __post_init__(self) -> None:
        _require_texts(self, "provider_id", "error_code", "error_text")
        _require_status(self)
        _require_price(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The provider's answer to one message: one entry a part, in order, never none."""

    parts: tuple[SentPart, ...]
    currency: str = ""
    """ISO 4217 code of the parts' prices."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The answer as the provider gave it; must be plain JSON values."""

    @classmethod
    def accepted(
        cls,
        provider_id: str = "",
        *,
        currency: str = "",
        raw: Mapping[str, Any] | None = None,
        **part_fields: Any,
    ) -> Self:
        """Return the result for the common case: one part, accepted."""
        part = SentPart(provider_id=provider_id, **part_fields)
        return cls(parts=(part,), currency=currency, raw=raw or {})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SentText:
    """A message that the provider was handed before, to ask it how that message stands."""

    ref: str
    """Our own reference, as in its ``OutgoingText``."""
    to: str
    """The recipient, an E.164 number with ``+``."""
    frm: str
    """The originator, as in its ``OutgoingText``."""
    attempted_on: datetime
    """When the provider was called, by our clock; always aware."""
    provider_ids: tuple[str, ...] = ()
    """The provider's ids of its parts, in order; none if its answer was lost or had none."""
    status: Status = Status.UNKNOWN
    """Where it stands, as far as is known here."""

    def __post_init__(self) -> None:
        _require_texts(self, "ref", "to", "frm")
        _require_time(self, "attempted_on", optional=False)
        # The annotations promise what follows, and nobody holds a caller to them.
        ids: Any = self.provider_ids
        status: Any = self.status
        if not isinstance(ids, tuple):
            raise TypeError(f"SentText.provider_ids is of type {type(ids).__name__}, not tuple")
        for item in ids:
            if not isinstance(item, str):
                raise TypeError(f"SentText.provider_ids has {type(item).__name__}, not str")
        if not isinstance(status, Status):
            raise TypeError(f"SentText.status is {status!r}, not a Status")

    def __repr__(self) -> str:
        from djsms.numbers import mask

        return f"<SentText {self.ref}: {mask(self.frm)} → {mask(self.to)}, {self.status}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One status report (delivery receipt) of the provider, for a message or one part of it."""

    status: Status
    provider_id: str = ""
    ref: str = ""
    """Our own reference, where the provider echoes it."""
    provider_status: str = ""
    """The provider's own word for the status."""
    error_code: str = ""
    error_text: str = ""
    price: Decimal | None = None
    currency: str = ""
    occurred_on: datetime | None = None
    """When it happened by the provider's clock; always aware."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _require_texts(
            self, "provider_id", "ref", "provider_status", "error_code", "error_text", "currency"
        )
        _require_status(self)
        _require_price(self)
        _require_time(self, "occurred_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOf:
    """Which part of a long incoming text this is, by the header that the sender's phone made."""

    ref: str
    """What all parts of one text share."""
    number: int
    """From 1."""
    total: int

    def __post_init__(self) -> None:
        _require_texts(self, "ref")
        if type(self.number) is not int or type(self.total) is not int:
            raise _misfit(self, "PartOf.number and PartOf.total are whole numbers")
        if not 1 <= self.number <= self.total <= MAX_PARTS:
            # Without the numbers, which may have more digits than Python writes.
            raise _misfit(self, "PartOf.number counts from 1 to PartOf.total, which is at most 255")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IncomingText:
    """One incoming text message, or one part of it."""

    frm: str
    """Who sent it; a number has its ``+``."""
    to: str
    """Our number that it was sent to."""
    text: str
    """Exactly as it came: nothing stripped or normalised."""
    provider_id: str = ""
    """The provider's id, the same when it repeats the request; empty if it gives none."""
    received_on: datetime | None = None
    """When it came in by the provider's clock; always aware."""
    part: PartOf | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_texts(self, "frm", "to", "text", "provider_id")
        _require_time(self, "received_on")
        if self.part is not None and not isinstance(self.part, PartOf):
            raise TypeError(f"IncomingText.part is of type {type(self.part).__name__}, not PartOf")

    def __repr__(self) -> str:
        from djsms.numbers import mask

        part = f", part {self.part.number} of {self.part.total}" if self.part else ""
        return f"<IncomingText {self.provider_id}: {mask(self.frm)} → {mask(self.to)}{part}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The credit of an account with its provider."""

    amount: Decimal
    """What is left; negative if the provider lets the account be overdrawn."""
    currency: str = ""
    """ISO 4217 code, or what else the provider counts in; empty if it does not say."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The answer as the provider gave it; must be plain JSON values."""

    def __post_init__(self) -> None:
        _require_texts(self, "currency")
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Balance.amount is of type {type(self.amount).__name__}, not Decimal")
        if not self.amount.is_finite():
            raise ValueError(f"Balance.amount is {self.amount}; nobody has that much.")


# A backend's slip must show when it makes the value, not when the core stores what came of a call.

_RECEIVED = (StatusReport, PartOf, IncomingText)


def _misfit(value: object, words: str) -> Exception:
    """Return the error for what does not fit a value.

    What a request brought and a backend passed on is a request that cannot be read. It will not fit
    if the provider comes again, for days, as it does after any other error.
    """
    if isinstance(value, _RECEIVED):
        # Not imported above: with it would come Django.
        from djsms.exceptions import InvalidWebhook

        return InvalidWebhook(words)
    return TypeError(words)


def _require_texts(value: object, *names: str) -> None:
    for name in names:
        given = getattr(value, name)
        if not isinstance(given, str):
            raise _misfit(
                value, f"{type(value).__name__}.{name} is of type {type(given).__name__}, not str"
            )


def _require_time(value: object, name: str, *, optional: bool = True) -> None:
    given = getattr(value, name)
    if given is None and optional:
        return
    if not isinstance(given, datetime):
        raise _misfit(
            value, f"{type(value).__name__}.{name} is of type {type(given).__name__}, not datetime"
        )


def _require_status(value: SentPart | StatusReport) -> None:
    if not isinstance(value.status, Status):
        # Not what a request brought: a backend has words of its own for it.
        raise TypeError(f"{type(value).__name__}.status is {value.status!r}, not a Status")
    if not value.status.is_reportable:
        words = f"No provider can say {value.status.value!r} of a message"
        raise _misfit(value, words) if isinstance(value, StatusReport) else ValueError(words)


def _require_price(value: SentPart | StatusReport) -> None:
    if value.price is not None and not isinstance(value.price, Decimal):
        raise _misfit(
            value,
            f"{type(value).__name__}.price is of type {type(value.price).__name__}, not Decimal",
        )
