"""What every backend must do; what fails, or is skipped as still to be written, is left to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from djsms import IncomingText, Status, StatusReport
from djsms.testing import NEW_ID, Answer, BackendConformance, Provider, Recorded


class TestAcme(BackendConformance):
    name = "acme"

    # answers: begin
    answers = {
        "accepted": Answer(202, {"id": NEW_ID, "price": "0.04"}),
        "refused": Answer(400, {"error": "no such number"}),
        "throttled": Answer(429, {"error": "too many requests"}, {"Retry-After": "3"}),
    }
    # answers: end

    # samples: begin
    callback_samples = (
        Recorded.json(
            {"id": "7a1", "reference": "c0ffee", "status": "delivered", "time": 1774742400},
            [
                StatusReport(
                    status=Status.DELIVERED,
                    provider_status="delivered",
                    provider_id="7a1",
                    ref="c0ffee",
                    occurred_on=datetime(2026, 3, 29, tzinfo=UTC),
                )
            ],
        ),
    )
    incoming_samples = (
        Recorded.json(
            {
                "id": "7b2",
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
                    provider_id="7b2",
                    received_on=datetime(2026, 3, 29, tzinfo=UTC),
                )
            ],
        ),
    )
    # samples: end

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "api_key": "no-key-of-anybody",
            "url": provider.url,
        }
