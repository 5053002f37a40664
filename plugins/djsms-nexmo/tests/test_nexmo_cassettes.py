"""Recorded exchanges: what went to the documented address, and what came back, without secrets.

They are recorded from the local server, which checks each request, with

    DJSMS_RECORD_CASSETTES=1 pytest plugins/djsms-nexmo/tests/test_nexmo_cassettes.py

and replayed for the real address. No recording has ever touched Vonage.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import cassettes
import pytest
from cassettes import HIDDEN, RECORDING
from djsms import Encoding, OutgoingText
from djsms.exceptions import AuthenticationFailed, InsufficientFunds, SendError, Throttled
from djsms_nexmo import NexmoBackend
from vonage_server import API_KEY, API_SECRET, SIGNATURE_SECRET, VonageServer

CASSETTES = Path(__file__).parent / "cassettes"
ADDRESS = "https://rest.nexmo.com/sms/json"

BASIC = {"api_secret": API_SECRET}
SIGNED = {"signature_secret": SIGNATURE_SECRET, "signature_method": "sha512"}
LONG = "Zażółć gęślą jaźń 😀 " * 8

SENT: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "plain": (BASIC, {}),
    "all-parameters": (
        BASIC,
        {
            "frm": "+447700900001",
            "status_report": True,
            "callback_url": "https://example.com/djsms/callback/default/token/",
            "extra": {
                "ttl": 900_000,
                "message-class": 1,
                "account-ref": "sales",
                "entity-id": "1101456324675322134",
                "content-id": "1107457532145798767",
                "pool-id": "abc123",
                "trusted-number": True,
            },
        },
    ),
    "unicode-in-parts": (BASIC, {"text": LONG, "encoding": Encoding.UCS2}),
    "signed": (SIGNED, {"text": "a=1&b=2 + 50%"}),
    "parts-that-differ": (BASIC, {"to": "+447700900201"}),
}
REFUSED: dict[str, tuple[dict[str, str], str, type[SendError]]] = {
    "throttled": (BASIC, "+447700900102", Throttled),
    "no-credit": (BASIC, "+447700900109", InsufficientFunds),
    "wrong-credentials": (
        {"api_secret": "wrong-secret-0002"},
        "+447700900000",
        AuthenticationFailed,
    ),
    "wrong-signature": ({"signature_secret": "wrong-0003"}, "+447700900000", AuthenticationFailed),
}

Exchange = Callable[..., Any]


recorder = cassettes.recorder(
    CASSETTES,
    ADDRESS,
    filter_post_data_parameters=[("api_key", HIDDEN), ("sig", HIDDEN), ("timestamp", HIDDEN)],
)


@pytest.fixture
def exchange(request: pytest.FixtureRequest, make_text: Callable[..., OutgoingText]) -> Exchange:
    """Send a message, or replay how it was sent."""

    def send(name: str, options: dict[str, str], fields: dict[str, Any]) -> Any:
        where = {}
        if RECORDING:
            server: VonageServer = request.getfixturevalue("vonage")
            server.signature_method = "sha512"
            where = {"base_url": server.url}
        backend = NexmoBackend(**{"api_key": API_KEY, **options, **where})
        try:
            with cassettes.played(recorder, name):
                return backend.send(make_text(**fields))
        finally:
            backend.session.close()

    return send


@pytest.mark.parametrize("name", SENT)
def test_sent(name: str, exchange: Exchange) -> None:
    result = exchange(name, *SENT[name])
    first = result.parts[0]
    assert first.status == "sending"
    assert first.provider_id
    assert str(first.price) == "0.03330000"
    assert len(result.parts) == {"unicode-in-parts": 3, "parts-that-differ": 2}.get(name, 1)


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
    secrets = [API_SECRET, SIGNATURE_SECRET]
    for options in (BASIC, SIGNED, *(options for options, *_ in REFUSED.values())):
        secrets += [value for option, value in options.items() if option.endswith("_secret")]
    for secret in set(secrets):
        pair = base64.b64encode(f"{API_KEY}:{secret}".encode()).decode()
        for form in (secret, quote_plus(secret), pair, pair.rstrip("=")):
            assert form not in written
    assert set(re.findall(r"\b(?:api_key|sig|timestamp)=([^&\s]*)", written)) <= {HIDDEN}
    assert "Basic" not in written
    assert "127.0.0.1" not in written
    assert ADDRESS in written
