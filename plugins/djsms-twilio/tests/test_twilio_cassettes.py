"""Recorded exchanges: what went to the documented address, and what came back, without secrets.

They are recorded from the local server, which checks each request, with

    DJSMS_RECORD_CASSETTES=1 pytest plugins/djsms-twilio/tests/test_twilio_cassettes.py

and replayed for the real address. No recording has ever touched Twilio.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cassettes
import pytest
from cassettes import RECORDING
from djsms import OutgoingText
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    RecipientBlocked,
    SendError,
    Throttled,
)
from djsms_twilio import TwilioBackend
from twilio_server import (
    ACCOUNT_SID,
    API_KEY,
    API_KEY_SECRET,
    AUTH_TOKEN,
    BASE,
    SERVICE_SID,
)

CASSETTES = Path(__file__).parent / "cassettes"
ADDRESS = f"https://api.twilio.com{BASE}/Messages.json"

TOKEN = {"auth_token": AUTH_TOKEN}
KEY = {"api_key": API_KEY, "api_key_secret": API_KEY_SECRET}
WRONG = {"auth_token": "wrong-auth-token-0002"}

SENT: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "plain": (TOKEN, {}),
    "api-key": (KEY, {"frm": "AcmeInc"}),
    "messaging-service": ({**TOKEN, "messaging_service_sid": SERVICE_SID}, {}),
    "all-parameters": (
        {**TOKEN, "messaging_service_sid": SERVICE_SID},
        {
            "text": "Zażółć gęślą jaźń 😀 & 1+1=2",
            "status_report": True,
            "callback_url": "https://example.com/djsms/callback/default/token/",
            "extra": {
                "SmartEncoded": True,
                "ValidityPeriod": 600,
                "ProvideFeedback": True,
                "ContentRetention": "discard",
                "AddressRetention": "obfuscate",
                "MediaUrl": ["https://example.com/a.png", "https://example.com/b.png"],
            },
        },
    ),
}
REFUSED: dict[str, tuple[dict[str, str], str, type[SendError]]] = {
    "opted-out": (TOKEN, "+15005550004", RecipientBlocked),
    "throttled": (TOKEN, "+447700900429", Throttled),
    "no-credit": (TOKEN, "+447700900402", InsufficientFunds),
    "internal-error": (TOKEN, "+447700900500", OutcomeUnknown),
    "wrong-credentials": (WRONG, "+447700900000", AuthenticationFailed),
}

Exchange = Callable[..., Any]


recorder = cassettes.recorder(CASSETTES, ADDRESS)


@pytest.fixture
def exchange(request: pytest.FixtureRequest, make_text: Callable[..., OutgoingText]) -> Exchange:
    """Send a message, or replay how it was sent."""

    def send(name: str, options: dict[str, str], fields: dict[str, Any]) -> Any:
        where = {"base_url": request.getfixturevalue("twilio").url} if RECORDING else {}
        backend = TwilioBackend(**{"account_sid": ACCOUNT_SID, **options, **where})
        try:
            with cassettes.played(recorder, name):
                return backend.send(make_text(**fields))
        finally:
            backend.session.close()

    return send


@pytest.mark.parametrize("name", SENT)
def test_sent(name: str, exchange: Exchange) -> None:
    (part,) = exchange(name, *SENT[name]).parts
    assert part.status == "sending"
    assert part.provider_id.startswith("SM")


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, exchange: Exchange) -> None:
    options, to, error = REFUSED[name]
    with pytest.raises(error):
        exchange(name, options, {"to": to})


def test_there_is_no_cassette_too_many_or_too_few() -> None:
    assert {path.stem for path in CASSETTES.iterdir()} == SENT.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", [*SENT, *REFUSED])
def test_no_cassette_holds_a_secret(name: str) -> None:
    written = (CASSETTES / f"{name}.yaml").read_text("utf-8")
    users = {AUTH_TOKEN: ACCOUNT_SID, WRONG["auth_token"]: ACCOUNT_SID, API_KEY_SECRET: API_KEY}
    for secret, user in users.items():
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
        for form in (secret, pair, pair.rstrip("=")):
            assert form not in written
    assert "Basic" not in written
    assert "127.0.0.1" not in written
    assert ADDRESS in written
