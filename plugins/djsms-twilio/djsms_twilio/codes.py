"""Twilio's error codes and status words: what they mean, and what follows from them."""

from __future__ import annotations

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

__all__ = ["ERRORS", "INCOMING_WORDS", "REPORT_CODES", "Code", "meaning", "status_of"]


class Code(NamedTuple):
    """A refusal in the answer to a request."""

    meaning: str
    error: type[SendError] = Refused


ERRORS: Mapping[str, Code] = {
    "10001": Code("the account is not active: no credit left, or suspended", InsufficientFunds),
    "14107": Code("more messages a second than the account may send", Throttled),
    "20001": Code("a parameter is not valid"),
    "20003": Code("wrong SID, auth token or API key", AuthenticationFailed),
    "20004": Code("this method is not allowed there"),
    "20005": Code("the account is not active: no credit left, or suspended", InsufficientFunds),
    "20006": Code("access denied", AuthenticationFailed),
    "20008": Code(
        "these are the account's test credentials, which can do nothing but send to nobody",
        AuthenticationFailed,
    ),
    "20010": Code("the account may not use this API", AuthenticationFailed),
    "20101": Code("the access token is not valid", AuthenticationFailed),
    "20102": Code("the access token's header is not valid", AuthenticationFailed),
    "20103": Code("the access token's issuer is not valid", AuthenticationFailed),
    "20104": Code("the access token is expired", AuthenticationFailed),
    "20105": Code("the access token is not yet valid", AuthenticationFailed),
    "20106": Code("the access token's grants are not valid", AuthenticationFailed),
    "20107": Code("the access token's signature is not valid", AuthenticationFailed),
    "20404": Code("there is no such account or resource: check the SIDs and the region"),
    "20429": Code("too many requests at once", Throttled),
    # Says of itself that a request that is repeated may send twice.
    "20500": Code("internal error of Twilio", OutcomeUnknown),
    "21211": Code("the recipient is no valid number"),
    "21212": Code("the sender is no valid number"),
    "21217": Code("the recipient is no valid number"),
    "21408": Code("the account may not send to this region: enable it in the geo permissions"),
    "21602": Code("the text is missing"),
    "21603": Code("the sender is missing"),
    "21604": Code("the recipient is missing"),
    "21605": Code("the text is too long"),
    "21606": Code("the sender is no number of this account that can send texts"),
    "21607": Code("the sender cannot send texts"),
    "21608": Code("a trial account sends to verified numbers only"),
    "21609": Code("the address for status reports is not valid"),
    "21610": Code("the recipient has opted out from this sender", RecipientBlocked),
    "21611": Code("this sender's queue is full", TemporarilyUnavailable),
    "21612": Code("this sender cannot reach this recipient"),
    "21614": Code("the recipient is no mobile number"),
    "21616": Code("the sender matches several numbers"),
    "21617": Code("the text is longer than 1600 characters"),
    "21618": Code("the text is not allowed"),
    # Whether there is a record after all is not said.
    "21619": Code("Twilio could not make a record of the message", OutcomeUnknown),
    "21624": Code("the validity period is not valid"),
    "21635": Code("the recipient is a landline"),
    "21657": Code("the sender cannot be used"),
    "21658": Code("a parameter of the text is not valid"),
    "21659": Code("the sender is no number or short code of this account"),
    "21660": Code("the sender belongs to another account"),
    "21701": Code("the messaging service does not exist"),
    "21702": Code("the messaging service is not valid"),
    "21703": Code("the messaging service has no sender"),
    "21704": Code("the messaging service has no sender that can do this"),
    "21705": Code("the messaging service's SID is not valid"),
    "21708": Code("the name as a sender is not valid"),
    "21709": Code("the name as a sender is not allowed"),
    "21711": Code("the sender is not in the messaging service's pool"),
    "30012": Code("the validity period is too short"),
    "30013": Code("the validity period is too long"),
    "30028": Code("the content does not fit its template"),
    "30029": Code("the content does not fit its template"),
    "30030": Code("the content does not fit its template"),
    "30031": Code("the content does not fit its template"),
    "63017": Code("more messages a second than the sender may send", Throttled),
    "63018": Code("more messages than the channel's limit", Throttled),
    "70051": Code("the API key may not do this", AuthenticationFailed),
    "90007": Code("a parameter is not valid"),
}
"""What the answer to a request may say. A code that is not here is a refusal as well."""

