"""What every backend must do; what fails, or is skipped as still to be written, is left to do."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from djsms import Balance, IncomingText, PartOf, Status, StatusReport
from djsms.testing import NEW_ID, Answer, BackendConformance, Provider, Recorded

REPORT = {
    "id": "kit-1",
    "reference": "c0ffee",
    "status": "delivered",
    "millicents": 4510,
    "at": "2026-03-29T00:00:00Z",
}
EXPECTED = StatusReport(
    status=Status.DELIVERED,
    provider_status="delivered",
    provider_id="kit-1",
    ref="c0ffee",
    price=Decimal("0.0451"),
    currency="EUR",
    occurred_on=datetime(2026, 3, 29, tzinfo=UTC),
)
SECRETS = ("no-secret-of-anybody-1", "no-secret-of-anybody-2")


class TestAcmeCloud(BackendConformance):
    name = "acme-cloud"

    # answers: begin
    # Replace them by what the provider answers according to its documentation.
    answers = {
        "token": Answer(200, {"access_token": NEW_ID, "expires_in": 3600}),
        "accepted": Answer(207, {"results": [{"id": NEW_ID, "outcome": "queued"}]}),
        "refused": [
            Answer(207, {"results": [{"id": NEW_ID, "outcome": "invalid"}]}),
            Answer(400, {"error": "from is missing"}),
        ],
        "recipient_blocked": Answer(207, {"results": [{"id": NEW_ID, "outcome": "opted_out"}]}),
        "insufficient_funds": Answer(207, {"results": [{"id": NEW_ID, "outcome": "no_credit"}]}),
        "throttled": Answer(429, {"error": "too many requests"}, {"Retry-After": "3"}),
        "reports": Answer(200, {"reports": [REPORT]}),
        "balance": Answer(200, {"credit": "12.345"}),
    }
    expected_reports = (EXPECTED,)
    expected_balance = Balance(amount=Decimal("12.345"), currency="EUR")
    # answers: end

    # samples: begin
    callback_samples = (Recorded.json({"reports": [REPORT]}, [EXPECTED]),)
    incoming_samples = (
        Recorded.json(
            {
                "messages": [
                    {
                        "id": "7b2",
                        "from": "+447700900001",
                        "to": "60777",
                        "ucs2": "00530054004f0050d83d",
                        "at": "2026-03-29T00:00:00Z",
                        "part": {"group": "9", "number": 1, "of": 2},
                        "opt_out": True,
                        "media": [],
                    }
                ]
            },
            [
                IncomingText(
                    frm="+447700900001",
                    to="60777",
                    text="STOP\ud83d",
                    provider_id="7b2",
                    received_on=datetime(2026, 3, 29, tzinfo=UTC),
                    part=PartOf(ref="9", number=1, total=2),
                )
            ],
        ),
    )
    # samples: end

    # sign: begin
    def sign_at(self, request: Recorded, moment: datetime) -> Recorded:
        """Return the request as the provider signs it."""
        made = str(int(moment.timestamp()))
        signed = made.encode() + b"." + request.body
        signature = hmac.digest(SECRETS[0].encode(), signed, "sha256").hex()
        headers = {**request.headers, "X-Timestamp": made, "X-Signature": signature}
        return replace(request, headers=headers)

    # sign: end

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "client_id": "nobody",
            "client_secret": "no-secret-of-anybody",
            "webhook_secrets": SECRETS,
            "url": provider.url,
        }
