"""Webhook requests as Twilio makes and signs them, written down anew and not by the plugin."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest
from django.test import RequestFactory
from djsms import IncomingText, Status, StatusReport
from djsms.testing import Recorded
from twilio_server import ACCOUNT_SID, AUTH_TOKEN

BASE = "https://example.com"
FORM = "application/x-www-form-urlencoded"
REF = "00112233445566778899aabbccddeeff"
SID = "SM11111111111111111111111111111111"

CALLBACK = {
    "AccountSid": ACCOUNT_SID,
    "ApiVersion": "2010-04-01",
    "From": "+15550100001",
    "MessageSid": SID,
    "MessageStatus": "delivered",
    "RawDlrDoneDate": "2611251000",
    "SmsSid": SID,
    "SmsStatus": "delivered",
    "To": "+447700900123",
}
INCOMING = {
    "AccountSid": ACCOUNT_SID,
    "ApiVersion": "2010-04-01",
    "Body": " Grüße & 1+1=2 € 😀 ",
    "From": "+447700900123",
    "FromCity": "",
    "FromCountry": "GB",
    "MessageSid": SID,
    "NumMedia": "0",
    "NumSegments": "1",
    "SmsMessageSid": SID,
    "SmsSid": SID,
    "SmsStatus": "received",
    "To": "+15550100001",
    "ToCity": "",
}
REPORT = StatusReport(
    status=Status.DELIVERED, provider_id=SID, ref=REF, provider_status="delivered"
)
TEXT = IncomingText(
    frm="+447700900123", to="+15550100001", text=" Grüße & 1+1=2 € 😀 ", provider_id=SID
)


def signature(
    url: str, pairs: list[tuple[str, str]], *, key: str = AUTH_TOKEN, algorithm: str = "sha1"
) -> str:
    data = url + "".join(name + value for name, value in sorted(set(pairs)))
    mac = hmac.new(key.encode(), data.encode("utf-8", "surrogatepass"), algorithm)
    return base64.b64encode(mac.digest()).decode()


def request(
    fields: dict[str, str] | list[tuple[str, str]] | str,
    *,
    path: str = "/",
    query: str = "",
    method: str = "POST",
    key: str | None = AUTH_TOKEN,
    base: str = BASE,
    **headers: str,
) -> HttpRequest:
    """Return a request of Twilio's; with ``key=None`` it is not signed."""
    body = fields if isinstance(fields, str) else urlencode(fields)
    if method == "GET":
        query, body = "&".join(filter(None, (query, body))), ""
    url = f"{base}{path}" + (f"?{query}" if query else "")
    pairs = parse_qsl(body, keep_blank_values=True)
    if key is not None:
        headers.setdefault("X-Twilio-Signature", signature(url, pairs, key=key))
    return RequestFactory().generic(
        method, path, body.encode(), FORM, QUERY_STRING=query, headers=headers
    )


def signed(recorded: Recorded, key: str = AUTH_TOKEN) -> Recorded:
    """Return a recorded request as Twilio signs it, as far as it is one that it could sign."""
    query, pairs = recorded.query, []
    if recorded.method == "POST" and recorded.content_type == FORM:
        try:
            pairs = parse_qsl(recorded.body.decode(), keep_blank_values=True, errors="strict")
        except ValueError:
            return recorded
        if recorded.body.lstrip()[:1] == b"{":
            return recorded
    elif recorded.method == "POST":
        others = [part for part in query.split("&") if part and "bodySHA256=" not in part]
        digest = hashlib.sha256(recorded.body).hexdigest()
        query = "&".join([*others, f"bodySHA256={digest}"])
    url = f"https://{recorded.host}{recorded.path}" + (f"?{query}" if query else "")
    try:
        right = signature(url, pairs, key=key)
    except ValueError:
        return recorded
    headers = {**recorded.headers, "X-Twilio-Signature": right}
    return replace(recorded, query=query, headers=headers)


def callback_samples(sign: Any = signed) -> tuple[Recorded, ...]:
    query = f"ref={REF}"
    return (
        sign(Recorded.form(CALLBACK, [replace(REPORT, raw=CALLBACK)], query=query)),
        sign(Recorded.json(CALLBACK, [REPORT], query=query)),
        sign(Recorded.get(f"{urlencode(CALLBACK)}&{query}", [REPORT])),
        sign(
            Recorded.form(
                {
                    **CALLBACK,
                    "MessageStatus": "undelivered",
                    "SmsStatus": "undelivered",
                    "ErrorCode": "30003",
                },
                [
                    StatusReport(
                        status=Status.FAILED,
                        provider_id=SID,
                        provider_status="undelivered",
                        error_code="30003",
                        error_text="the handset cannot be reached; it may be off",
                    )
                ],
            )
        ),
    )


def incoming_samples(sign: Any = signed) -> tuple[Recorded, ...]:
    return (
        sign(Recorded.form(INCOMING, [replace(TEXT, raw=INCOMING)])),
        sign(Recorded.get(INCOMING, [TEXT])),
        sign(Recorded.json(INCOMING, [TEXT])),
    )
