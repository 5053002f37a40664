"""Vonage's codes: what they mean, and what follows from them.

Three separate lists, in which one number means different things: the ``status`` of a part in the
answer to a request, the ``err-code`` of a delivery receipt, and the error of a Messages API event.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple

from djsms import Status
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)

__all__ = [
    "EVENT_ERRORS",
    "EVENT_STATUSES",
    "RECEIPT_ERRORS",
    "RECEIPT_STATUSES",
    "SEND_ERRORS",
    "Advice",
    "SendCode",
    "explain",
]


class SendCode(NamedTuple):
    """A refusal in the answer to a request."""

    meaning: str
    error: type[SendError] = Refused


SEND_ERRORS: Mapping[str, SendCode] = {
    "1": SendCode("more messages a second than the account may send", Throttled),
    "2": SendCode("a required parameter is missing"),
    "3": SendCode("the value of a parameter is not valid"),
    "4": SendCode("wrong API key or API secret, or the account is disabled", AuthenticationFailed),
    # Officially an internal error and nothing more. Whether the message went out is not told, and
    # Vonage has no idempotency key: sending it again may deliver it twice.
    "5": SendCode("internal error of the platform", OutcomeUnknown),
    "6": SendCode("the platform could not process it, as for an unknown number prefix"),
    "7": SendCode("the recipient's number is barred", RecipientBlocked),
    "8": SendCode("the account is suspended"),
    "9": SendCode("the account has not enough credit", InsufficientFunds),
    "10": SendCode("more simultaneous connections than the account may have", Throttled),
    "11": SendCode("the account is not enabled for the SMS API"),
    "12": SendCode("the message is too long"),
    "13": SendCode("not submitted, the communication failed", TemporarilyUnavailable),
    "14": SendCode("the signature of the request is wrong", AuthenticationFailed),
    "15": SendCode("the sender is not allowed"),
    "16": SendCode("ttl is not valid"),
    "17": SendCode("blocked for its content or by the provider's restrictions"),
    "18": SendCode("too many recipients"),
    "19": SendCode("not allowed for this account"),
    "20": SendCode("the message class is not valid"),
    "22": SendCode("the network code does not fit the recipient's country"),
    "23": SendCode("the callback address is too long, or not a valid address"),
    "29": SendCode("the account is in demo mode and the recipient is not on its list"),
    "32": SendCode("a signed request also had the API secret", AuthenticationFailed),
    "33": SendCode("the recipient's number is de-activated", RecipientBlocked),
    "34": SendCode("the recipient's number is missing or not valid"),
}
"""The ``status`` of a part in the answer; codes that are not listed are plain refusals."""


class Advice(enum.StrEnum):
    """What to do about a message that was not delivered. A new try is a new, paid message."""

    NONE = ""
    RETRY_LATER = "may be sent again later"
    STOP = "stop sending to this number"
    CORRECT = "correct the text, the sender or its registration"
    ASK_SUPPORT = "ask Vonage's support if it persists"


class ErrorCode(NamedTuple):
    """Why a message was not delivered, or not yet."""

    meaning: str
    advice: Advice = Advice.NONE


RECEIPT_STATUSES: Mapping[str, Status] = {
    "accepted": Status.SENT,
    # Held back for later: that it was handed on is not said.
    "buffered": Status.SENDING,
    "delivered": Status.DELIVERED,
    "expired": Status.EXPIRED,
    "failed": Status.FAILED,
    "rejected": Status.REJECTED,
    "unknown": Status.UNKNOWN,
    # In no document on these receipts; a support article lists them among the carriers' words.
    "deleted": Status.FAILED,
    "undelivered": Status.FAILED,
}
"""The ``status`` of a delivery receipt, in lower case."""

RECEIPT_ERRORS: Mapping[str, ErrorCode] = {
    "1": ErrorCode("unknown reason"),
    "2": ErrorCode("handset unreachable for the time being", Advice.RETRY_LATER),
    "3": ErrorCode("number no longer in use", Advice.STOP),
    "4": ErrorCode("barred by the recipient", Advice.STOP),
    "5": ErrorCode("trouble after the number was ported", Advice.ASK_SUPPORT),
    "6": ErrorCode("rejected as spam by the carrier", Advice.CORRECT),
    "7": ErrorCode("handset busy", Advice.RETRY_LATER),
    "8": ErrorCode("network error", Advice.RETRY_LATER),
    "9": ErrorCode("the recipient has opted out", Advice.STOP),
    "10": ErrorCode("the message is not valid, as with a wrong encoding", Advice.CORRECT),
    "11": ErrorCode("no route to the recipient's network", Advice.ASK_SUPPORT),
    "12": ErrorCode("the number cannot be reached", Advice.STOP),
    "13": ErrorCode("content not allowed for the age of the recipient", Advice.CORRECT),
    "14": ErrorCode("blocked by the carrier for this number", Advice.STOP),
    "15": ErrorCode("the recipient's prepaid account has no funds", Advice.RETRY_LATER),
    "16": ErrorCode("quota of the gateway exceeded", Advice.RETRY_LATER),
    "50": ErrorCode("entity-id missing or not registered", Advice.CORRECT),
    "51": ErrorCode("sender not registered", Advice.CORRECT),
    "52": ErrorCode("content-id missing or not registered", Advice.CORRECT),
    "53": ErrorCode("no consent of the recipient", Advice.CORRECT),
    "54": ErrorCode("against a regulation", Advice.ASK_SUPPORT),
    "99": ErrorCode("general error, mostly of the route", Advice.ASK_SUPPORT),
}
"""The ``err-code`` of a delivery receipt; ``0`` is no error."""

EVENT_STATUSES: Mapping[str, Status] = {
    "submitted": Status.SENT,
    "delivered": Status.DELIVERED,
    "rejected": Status.REJECTED,
    "undeliverable": Status.FAILED,
}
"""The ``status`` of a Messages API event, in lower case."""

EVENT_ERRORS: Mapping[str, ErrorCode] = {
    "1000": ErrorCode(SEND_ERRORS["1"].meaning, Advice.RETRY_LATER),
    "1010": ErrorCode(SEND_ERRORS["2"].meaning, Advice.CORRECT),
    "1020": ErrorCode(SEND_ERRORS["3"].meaning, Advice.CORRECT),
    "1030": ErrorCode(SEND_ERRORS["5"].meaning, Advice.ASK_SUPPORT),
    "1040": ErrorCode(SEND_ERRORS["6"].meaning, Advice.CORRECT),
    "1050": ErrorCode(SEND_ERRORS["7"].meaning, Advice.STOP),
    "1060": ErrorCode(SEND_ERRORS["8"].meaning, Advice.ASK_SUPPORT),
    "1070": ErrorCode("the account's quota or credit is used up"),
    "1080": ErrorCode(SEND_ERRORS["11"].meaning, Advice.ASK_SUPPORT),
    "1090": ErrorCode(SEND_ERRORS["12"].meaning, Advice.CORRECT),
    "1100": ErrorCode(SEND_ERRORS["13"].meaning, Advice.RETRY_LATER),
    "1110": ErrorCode(SEND_ERRORS["14"].meaning, Advice.CORRECT),
    "1120": ErrorCode(SEND_ERRORS["15"].meaning, Advice.CORRECT),
    "1130": ErrorCode(SEND_ERRORS["16"].meaning, Advice.CORRECT),
    "1140": ErrorCode(SEND_ERRORS["19"].meaning, Advice.ASK_SUPPORT),
    "1150": ErrorCode(SEND_ERRORS["20"].meaning, Advice.CORRECT),
    "1160": ErrorCode(SEND_ERRORS["29"].meaning, Advice.CORRECT),
    "1170": ErrorCode(SEND_ERRORS["34"].meaning, Advice.CORRECT),
    "1180": RECEIPT_ERRORS["2"],
    "1190": RECEIPT_ERRORS["3"],
    "1200": RECEIPT_ERRORS["5"],
    "1210": RECEIPT_ERRORS["6"],
    "1220": RECEIPT_ERRORS["7"],
    "1230": RECEIPT_ERRORS["8"],
    "1240": RECEIPT_ERRORS["9"],
    "1241": ErrorCode("too many messages to this number", Advice.RETRY_LATER),
    "1250": RECEIPT_ERRORS["11"],
    "1260": RECEIPT_ERRORS["12"],
    "1270": RECEIPT_ERRORS["13"],
    "1280": RECEIPT_ERRORS["14"],
    "1290": RECEIPT_ERRORS["15"],
    "1330": RECEIPT_ERRORS["1"],
    "1331": ErrorCode("the provider does not respond", Advice.RETRY_LATER),
    "1360": ErrorCode("not delivered within its ttl", Advice.RETRY_LATER),
}
"""The error of a Messages API event, as far as it concerns text messages."""


def explain(errors: Mapping[str, ErrorCode], code: str, status: Status) -> str:
    """Return what the code means; empty for a code that is not known.

    Also what to do about it, but only if the message failed: Vonage is still trying otherwise.
    """
    if code not in errors:
        return ""
    meaning, advice = errors[code]
    return f"{meaning}; {advice}" if advice and status.is_failure else meaning
