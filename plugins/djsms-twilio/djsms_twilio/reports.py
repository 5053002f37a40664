"""Status callbacks: a word, and an error code if it is a bad one; no time and no price."""

from __future__ import annotations

from djsms import StatusReport
from djsms.exceptions import InvalidWebhook, Misdirected

from djsms_twilio import values
from djsms_twilio.addresses import ref_in
from djsms_twilio.codes import INCOMING_WORDS, meaning, status_of
from djsms_twilio.incoming import CONTENT
from djsms_twilio.payload import Fields, single

__all__ = ["of_webhook"]


def of_webhook(fields: Fields, query: str) -> list[StatusReport]:
    """Return the status report in the parameters of a request; our reference is in its query.

    Raises ``Misdirected`` if they are an incoming text, ``InvalidWebhook`` if they are no report
    or one that names no message.
    """
    word = single(fields, "MessageStatus", "SmsStatus").strip()
    if word.lower() in INCOMING_WORDS or (not word and fields.keys() & CONTENT):
        if fields.keys() & CONTENT:
            raise Misdirected("This is an incoming text at the address for status reports.")
        return []
    if not word:
        raise InvalidWebhook("The request has no MessageStatus.")
    provider_id, ref = single(fields, "MessageSid", "SmsSid"), ref_in(query)
    if not (provider_id or ref):
        raise InvalidWebhook("The report has no MessageSid.")
    code = values.code({"code": single(fields, "ErrorCode")}, "code")
    return [
        StatusReport(
            status=status_of(word, code),
            provider_id=provider_id,
            ref=ref,
            provider_status=word,
            error_code=code,
            error_text=single(fields, "ErrorMessage") or meaning(code),
            raw=fields,
        )
    ]
