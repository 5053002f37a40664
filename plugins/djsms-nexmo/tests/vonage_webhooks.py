"""Webhook requests as Vonage makes them, in each of the shapes that an account can choose."""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import jwt
from django.http import HttpRequest
from django.test import RequestFactory
from djsms import IncomingText, Status, StatusReport
from djsms.testing import Recorded
from djsms_nexmo import signatures
from vonage_server import API_KEY, SIGNATURE_SECRET

SHAPES = ("get", "form", "json")
FORM = "application/x-www-form-urlencoded"

RECEIPT = {
    "msisdn": "447700900000",
    "to": "AcmeInc",
    "network-code": "23410",
    "messageId": "0A00000012345678",
    "price": "0.03330000",
    "status": "delivered",
    "scts": "2001011400",
    "err-code": "0",
    "api-key": API_KEY,
    "message-timestamp": "2020-01-01 14:00:05",
    "client-ref": "0123456789abcdef0123456789abcdef",
}
TEXT = {
    "api-key": API_KEY,
    "msisdn": "447700900001",
    "to": "447700900000",
    "messageId": "0A0000000123ABCD1",
    "text": "Hello world",
    "type": "text",
    "keyword": "HELLO",
    "message-timestamp": "2020-01-01 12:00:00",
}
STATUS_EVENT = {
    "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    "to": "447700900000",
    "from": "AcmeInc",
    "timestamp": "2025-02-03T12:14:25.331Z",
    "status": "rejected",
    "error": {
        "type": "https://developer.vonage.com/api-errors/messages#1240",
        "title": "1240",
        "detail": "The provider's words",
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    },
    "client_ref": "0123456789abcdef0123456789abcdef",
    "usage": {"currency": "EUR", "price": "0.0333"},
    "channel": "sms",
    "sms": {"count_total": "2"},
}
TEXT_EVENT = {
    "channel": "sms",
    "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    "to": "447700900000",
    "from": "447700900001",
    "timestamp": "2025-02-03T12:14:25Z",
    "message_type": "text",
    "text": "Zażółć & = 😀",
    "sms": {"num_messages": "1", "keyword": "ZAŻÓŁĆ"},
    "usage": {"currency": "EUR", "price": "0.0057"},
}


REPORT = StatusReport(
    status=Status.DELIVERED,
    provider_id="0A00000012345678",
    ref="0123456789abcdef0123456789abcdef",
    provider_status="delivered",
    price=Decimal("0.0333"),
    currency="EUR",
    occurred_on=datetime(2020, 1, 1, 14, 0, 5, tzinfo=UTC),
)
INCOMING = IncomingText(
    frm="+447700900001",
    to="+447700900000",
    text="Hello world",
    provider_id="0A0000000123ABCD1",
    received_on=datetime(2020, 1, 1, 12, tzinfo=UTC),
)
EVENT_REPORT = StatusReport(
    status=Status.REJECTED,
    provider_id="aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    ref="0123456789abcdef0123456789abcdef",
    provider_status="rejected",
    error_code="1240",
    error_text="the recipient has opted out; stop sending to this number",
    price=Decimal("0.0333"),
    currency="EUR",
    occurred_on=datetime(2025, 2, 3, 12, 14, 25, 331000, tzinfo=UTC),
)
EVENT_INCOMING = IncomingText(
    frm="+447700900001",
    to="+447700900000",
    text="Zażółć & = 😀",
    provider_id="aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
    received_on=datetime(2025, 2, 3, 12, 14, 25, tzinfo=UTC),
)


def request(fields: dict[str, Any], shape: str = "form") -> HttpRequest:
    """Return the request of a webhook with these parameters."""
    factory = RequestFactory()
    if shape == "get":
        return factory.get("/", query_params=fields)
    if shape == "form":
        return factory.post("/", urlencode(fields), content_type=FORM)
    return factory.post("/", json.dumps(fields).encode(), content_type="application/json")


def signed(fields: dict[str, str], method: str = "sha256", **changes: str) -> dict[str, str]:
    """Return the parameters with a signature, as of now unless they say otherwise."""
    complete = {"timestamp": str(int(time.time())), "nonce": "aaaa-bbbb", **fields, **changes}
    return complete | {"sig": signatures.sign(complete, SIGNATURE_SECRET, method)}


def event(found: dict[str, Any] | bytes, **headers: str) -> HttpRequest:
    """Return the request of an event of the Messages API, unsigned."""
    body = found if isinstance(found, bytes) else json.dumps(found).encode()
    return RequestFactory().post("/", body, content_type="application/json", headers=headers)


def signed_event(
    found: dict[str, Any] | bytes, *, secret: str = SIGNATURE_SECRET, **claims: Any
) -> HttpRequest:
    """Return the request of an event with its token; ``claims`` change those of the token."""
    body = found if isinstance(found, bytes) else json.dumps(found).encode()
    payload = {
        "iat": int(time.time()),
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(body).hexdigest(),
        "api_key": API_KEY,
        **claims,
    }
    present = {name: value for name, value in payload.items() if value is not None}
    token = jwt.encode(present, secret, algorithm="HS256")
    return event(body, Authorization=f"Bearer {token}")


def in_each_shape(fields: dict[str, str], expected: Any) -> tuple[Recorded, ...]:
    """Return the recorded requests of a webhook, one a shape."""
    return tuple(make(fields, [expected]) for make in (Recorded.get, Recorded.form, Recorded.json))


def recorded_event(found: dict[str, Any], expected: Any) -> Recorded:
    """Return the recorded request of an event with its token."""
    made = signed_event(found)
    headers = {"Authorization": made.headers["Authorization"]}
    return Recorded.json(made.body.decode(), [expected], headers=headers)
