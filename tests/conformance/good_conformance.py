"""The conformance test of the backends in ``good``, and of those that are bad in one way each."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from djsms import IncomingText, Status, StatusReport
from djsms.testing import NEW_ID, Answer, BackendConformance, Provider, Recorded

TOKEN = "not-a-real-token-0001"


def signed(request: Recorded) -> Recorded:
    signature = hmac.new(TOKEN.encode(), request.body, hashlib.sha256).hexdigest()
    return replace(request, headers={"X-Signature": signature})


def timed(request: Recorded, moment: datetime) -> Recorded:
    signature = signed(request).headers["X-Signature"]
    made = int(moment.timestamp())
    return replace(request, headers={"X-Signature": f"t={made},v1={signature}"})


class TestBackend(BackendConformance):
    name = "good"
    patience = 1.0
    answers: ClassVar = {
        "accepted": Answer(202, {"id": NEW_ID, "cost": [{"amount": "0.04"}]}),
        "refused": Answer(400, {"error": "no such number"}),
        "throttled": Answer(429, {"error": "slow down"}),
        "authentication_failed": Answer(401, {"error": "who are you?"}),
    }
    callback_samples = (
        signed(
            Recorded.json(
                {"id": "r-1", "status": "delivered", "time": 1774742400},
                [
                    StatusReport(
                        status=Status.DELIVERED,
                        provider_status="delivered",
                        provider_id="r-1",
                        occurred_on=datetime(2026, 3, 29, tzinfo=UTC),
                    )
                ],
            )
        ),
    )
    incoming_samples = (
        signed(
            Recorded.json(
                {
                    "id": "i-1",
                    "from": "+447700900001",
                    "to": "+447700900000",
                    "text": "Yes 👍",
                    "time": 1774742400,
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
            )
        ),
    )
    forged_callbacks = (Recorded.json({"id": "r-1", "status": "lost", "time": 1774742400}),)

    def sign(self, request: Recorded) -> Recorded:
        return signed(request)

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {"token": TOKEN, "url": provider.url}
