"""The samples of backends that inherit how they read webhooks from ``LocalBackend``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from djsms.backends import LocalBackend
from djsms.testing.recorded import Recorded
from djsms.types import IncomingText, PartOf, Status, StatusReport

__all__ = ["samples"]

REF = "0123456789abcdef0123456789abcdef"

CALLBACKS = (
    Recorded.json(
        {"ref": REF, "status": "delivered"},
        [StatusReport(ref=REF, status=Status.DELIVERED, provider_status="delivered")],
    ),
    Recorded.json(
        {
            "provider_id": "local-1",
            "status": "failed",
            "error_code": "27",
            "error_text": "Absent subscriber",
            "price": "0.033",
            "currency": "EUR",
            "occurred_on": "2026-03-29T02:30:00+02:00",
        },
        [
            StatusReport(
                provider_id="local-1",
                status=Status.FAILED,
                provider_status="failed",
                error_code="27",
                error_text="Absent subscriber",
                price=Decimal("0.033"),
                currency="EUR",
                occurred_on=datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
            )
        ],
    ),
)
INCOMING = (
    Recorded.json(
        {"frm": "+447700900001", "to": "+447700900000", "text": " Grüße 👋\n"},
        [IncomingText(frm="+447700900001", to="+447700900000", text=" Grüße 👋\n")],
    ),
    Recorded.json(
        {
            "frm": "+447700900001",
            "to": "60777",
            "text": "One of ",
            "provider_id": "local-2",
            "received_on": "2026-03-29T12:00:00Z",
            "part": {"ref": "7", "number": 1, "total": 2},
        },
        [
            IncomingText(
                frm="+447700900001",
                to="60777",
                text="One of ",
                provider_id="local-2",
                received_on=datetime(2026, 3, 29, 12, tzinfo=UTC),
                part=PartOf(ref="7", number=1, total=2),
            )
        ],
    ),
)


def samples(backend: Any, hook: str) -> Sequence[Recorded]:
    """Return the samples for a hook that is inherited as it is; else none."""
    own = getattr(type(backend), hook, None)
    if own is None or own is not getattr(LocalBackend, hook, None):
        return ()
    return CALLBACKS if hook == "parse_callback" else INCOMING
