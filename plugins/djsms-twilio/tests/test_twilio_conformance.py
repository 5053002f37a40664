"""What every backend must do: with an auth token, and with an API key that proves no webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from djsms import Balance, SentText, Status, StatusReport
from djsms.testing import NEW_ID, Answer, BackendConformance, Provider, Recorded
from twilio_server import ACCOUNT_SID, API_KEY, API_KEY_SECRET, AUTH_TOKEN, SERVICE_SID
from twilio_webhooks import callback_samples, incoming_samples, signed

SID = "SM22222222222222222222222222222222"
REF = "0123456789abcdef0123456789abcdef"


def error(status: int, code: int) -> Answer:
    return Answer(status, {"code": code, "message": "Some words", "status": status})


class TestTwilio(BackendConformance):
    name = "twilio"
    secrets = ("auth_token",)
    answers = {
        "accepted": Answer(201, {"sid": f"SM{NEW_ID}", "status": "queued", "price": None}),
        "refused": error(400, 21211),
        "throttled": error(429, 20429),
        "authentication_failed": error(401, 20003),
        "insufficient_funds": error(400, 20005),
        "recipient_blocked": error(400, 21610),
        "temporarily_unavailable": error(400, 21611),
        "outcome_unknown": error(500, 20500),
        "reports": Answer(
            200,
            {"sid": SID, "status": "delivered", "price": "-0.00750", "price_unit": "USD"},
        ),
        "balance": Answer(200, {"balance": "11.070", "currency": "USD"}),
    }
    expected_reports = (
        StatusReport(
            provider_id=SID,
            ref=REF,
            status=Status.DELIVERED,
            provider_status="delivered",
            price=Decimal("0.0075"),
            currency="USD",
        ),
    )
    expected_balance = Balance(amount=Decimal("11.07"), currency="USD")
    callback_samples = callback_samples()
    incoming_samples = incoming_samples()

    def sent(self, **fields: Any) -> SentText:
        return super().sent(**{"ref": REF, "provider_ids": (SID,), **fields})

    def sign(self, request: Recorded) -> Recorded:
        return signed(request)

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "base_url": provider.url,
        }


class TestTwilioWithApiKey(TestTwilio):
    secrets = ("api_key_secret",)

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "api_key": API_KEY,
            "api_key_secret": API_KEY_SECRET,
            "messaging_service_sid": SERVICE_SID,
            "base_url": provider.url,
        }


class TestTwilioWithBoth(TestTwilio):
    secrets = ("auth_token", "api_key_secret")

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "api_key": API_KEY,
            "api_key_secret": API_KEY_SECRET,
            "base_url": provider.url,
        }
