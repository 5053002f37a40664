"""What every backend must do, for accounts without and with a signature secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from djsms.testing import NEW_ID, Answer, BackendConformance, Provider, Recorded
from vonage_server import API_KEY, API_SECRET, SIGNATURE_SECRET
from vonage_webhooks import (
    EVENT_INCOMING,
    EVENT_REPORT,
    INCOMING,
    RECEIPT,
    REPORT,
    STATUS_EVENT,
    TEXT,
    TEXT_EVENT,
    in_each_shape,
    recorded_event,
    signed,
    signed_event,
)


def parts(*statuses: str) -> Answer:
    """Return the answer to a message of these parts."""
    messages = [
        {"status": status, "message-id": f"{NEW_ID}-{number}", "error-text": "Some words"}
        for number, status in enumerate(statuses)
    ]
    return Answer(200, {"message-count": str(len(messages)), "messages": messages})


def sign(request: Recorded, moment: datetime) -> Recorded:
    """Return the request as Vonage signs it, as far as it is one that it could sign."""
    seconds = int(moment.timestamp())
    if request.method == "GET":
        return replace(request, query=signed_form(request.query, seconds))
    if not request.body.lstrip().startswith(b"{"):
        body = signed_form(request.body.decode("latin-1"), seconds)
        return replace(request, body=body.encode())
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return request
    if "message_uuid" in value:
        token = signed_event(request.body, iat=seconds).headers["Authorization"]
        return replace(request, headers={**request.headers, "Authorization": token})
    if not all(isinstance(item, str) for item in value.values()):
        return request
    return replace(request, body=json.dumps(signed(value, timestamp=str(seconds))).encode())


def signed_form(text: str, seconds: int) -> str:
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return urlencode(signed(fields, timestamp=str(seconds)))


class TestNexmo(BackendConformance):
    name = "nexmo"
    secrets = ("api_secret",)
    answers = {
        "accepted": parts("0", "0"),
        "refused": parts("15"),
        "throttled": parts("1"),
        "authentication_failed": parts("4"),
        "insufficient_funds": parts("9"),
        "recipient_blocked": parts("33"),
        "temporarily_unavailable": parts("13"),
        "outcome_unknown": parts("5"),
    }
    callback_samples = (
        *in_each_shape(RECEIPT, REPORT),
        recorded_event(STATUS_EVENT, EVENT_REPORT),
    )
    incoming_samples = (*in_each_shape(TEXT, INCOMING), recorded_event(TEXT_EVENT, EVENT_INCOMING))

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {"api_key": API_KEY, "api_secret": API_SECRET, "base_url": provider.url}


class TestNexmoSigned(TestNexmo):
    secrets = ("signature_secret",)
    callback_samples = (
        *in_each_shape(signed(RECEIPT), REPORT),
        recorded_event(STATUS_EVENT, EVENT_REPORT),
    )
    incoming_samples = (
        *in_each_shape(signed(TEXT), INCOMING),
        recorded_event(TEXT_EVENT, EVENT_INCOMING),
    )

    def sign_at(self, request: Recorded, moment: datetime) -> Recorded:
        return sign(request, moment)

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "api_key": API_KEY,
            "signature_secret": SIGNATURE_SECRET,
            "signature_method": "sha256",
            "webhook_max_age": 3600,
            "base_url": provider.url,
        }