REPORT_CODES: Mapping[str, str] = {
    "21610": "the recipient has opted out from this sender",
    "30001": "the sender's queue was full, or the text waited too long",
    "30002": "the account was suspended: no credit left, or for another reason",
    "30003": "the handset cannot be reached; it may be off",
    "30004": "blocked; stop sending to this number",
    "30005": "unknown or inactive number; stop sending to it",
    "30006": "a landline, or a carrier that cannot be reached",
    "30007": "filtered as unwanted, by the carrier or by Twilio",
    "30008": "unknown error of the carrier",
    "30009": "a part of the text is missing",
    "30010": "it would have cost more than the greatest price allowed",
    "30011": "the carrier does not take media",
    "30014": "the media do not fit the channel",
    "30015": "the content does not fit the channel",
    "30016": "the content does not fit the channel",
    "30017": "the carrier is congested",
    "30018": "the sender has to be registered first",
    "30019": "the content is too big for the carrier",
    "30020": "internal failure",
    "30021": "internal failure",
    "30022": "more messages than the US campaign may send at once",
    "30023": "more messages than the US brand may send a day",
    "30024": "the sender is not set up at the carrier",
    "30025": "half of the day's messages of the US brand are used up",
    "30026": "70 % of the day's messages of the US brand are used up",
    "30027": "the day's messages of the US campaign are used up",
    "30032": "the toll-free number is not verified",
    "30033": "the US campaign is suspended",
    "30034": "the US number is not registered",
    "30035": "the number is still being set up",
    "30036": "its validity period ended before it could be sent",
    "30410": "the carrier did not answer in time",
    "30450": "its delivery was blocked",
}
"""What may stand in ``ErrorCode`` of a status callback."""

STATUSES: Mapping[str, Status] = {
    **dict.fromkeys(("accepted", "queued", "scheduled", "sending"), Status.SENDING),
    "sent": Status.SENT,
    **dict.fromkeys(("delivered", "read", "partially_delivered"), Status.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), Status.FAILED),
}
INCOMING_WORDS = frozenset({"receiving", "received"})

# The carrier's doing, or Twilio's; what is not here was lost on the way.
UNDELIVERED: Mapping[str, Status] = {
    **dict.fromkeys(("30004", "30007", "30018", "30034", "30450"), Status.REJECTED),
    "21610": Status.REFUSED,
    "30036": Status.EXPIRED,
}
FAILED: Mapping[str, Status] = {
    **dict.fromkeys(("30001", "30002", "30010", "30027", "30032", "30033"), Status.REFUSED),
    **dict.fromkeys(map(str, range(30017, 30025)), Status.REFUSED),
    **dict.fromkeys(("30035", "30450"), Status.REFUSED),
    "30036": Status.EXPIRED,
}
# Errors of the request and of a channel: found before anything was sent.
REFUSED_PREFIXES = ("21", "63")


def status_of(word: str, code: str) -> Status:
    """Return what a status word and its error code amount to; ``UNKNOWN`` for a new word."""
    word = word.lower()
    if word == "undelivered":
        return UNDELIVERED.get(code, Status.FAILED)
    if word == "failed":
        if len(code) == 5 and code.startswith(REFUSED_PREFIXES):
            return Status.REFUSED
        return FAILED.get(code, Status.FAILED)
    return STATUSES.get(word, Status.UNKNOWN)


def meaning(code: str) -> str:
    """Return in words why a message failed; empty for a code that is not known here."""
    if code in REPORT_CODES:
        return REPORT_CODES[code]
    return ERRORS[code].meaning if code in ERRORS else ""
