"""A message as a request to Kannel's ``sendsms``, and the answer as what it means.

The text is the body of a POST and all else travels in ``X-Kannel-`` headers, so that neither the
text nor the password stands in an address, where proxies log it. Kannel's user guide: "Using the
HTTP interface to send SMS messages" and "X-Kannel Pseudo Headers".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from djsms import Encoding, OutgoingText, SendResult, SentPart, Status
from djsms.exceptions import (
    AuthenticationFailed,
    InvalidMessage,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
    TemporarilyUnavailable,
)

from djsms_kannel.addresses import dlr_url
from djsms_kannel.parts import Part

if TYPE_CHECKING:
    import requests

__all__ = ["answer", "headers", "is_plain", "raise_for_answer", "send_parts"]

CODING = {Encoding.GSM7: "0", Encoding.UCS2: "2"}

EVERY_REPORT = "31"
"""The ``dlr-mask`` for all: delivered 1, failed 2, buffered 4, accepted 8, refused 16."""

ACCEPTANCES = ("0: ", "3: ", "Sent.")
"""How an acceptance begins: accepted, queued until the operator is back, and the one for those who
configured ``immediate-sendsms-reply``."""

LONGEST = 63 * 7 * 24 * 60
"""Minutes in 63 weeks, the longest validity that a short message can have (3GPP TS 23.040)."""


def headers(
    message: OutgoingText, part: Part, username: str, password: str
) -> dict[str, str | bytes]:
    """Return the headers that say all but the text.

    Raises ``InvalidMessage`` for an extra that is not known, or out of range.
    """
    values = {
        "X-Kannel-Username": username,
        "X-Kannel-Password": password,
        "X-Kannel-From": message.frm,
        "X-Kannel-To": message.to,
        "X-Kannel-Coding": CODING[message.encoding],
        **_validity(message.expires_on),
        **_extras(message.extra),
    }
    if part.udh:
        values["X-Kannel-UDH"] = part.udh.hex()
    if message.callback_url:
        values["X-Kannel-DLR-Mask"] = EVERY_REPORT
        values["X-Kannel-DLR-Url"] = dlr_url(message.callback_url, message.ref, part.ident)
    for name, value in values.items():
        if not is_plain(value):
            raise InvalidMessage(f"{name} cannot carry line breaks or other control characters.")
    # Without a charset Kannel takes the body for Latin-1. Header values as bytes, because as text
    # they could only be Latin-1.
    return {
        "Content-Type": "text/plain; charset=utf-8",
        **{name: value.encode() for name, value in values.items()},
    }


def is_plain(value: str) -> bool:
    """Whether a header carries this value unchanged, and cannot be made to carry another header."""
    return value.isprintable() and value == value.strip()


def answer(response: requests.Response) -> str:
    """Return the words with which Kannel accepts; raise ``OutcomeUnknown`` for any others.

    There is no id in them: the reference in the ``dlr-url`` is the only handle on the message.
    Refusals by the operator come later, as a report.
    """
    words = _words(response)
    if response.status_code != 202 or not words.startswith(ACCEPTANCES):
        raise OutcomeUnknown(
            f"This is not Kannel's answer to a message: {words}", code=str(response.status_code)
        )
    return words


def send_parts(parts: list[Part], send: Callable[[Part], str]) -> SendResult:
    """Send all parts of a message, and return what was said of each.

    If the first one is surely not taken, its error is the message's. If a later one is not, those
    before it are out, so it is told part by part, and no more are sent.

    A part of which nobody knows whether it was taken does not keep the others back, since without
    them the text could not be whole. Nor is its error the message's: then the first report on one
    part would pass for the whole text's.
    """
    if len(parts) == 1:
        words = send(parts[0])
        return SendResult(parts=(SentPart(provider_id=parts[0].ident),), raw={"answers": [words]})
    told: list[SentPart] = []
    answers: list[str] = []
    for part in parts:
        try:
            answers.append(send(part))
            told.append(SentPart(provider_id=part.ident))
        except SendError as error:
            is_unknown = isinstance(error, OutcomeUnknown)
            if not (told or is_unknown):
                raise
            answers.append(str(error))
            told.append(_untaken(part, Status.UNKNOWN if is_unknown else Status.FAILED, error))
            if not is_unknown:
                break
    kept = Refused("Not sent, because a part before it was not taken.")
    told += [_untaken(part, Status.FAILED, kept) for part in parts[len(told) :]]
    return SendResult(parts=tuple(told), raw={"answers": answers})


def _untaken(part: Part, status: Status, error: SendError) -> SentPart:
    return SentPart(
        provider_id=part.ident, status=status, error_code=error.code, error_text=error.text
    )


def raise_for_answer(response: requests.Response) -> None:
    """Raise what Kannel's errors mean where its words say more than the status."""
    code, words = str(response.status_code), _words(response)
    match response.status_code:
        case 400 if words.startswith("Number(s) has/have been denied"):
            raise RecipientBlocked(words, code=code)
        case 403 if words.startswith("Not routable"):
            raise Refused(words, code=code)
        case 403 if words.startswith("Authorization failed"):
            raise AuthenticationFailed(
                f"{words}: the user, the password or the address we call from is not allowed.",
                code=code,
            )
        # Of others on the way a 503 proves nothing.
        case 503 if words.startswith("Temporal failure"):
            raise TemporarilyUnavailable(words, code=code)


def _words(response: requests.Response) -> str:
    return " ".join(response.content[:500].decode("utf-8", "replace").split())


def _extras(extra: Mapping[str, Any]) -> dict[str, str]:
    values = {}
    for given, value in extra.items():
        name = str(given).replace("_", "-")
        if name not in EXTRAS:
            raise InvalidMessage(
                f"Kannel has no extra {given!r}; it takes {', '.join(sorted(EXTRAS))}."
            )
        header, read = EXTRAS[name]
        if header in values:
            raise InvalidMessage(f"The extra {name!r} is given twice.")
        values[header] = read(name, value)
    return values


def _validity(expires_on: datetime | None) -> dict[str, str]:
    """Return the whole minutes that are left, cut to what Kannel takes."""
    if expires_on is None:
        return {}
    left = int((expires_on - datetime.now(UTC)).total_seconds() // 60)
    return {"X-Kannel-Validity": str(min(max(left, 1), LONGEST))}


def _words_of(limit: int) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= limit:
            raise InvalidMessage(f"The extra {name!r} takes text of 1 to {limit} characters.")
        if not is_plain(value):
            raise InvalidMessage(
                f"The extra {name!r} takes neither line breaks and other control characters nor "
                "spaces at its ends."
            )
        return value

    return read


def _number(low: int, high: int) -> Callable[[str, object], str]:
    def read(name: str, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidMessage(f"The extra {name!r} takes a whole number from {low} to {high}.")
        return str(value)

    return read


EXTRAS = {
    "account": ("X-Kannel-Account", _words_of(64)),
    "deferred": ("X-Kannel-Deferred", _number(0, LONGEST)),
    "mclass": ("X-Kannel-MClass", _number(0, 3)),
    "meta-data": ("X-Kannel-Meta-Data", _words_of(2000)),
    "priority": ("X-Kannel-Priority", _number(0, 3)),
    "smsc": ("X-Kannel-SMSC", _words_of(64)),
    "validity": ("X-Kannel-Validity", _number(1, LONGEST)),
}
"""What a caller may add to a message, with the header that it becomes; times are minutes."""
