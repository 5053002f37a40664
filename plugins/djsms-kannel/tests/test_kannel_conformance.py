"""What every backend must do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from djsms import IncomingText, PartOf, Status, StatusReport
from djsms.testing import Answer, BackendConformance, Provider, Recorded

REF = "0123456789abcdef0123456789abcdef"
TIME = datetime(2025, 11, 22, 15, 23, 23, tzinfo=UTC)
RECEIPT = (
    "answer=id%3A4711+sub%3A001+dlvrd%3A001+submit+date%3A2511221523+done+date%3A2511221523"
    "+stat%3AEXPIRED+err%3A027+text%3AHi&id=4711"
)


def report(query: str, **expected: Any) -> Recorded:
    query = f"ref={REF}&{query}&smsc=op&time=1763825003"
    return Recorded.get(query, [StatusReport(ref=REF, occurred_on=TIME, **expected)])


def incoming(query: str, **expected: Any) -> Recorded:
    query = f"id=4a6f&from=%2B447700900123&to=12345&time=1763825003&smsc=op&{query}"
    text = IncomingText(
        provider_id="4a6f", frm="+447700900123", to="12345", received_on=TIME, **expected
    )
    return Recorded.get(query, [text])


class TestKannel(BackendConformance):
    name = "kannel"
    answers = {
        "accepted": Answer(202, "0: Accepted for delivery"),
        "refused": Answer(400, "Sender missing and no global set, rejected"),
        "authentication_failed": Answer(403, "Authorization failed for sendsms"),
        "recipient_blocked": Answer(
            400, "Number(s) has/have been denied by white- and/or black-lists."
        ),
        "temporarily_unavailable": Answer(503, "Temporal failure, try again later."),
        "outcome_unknown": Answer(500, "Sending failed."),
    }
    callback_samples = (
        report(
            "type=8&answer=ACK%2F&id=4711",
            provider_id="4711",
            status=Status.SENT,
            provider_status="smsc submit",
        ),
        report(
            f"type=34&{RECEIPT}",
            provider_id="4711",
            status=Status.EXPIRED,
            provider_status="EXPIRED",
            error_code="027",
            error_text="The validity period has expired.",
        ),
        report(
            "type=16&answer=NACK%2F0x0000000b%2FInvalid+Destination+Address&id=",
            status=Status.REFUSED,
            provider_status="smsc reject",
            error_code="0x0000000b",
            error_text="Invalid Destination Address",
        ),
    )
    incoming_samples = (
        incoming("coding=0&charset=UTF-8&udh=&text=Hi++%E2%82%AC%0A", text="Hi  €\n"),
        incoming(
            "coding=2&charset=UTF-16BE&udh=%05%00%03%2A%02%01&text=%04%1F%D8%3D",
            text="П\ud83d",
            part=PartOf(ref="2a", number=1, total=2),
        ),
        Recorded(
            query="id=4a6f&time=1763825003",
            headers={
                "X-Kannel-From": "+447700900123",
                "X-Kannel-To": "12345",
                "X-Kannel-Coding": "0",
            },
            content_type="text/plain; charset=UTF-8",
            body="Hi €".encode(),
            expected=[
                IncomingText(
                    provider_id="4a6f",
                    frm="+447700900123",
                    to="12345",
                    text="Hi €",
                    received_on=TIME,
                )
            ],
        ),
    )

    @pytest.fixture
    def options(self, provider: Provider) -> Mapping[str, Any]:
        return {
            "url": f"{provider.url}/cgi-bin/sendsms",
            "username": "shop",
            "password": "not-a-real-password",
            "max_messages": 255,
        }
