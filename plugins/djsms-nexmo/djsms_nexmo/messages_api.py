"""Webhooks in the format of the Messages API, which an account's switch chooses for all of them.

A JSON object with ``message_uuid``; signed, if at all, by a token in the header ``Authorization``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from djsms import IncomingText, Status, StatusReport, international
from djsms.exceptions import Forged, InvalidWebhook, Misdirected
from djsms.http import json_object

from djsms_nexmo.answers import CURRENCY
from djsms_nexmo.codes import EVENT_ERRORS, EVENT_STATUSES, explain
from djsms_nexmo.payload import is_json
from djsms_nexmo.values import moment, money

if TYPE_CHECKING:
    from django.http import HttpRequest
    from jwt import PyJWS

__all__ = ["event", "reports", "texts", "verify"]

ALGORITHM = "HS256"
ISSUER = "Vonage"
# Seconds that the clocks may differ.
LEEWAY = 60

logger = logging.getLogger("djsms.nexmo")


def event(request: HttpRequest) -> dict[str, Any] | None:
    """Return the event in the request, or None if it is of another format."""
    if not is_json(request):
        return None
    found = json_object(request)
    return found if "message_uuid" in found else None


def verify(request: HttpRequest, *, secret: str, api_key: str) -> Mapping[str, Any]:
    """Return the claims of the request's token; raise ``Forged`` unless it covers the request.

    The hash of the body is compulsory, or a token once seen would fit any body. A token seen twice
    is harmless: what it covers is what counted the first time.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Forged("The request has no token in its header Authorization.")
    claims = _claims(token.strip(), secret)
    if claims.get("iss") != ISSUER:
        raise Forged("The token was not issued by Vonage.")
    if claims.get("api_key") != api_key:
        raise Forged("The token belongs to another account than api_key.")
    claimed = str(claims.get("payload_hash", "")).lower().encode("utf-8", "surrogatepass")
    # Of the bytes that came: the same object written again has another one.
    if not hmac.compare_digest(claimed, hashlib.sha256(request.body).hexdigest().encode()):
        raise Forged("The token covers another body.")
    _refuse_untimely(claims)
    return claims


def reports(found: Mapping[str, Any]) -> list[StatusReport]:
    """Return the status report in an event; nothing for channels other than text messages."""
    if not _is_text_message(found):
        return []
    word = _text(found, "status")
    if not word:
        raise Misdirected("The event has no status; perhaps it is an incoming text.")
    error, usage = _object(found, "error"), _object(found, "usage")
    code = _code(error)
    price = money(_text(usage, "price"))
    status = EVENT_STATUSES.get(word.strip().lower(), Status.UNKNOWN)
    return [
        StatusReport(
            status=status,
            provider_status=word,
            provider_id=_identity(found),
            ref=_text(found, "client_ref"),
            error_code=code,
            error_text=explain(EVENT_ERRORS, code, status) or _text(error, "detail"),
            price=price,
            currency="" if price is None else _text(usage, "currency") or CURRENCY,
            occurred_on=moment(_text(found, "timestamp")),
            raw=found,
        )
    ]


def texts(found: Mapping[str, Any]) -> list[IncomingText]:
    """Return the incoming text in an event, already joined; nothing for other channels."""
    if not _is_text_message(found):
        return []
    if _text(found, "status"):
        raise Misdirected("This is a status report at the address for incoming texts.")
    frm, to = _text(found, "from"), _text(found, "to")
    if not (frm and to):
        raise InvalidWebhook("The event lacks from or to, so it is no incoming text.")
    return [
        IncomingText(
            frm=international(frm),
            to=international(to),
            text=_text(found, "text"),
            provider_id=_identity(found),
            received_on=moment(_text(found, "timestamp")),
            raw=found,
        )
    ]


def _refuse_untimely(claims: Mapping[str, Any]) -> None:
    # Vonage's tokens say neither; if one does, it means it.
    now = time.time()
    begin, end = claims.get("nbf", now), claims.get("exp", now)
    for value in (begin, end):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise Forged("The token has a time that is none.")
    if not begin - LEEWAY <= now <= end + LEEWAY:
        raise Forged("The token is not valid yet, or not any more.")


def _code(error: Mapping[str, Any]) -> str:
    """Return the code of an error: its title, or else what its type ends with."""
    title = _text(error, "title")
    if title.isdecimal():
        return title
    _, _, fragment = _text(error, "type").rpartition("#")
    return fragment if fragment.isdecimal() else title


def _claims(token: str, secret: str) -> Mapping[str, Any]:
    from jwt.exceptions import PyJWTError

    try:
        payload = _verifier().decode(token, secret, algorithms=[ALGORITHM])
        claims = json.loads(payload)
    # Tokens made to be hostile get past what PyJWT catches itself.
    except (PyJWTError, ValueError, RecursionError, TypeError) as error:
        raise Forged("The token of the request is wrong: check signature_secret.") from error
    if not isinstance(claims, dict):
        raise Forged("The token of the request has no claims.")
    return claims


@cache
def _verifier() -> PyJWS:
    from jwt import PyJWS
    from jwt.algorithms import HMACAlgorithm

    class AnyLength(HMACAlgorithm):
        def check_key_length(self, key: Any) -> None:
            # Vonage makes the secret, so a warning about its length with each request helps nobody.
            return None

    verifier = PyJWS(algorithms=[ALGORITHM])
    verifier.unregister_algorithm(ALGORITHM)
    verifier.register_algorithm(ALGORITHM, AnyLength(HMACAlgorithm.SHA256))
    return verifier


def _identity(found: Mapping[str, Any]) -> str:
    identity = _text(found, "message_uuid")
    if not identity:
        raise InvalidWebhook("message_uuid is empty.")
    return identity


def _is_text_message(found: Mapping[str, Any]) -> bool:
    channel = _text(found, "channel").lower() or "sms"
    if channel != "sms":
        logger.warning(
            "An event of the channel %.20r is left alone; it is no text message.", channel
        )
    return channel == "sms"


def _object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
