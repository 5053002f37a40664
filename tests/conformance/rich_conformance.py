"""The conformance test of the backend ``rich``, and of those that are bad in one way each."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from djsms import Balance, IncomingText, Status, StatusReport
from djsms.testing import NEW_ID, Answer, BackendConformance, Provider, Recorded

SECRETS = ("not-a-real-secret-0001", "not-a-real-secret-0002")
REPORT = {"id": "kit-1", "state": "delivered", "price": 4510, "at": "2026-03-29T00:00:00"}
EXPECTED = StatusReport(
    status=Status.DELIVERED,
    provider_status="delivered",
    provider_id="kit-1",
    price=Decimal("0.0451"),
    currency="EUR",
    occurred_on=datetime(2026, 3, 29, tzinfo=UTC),
)


class TestBackend(BackendConformance):
    name = "rich"
    extra: ClassVar = {"campaign": "spring"}
    answers: ClassVar = {
        "token": Answer(200, {"access_token": NEW_ID, "expires_in": 3600}),
        "accepted": Answer(202, {"messages": [{"id": NEW_ID, "state": "accepted"}], "cost": "0.1"}),
        "refused": [
            Answer(400, {"error": "no such number"}),
            Answer(202, {"messages": [{"id": NEW_ID, "state": "rejected"}], "cost": "0.1"}),
        ],
        "throttled": Answer(429, {"error": "slow down"}),
        "authentication_failed": Answer(401, {"error": "who are you?"}),
        "reports": Answer(200, {"reports": [REPORT]}),
        "balance": Answer(200, {"balance": "12.30"}),
    }
    expected_reports = (EXPECTED,)
    expected_balance = Balance(amount=Decimal("12.3"), currency="EUR")
    callback_samples = (Recorded.json({"batch": "1", "reports": [REPORT]}, [EXPECTED]),)
    incoming_samples = (
        Recorded.json(
            {
                "messages": [
                    {
                        "id": "i-1",
                        "from": "+447700900001",
                        "to": "+447700900000",
                        "text": "Yes 👍",
                        "at": "2026-03-29T00:00:00",
                    }
                ]
            },
            [
                IncomingText(
                    frm="+447700900001",
                    to="+447700900000",
                    text="Yes 👍",
                    provider_id="i-1",
                    received_on=datetime(2026, 3, 29, tzinfo=UTC),
                )
            ],
        ),
    )

    def sign_at(self, request: Recorded, moment: datetime) -> Recorded:
        made = str(int(moment.timestamp()))
        signed = made.encode() + b"." + request.body
        signature = hmac.new(SECRETS[0].encode(), signed, hashlib.sha256).hexdigest()
        return replace(request, headers={"X-Signature": f"t={made},v1={signature}"})

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "client_id": "shop",
            "client_secret": "not-a-real-secret-0003",
            "webhook_secrets": SECRETS,
            "url": provider.url,
        }
