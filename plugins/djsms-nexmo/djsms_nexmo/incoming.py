"""Incoming texts of the SMS API: a request for each part of a long one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from djsms import IncomingText, PartOf, international
from djsms.exceptions import InvalidWebhook, Misdirected

from djsms_nexmo.values import moment, unix_time

__all__ = ["CONTENT", "texts"]

# What an incoming text has, at least one of them, and a receipt never.
CONTENT = frozenset({"text", "data", "type"})

# The header that the sender's phone makes has one octet for each.
MAX_PARTS = 255

_NUMBER = re.compile(r"[0-9]{1,3}")


def texts(fields: Mapping[str, str]) -> list[IncomingText]:
    """Return the incoming text, or the part of one, in the parameters of a webhook request.

    A binary message has its ``data`` and its header ``udh`` in ``raw``, as hexadecimal digits.
    Raises ``Misdirected`` if the parameters are a status report, ``InvalidWebhook`` if they are no
    incoming text either.
    """
    if fields.get("status", "").strip() and ("err-code" in fields or not fields.keys() & CONTENT):
        raise Misdirected("This is a status report at the address for incoming texts.")
    frm, to = fields.get("msisdn", ""), fields.get("to", "")
    if not (frm and to):
        raise InvalidWebhook("The request lacks msisdn or to, so it is no incoming text.")
    if not fields.keys() & CONTENT:
        raise InvalidWebhook("The request has neither text nor data.")
    return [
        IncomingText(
            frm=international(frm),
            to=international(to),
            text=fields.get("text", ""),
            provider_id=fields.get("messageId", ""),
            received_on=moment(fields.get("message-timestamp", ""))
            or unix_time(fields.get("timestamp", "")),
            part=_part(fields),
            raw=fields,
        )
    ]


def _part(fields: Mapping[str, str]) -> PartOf | None:
    if fields.get("concat", "").lower() != "true":
        return None
    ref = fields.get("concat-ref", "")
    number, total = _count(fields, "concat-part"), _count(fields, "concat-total")
    # With such nonsense the text is better kept by itself than lost.
    if not ref or not 1 <= number <= total <= MAX_PARTS or total == 1:
        return None
    return PartOf(ref=ref, number=number, total=total)


def _count(fields: Mapping[str, str], name: str) -> int:
    value = fields.get(name, "")
    return int(value) if _NUMBER.fullmatch(value) else 0
