"""Incoming texts: whole, since Twilio joins the parts of long ones."""

from __future__ import annotations

from djsms import IncomingText, international
from djsms.exceptions import InvalidWebhook, Misdirected

from djsms_twilio.codes import INCOMING_WORDS
from djsms_twilio.payload import Fields, single

__all__ = ["CONTENT", "opt_out_word", "texts"]

# What an incoming text has, at least one of them, and a status report never.
CONTENT = frozenset({"Body", "NumMedia", "NumSegments"})

# What Twilio acts upon by itself, unless the account has other words.
WORDS = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"), "STOP"),
    **dict.fromkeys(("REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "UNSTOP", "YES"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}


def texts(fields: Fields) -> list[IncomingText]:
    """Return the incoming text in the parameters of a request.

    All parameters are in ``raw``, and among them the addresses of media; ``opt_out`` besides if it
    says STOP, START or HELP. Raises ``Misdirected`` if the parameters are a status report,
    ``InvalidWebhook`` if they are no incoming text either.
    """
    word = single(fields, "MessageStatus", "SmsStatus").strip().lower()
    if word and word not in INCOMING_WORDS:
        raise Misdirected("This is a status report at the address for incoming texts.")
    frm, to = single(fields, "From"), single(fields, "To")
    if not (frm and to):
        raise InvalidWebhook("The request lacks From or To, so it is no incoming text.")
    if not (word or fields.keys() & CONTENT):
        raise InvalidWebhook("The request has neither Body nor NumMedia.")
    text = single(fields, "Body")
    opt_out = single(fields, "OptOutType").upper() or opt_out_word(text)
    return [
        IncomingText(
            frm=international(frm),
            to=international(to),
            text=text,
            provider_id=single(fields, "MessageSid", "SmsMessageSid", "SmsSid"),
            raw={**fields, "opt_out": opt_out} if opt_out else fields,
        )
    ]


def opt_out_word(text: str) -> str:
    """Return STOP, START or HELP if the whole text is a word that Twilio takes so; else nothing."""
    return WORDS.get(text.strip().upper(), "")
