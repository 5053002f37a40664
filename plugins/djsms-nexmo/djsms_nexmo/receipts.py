"""Delivery receipts of the SMS API: one a part, in which ``msisdn`` is the handset."""

from __future__ import annotations

from collections.abc import Mapping

from djsms import Status, StatusReport
from djsms.exceptions import InvalidWebhook, Misdirected

from djsms_nexmo.answers import CURRENCY
from djsms_nexmo.codes import RECEIPT_ERRORS, RECEIPT_STATUSES, explain
from djsms_nexmo.incoming import CONTENT
from djsms_nexmo.values import carrier_time, moment, money

__all__ = ["reports"]


def reports(fields: Mapping[str, str]) -> list[StatusReport]:
    """Return the status report in the parameters of a webhook request.

    Raises ``Misdirected`` if they are an incoming text, ``InvalidWebhook`` if they are no receipt
    or one that names no message.
    """
    word = fields.get("status", "").strip()
    if not word and fields.keys() & CONTENT:
        raise Misdirected("This is an incoming text at the address for status reports.")
    if not word:
        raise InvalidWebhook("The request has no status.")
    provider_id, ref = fields.get("messageId", ""), fields.get("client-ref", "")
    if not (provider_id or ref):
        raise InvalidWebhook("The receipt has neither messageId nor client-ref.")
    code = fields.get("err-code", "")
    price = money(fields.get("price", ""))
    status = RECEIPT_STATUSES.get(word.lower(), Status.UNKNOWN)
    return [
        StatusReport(
            status=status,
            provider_status=word,
            provider_id=provider_id,
            ref=ref,
            error_code="" if code == "0" else code,
            error_text=explain(RECEIPT_ERRORS, code, status),
            price=price,
            currency="" if price is None else CURRENCY,
            # The carrier's own time comes second, since its zone is anybody's guess.
            occurred_on=moment(fields.get("message-timestamp", ""))
            or carrier_time(fields.get("scts", "")),
            raw=fields,
        )
    ]
