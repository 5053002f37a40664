"""What goes to the provider for a message, and how it is authenticated."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from djsms import Encoding, OutgoingText, Status
from djsms.exceptions import (
    AuthenticationFailed,
    InvalidMessage,
    InvalidNumber,
    InvalidText,
)
from djsms_nexmo import NexmoBackend, sending, signatures
from vonage_server import API_KEY, API_SECRET, SIGNATURE_SECRET, VonageServer

Make = Callable[..., OutgoingText]
CALLBACK = "https://example.com/djsms/callback/default/token/"


def test_a_plain_message(backend: NexmoBackend, vonage: VonageServer, make_text: Make) -> None:
    result = backend.send(make_text())
    (seen,) = vonage.requests
    assert seen.path == "/sms/json"
    assert seen.fields == {
        "from": "AcmeInc",
        "to": "447700900000",
        "text": "Hello World!",
        "type": "text",
        "client-ref": "0123456789abcdef0123456789abcdef",
        "status-report-req": "false",
    }
    assert API_SECRET.encode() not in seen.body
    (part,) = result.parts
    assert part.status == Status.SENDING
    assert part.provider_id == "0A00000090000000"


def test_text_arrives_to_the_letter(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    text = " a=1&b=2 + 50%\r\nZażółć 😀 \t"
    backend.send(make_text(text=text, encoding=Encoding.UCS2))
    (seen,) = vonage.requests
    assert seen.fields["text"] == text
    assert seen.fields["type"] == "unicode"


def test_numbers_go_without_their_plus(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    backend.send(make_text(frm="+447700900001"))
    assert vonage.requests[0].fields["from"] == "447700900001"


def test_a_status_report_is_asked_for_with_its_address(make_text: Make) -> None:
    fields = sending.parameters(make_text(status_report=True, callback_url=CALLBACK))
    assert fields["status-report-req"] == "true"
    assert fields["callback"] == CALLBACK


def test_without_an_address_reports_go_to_the_account_s_own(make_text: Make) -> None:
    fields = sending.parameters(make_text(status_report=True))
    assert fields["status-report-req"] == "true"
    assert "callback" not in fields


def test_no_address_goes_out_if_no_report_is_asked_for(make_text: Make) -> None:
    assert "callback" not in sending.parameters(make_text(callback_url=CALLBACK))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (CALLBACK.ljust(101, "x"), "101 characters"),
        ("https://my_host.example.com/callback/", "underscore"),
        ("/djsms/callback/", "does not begin with https://"),
    ],
)
def test_an_address_that_would_have_the_message_refused_is_left_out(
    address: str, words: str, make_text: Make, caplog: pytest.LogCaptureFixture
) -> None:
    sending._usable_callback.cache_clear()
    with caplog.at_level(logging.WARNING, "djsms.nexmo"):
        for _ in range(3):
            fields = sending.parameters(make_text(status_report=True, callback_url=address))
    assert "callback" not in fields
    assert fields["status-report-req"] == "true"
    (record,) = caplog.records
    assert words in record.getMessage()
    assert address not in record.getMessage()


def test_the_longest_address_and_the_longest_text(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    address = CALLBACK.ljust(100, "x")
    result = backend.send(make_text(text="x" * 3200, status_report=True, callback_url=address))
    assert vonage.requests[0].fields["callback"] == address
    assert len(result.parts) == 21


def test_a_text_too_long_is_refused_before_any_call(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    with pytest.raises(InvalidText, match="3201 characters"):
        backend.send(make_text(text="x" * 3201))
    assert not vonage.requests


@pytest.mark.parametrize("to", ["+123456", "+1234567890123456", "+44770090000x", "AcmeInc", ""])
def test_a_recipient_that_is_no_number_is_refused_before_any_call(to: str, make_text: Make) -> None:
    with pytest.raises(InvalidNumber):
        sending.parameters(make_text(to=to))


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"ttl": 20_000}, {"ttl": "20000"}),
        ({"ttl": 604_800_000}, {"ttl": "604800000"}),
        ({"message-class": 0}, {"message-class": "0"}),
        ({"message_class": 3}, {"message-class": "3"}),
        ({"account-ref": "sales"}, {"account-ref": "sales"}),
        (
            {"entity_id": "1101456324675322134", "content_id": "1107457532145798767"},
            {"entity-id": "1101456324675322134", "content-id": "1107457532145798767"},
        ),
        ({"pool-id": "abc123"}, {"pool-id": "abc123"}),
        ({"trusted_number": True}, {"trusted-number": "true"}),
        ({"trusted-number": False}, {"trusted-number": "false"}),
    ],
)
def test_extras(
    extra: dict[str, Any],
    expected: dict[str, str],
    backend: NexmoBackend,
    vonage: VonageServer,
    make_text: Make,
) -> None:
    backend.send(make_text(extra=extra))
    assert expected.items() <= vonage.requests[0].fields.items()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"ttl": 19_999}, "ttl takes a whole number of milliseconds, 20000 to 604800000"),
        ({"ttl": 604_800_001}, "ttl takes"),
        ({"ttl": "20000"}, "ttl takes"),
        ({"ttl": True}, "ttl takes"),
        ({"ttl": 20_000.0}, "ttl takes"),
        ({"message-class": 4}, "message-class takes a whole number, 0 to 3"),
        ({"message-class": -1}, "message-class takes"),
        ({"account-ref": ""}, "account-ref takes a text"),
        ({"account-ref": 1}, "account-ref takes"),
        ({"entity-id": "a\nb"}, "entity-id takes"),
        ({"content-id": "\ud800"}, "content-id takes"),
        ({"pool-id": None}, "pool-id takes"),
        ({"trusted-number": "yes"}, "trusted-number takes True or False"),
        ({"trusted-number": 1}, "trusted-number takes"),
        ({"message-class": 1, "message_class": 1}, "message-class is given twice"),
        ({"callback": CALLBACK}, "Vonage has no extra 'callback'; it has ttl, message-class"),
        ({"api_key": "x"}, "Vonage has no extra 'api_key'"),
        ({"TTL": 20_000}, "Vonage has no extra 'TTL'"),
        ({7: 20_000}, "Vonage has no extra '7'"),
    ],
)
def test_extras_that_do_not_fit_are_refused_before_any_call(
    extra: dict[Any, Any], words: str, make_text: Make
) -> None:
    with pytest.raises(InvalidMessage, match=words):
        sending.parameters(make_text(extra=extra))


@pytest.mark.parametrize("method", signatures.METHODS)
def test_signed_requests(method: str, vonage: VonageServer, make_text: Make) -> None:
    vonage.signature_method = method
    backend = NexmoBackend(
        api_key=API_KEY,
        api_secret=API_SECRET,
        signature_secret=SIGNATURE_SECRET,
        signature_method=method,
        base_url=vonage.url + "/",
    )
    text = "a=1&b=2 Zażółć 😀"
    result = backend.send(
        make_text(text=text, encoding=Encoding.UCS2, extra={"ttl": 900_000, "account_ref": "a&b"})
    )
    (seen,) = vonage.requests
    assert seen.fields["text"] == text
    assert "Authorization" not in seen.headers
    assert API_SECRET.encode() not in seen.body
    assert SIGNATURE_SECRET.encode() not in seen.body
    assert result.parts[0].provider_id
    backend.session.close()


def test_credentials_of_a_netrc_file_are_left_alone(
    vonage: VonageServer, make_text: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them in its header, Vonage would refuse the signed request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    vonage.signature_method = "md5hash"
    options = {"api_key": API_KEY, "base_url": vonage.url}
    signed = NexmoBackend(**options, signature_secret=SIGNATURE_SECRET)
    assert signed.send(make_text()).parts[0].provider_id
    basic = NexmoBackend(**options, api_secret=API_SECRET)
    assert basic.send(make_text()).parts[0].provider_id
    for backend in (signed, basic):
        backend.session.close()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"api_secret": "wrong"}, "4"),
        ({"signature_secret": "wrong"}, "14"),
        ({"signature_secret": SIGNATURE_SECRET, "signature_method": "sha1"}, "14"),
    ],
)
def test_wrong_credentials(
    options: dict[str, str], code: str, vonage: VonageServer, make_text: Make
) -> None:
    vonage.signature_method = "sha256"
    backend = NexmoBackend(**{"api_key": API_KEY, "base_url": vonage.url, **options})
    with pytest.raises(AuthenticationFailed) as caught:
        backend.send(make_text())
    assert caught.value.code == code
    backend.session.close()


def test_connections_are_used_again(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    message = make_text()
    for number in range(3):
        backend.send(dataclasses.replace(message, ref=f"{number:032x}"))
    ports = {seen.headers["X-Client-Port"] for seen in vonage.requests}
    assert len(ports) == 1


@pytest.mark.parametrize(
    ("left", "low", "high"),
    [
        (timedelta(minutes=5), 290_000, 300_000),
        (timedelta(seconds=1), 20_000, 20_000),
        (timedelta(days=30), 604_800_000, 604_800_000),
    ],
    ids=str,
)
def test_what_expires_has_a_time_to_live(
    make_text: Any, left: timedelta, low: int, high: int
) -> None:
    fields = sending.parameters(make_text(expires_on=datetime.now(UTC) + left))
    assert low <= int(fields["ttl"]) <= high


def test_an_own_time_to_live_counts_for_more(make_text: Any) -> None:
    message = make_text(expires_on=datetime.now(UTC) + timedelta(hours=1), extra={"ttl": 60_000})
    assert sending.parameters(message)["ttl"] == "60000"
