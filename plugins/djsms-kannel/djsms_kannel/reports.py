"""Kannel's delivery report, with the operator's SMPP receipt in it, as a status report."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from djsms import Status, StatusReport
from djsms.exceptions import InvalidWebhook, Misdirected
from djsms.http import parameters

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["moment", "status_report"]

# The value of a report is a sum: an expired message comes as 2, or as 34 if the operator's receipt
# carries the state as a number, too. The first bit that is set decides.
MEANINGS = {
    1: (Status.DELIVERED, "delivery success"),
    32: (Status.EXPIRED, "expired"),
    16: (Status.REFUSED, "smsc reject"),
    2: (Status.FAILED, "delivery failure"),
    64: (Status.FAILED, "unknown"),
    4: (Status.SENT, "message buffered"),
    8: (Status.SENT, "smsc submit"),
}

FAILURES = {
    "EXPIRED": (Status.EXPIRED, "The validity period has expired."),
    "DELETED": (Status.FAILED, "The message has been deleted."),
    "UNDELIV": (Status.FAILED, "The message is undeliverable."),
    "REJECTD": (Status.REJECTED, "The message has been rejected."),
    "UNKNOWN": (Status.FAILED, "The carrier does not know what became of the message."),
}
"""The states of an SMPP receipt that Kannel counts as failures (SMPP 3.4, 5.2.28, appendix B)."""

# A field without a value must not take the next field's name for one.
STATE = re.compile(r"\bstat:\s*([A-Z]{1,10})\b(?!:)", re.IGNORECASE)
ERROR = re.compile(r"\berr:\s*([0-9A-Za-z-]{1,20})\b(?!:)", re.IGNORECASE)
TEXT = re.compile(r"\btext:.*", re.IGNORECASE | re.DOTALL)
REFUSAL = re.compile(r"NACK/(?:(0x[0-9A-Fa-f]{1,8})(?:/|$))?(.*)", re.DOTALL)


def status_report(request: HttpRequest) -> StatusReport:
    """Read a call to the address that ``dlr_url`` made.

    The provider's id is the operator's, so there is none as long as no operator took the message;
    of a part that was sent for itself it is ours, which says which part.

    Raises ``Misdirected`` if it is an incoming text, ``InvalidWebhook`` if it names no message or
    no status.
    """
    # Kannel reports by GET: what it posts is from a phone, and so is all that the body says.
    if request.method == "POST" and "HTTP_X_KANNEL_TO" in request.META:
        raise Misdirected("This is an incoming text at the address for status reports.")
    # The answer is the operator's text, in whatever encoding it likes.
    fields = parameters(request, errors="replace")
    ref, value, answer = (fields.get(name, "") for name in ("ref", "type", "answer"))
    if not ref and {"from", "to", "text"} <= fields.keys():
        raise Misdirected("This is an incoming text at the address for status reports.")
    if not ref:
        raise InvalidWebhook("The report names no message.")
    if not re.fullmatch(r"[0-9]{1,4}", value, re.ASCII):
        raise InvalidWebhook("The report's type is not a number.")
    # The receipt ends with the beginning of the message, which is nobody's business here.
    answer = " ".join(TEXT.sub("", answer).split())[:500]
    status, word, code, words = _read(int(value), answer)
    return StatusReport(
        ref=ref,
        provider_id=fields.get("part") or fields.get("id", ""),
        status=status,
        provider_status=word,
        error_code=code,
        error_text=words,
        occurred_on=moment(fields.get("time", "")),
        raw={**fields, "answer": answer},
    )


def moment(seconds: str) -> datetime | None:
    """Return the time for seconds since 1970; None if there is none to be read."""
    if not re.fullmatch(r"[0-9]{1,11}", seconds, re.ASCII):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _read(value: int, answer: str) -> tuple[Status, str, str, str]:
    """Return the status, the provider's word for it, the error's code and its words."""
    status, word = next(
        (meaning for bit, meaning in MEANINGS.items() if value & bit),
        (Status.UNKNOWN, str(value)),
    )
    if status is Status.REFUSED:
        refusal = REFUSAL.match(answer)
        code, words = refusal.groups() if refusal else ("", answer)
        return status, word, code or "", words or _told(value, word)
    state = STATE.search(answer)
    if state:
        word = state[1].upper()
    if not status.is_failure:
        return status, word, "", ""
    if word in FAILURES:
        stated, words = FAILURES[word]
        # 34 says expired, even if the receipt's text is vaguer.
        status = stated if status is Status.FAILED else status
    else:
        words = answer or _told(value, word)
    error = ERROR.search(answer)
    return status, word, error[1] if error else "", words


def _told(value: int, word: str) -> str:
    return f"Kannel reports {value}: {word}."
