"""What goes to Twilio for a message."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from djsms import OutgoingText, Status
from djsms.exceptions import InvalidMessage, InvalidText
from djsms_twilio import TwilioBackend, sending
from twilio_server import (
    ACCOUNT_SID,
    API_KEY,
    API_KEY_SECRET,
    AUTH_TOKEN,
    SERVICE_SID,
    TwilioServer,
)

Make = Callable[..., OutgoingText]
CALLBACK = "https://example.com/djsms/callback/default/token/"
REF = "0123456789abcdef0123456789abcdef"


def test_a_plain_message(backend: TwilioBackend, twilio: TwilioServer, make_text: Make) -> None:
    result = backend.send(make_text())
    (seen,) = twilio.requests
    assert seen.path == f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert seen.fields == {
        "To": "+447700900000",
        "From": "+447700900001",
        "Body": "Hello World!",
    }
    (part,) = result.parts
    assert (part.status, part.provider_id) == (Status.SENDING, f"SM{1:032x}")
    assert (part.price, result.currency) == (None, "")
    assert result.raw["num_segments"] == "1"
    assert "Hello" not in str(result.raw)


@pytest.mark.parametrize("frm", ["+447700900001", "60777", "AcmeInc"])
def test_each_kind_of_sender_goes_as_it_is(
    frm: str, backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> None:
    backend.send(make_text(frm=frm))
    assert twilio.requests[0].fields["From"] == frm


def test_text_arrives_to_the_letter(
    backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> None:
    text = " a=1&b=2 + 50%\r\nZażółć 😀 \t"
    backend.send(make_text(text=text))
    assert twilio.requests[0].fields["Body"] == text


def test_a_messaging_service_chooses_the_sender(
    make: Callable[..., TwilioBackend], twilio: TwilioServer, make_text: Make
) -> None:
    result = make(messaging_service_sid=SERVICE_SID).send(make_text())
    fields = twilio.requests[0].fields
    assert fields["MessagingServiceSid"] == SERVICE_SID
    assert "From" not in fields
    assert result.parts[0].status == Status.SENDING


def test_a_service_for_one_message(make_text: Make) -> None:
    other = f"MG{'1' * 32}"
    fields = sending.parameters(make_text(extra={"messaging_service_sid": other}), SERVICE_SID)
    assert fields["MessagingServiceSid"] == other


def test_an_api_key_sends_for_the_account(
    make: Callable[..., TwilioBackend], twilio: TwilioServer, make_text: Make
) -> None:
    make(api_key=API_KEY, api_key_secret=API_KEY_SECRET).send(make_text())
    (seen,) = twilio.requests
    pair = base64.b64encode(f"{API_KEY}:{API_KEY_SECRET}".encode()).decode()
    assert seen.headers["Authorization"] == f"Basic {pair}"
    assert ACCOUNT_SID in seen.path


def test_no_secret_is_in_the_address_or_the_body(
    backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> None:
    backend.send(make_text())
    assert AUTH_TOKEN not in f"{twilio.requests[0].path}{twilio.requests[0].body!r}"


class TestStatusCallback:
    def test_holds_our_reference_and_asks_for_repeats(
        self, backend: TwilioBackend, twilio: TwilioServer, make_text: Make
    ) -> None:
        backend.send(make_text(status_report=True, callback_url=CALLBACK))
        expected = f"{CALLBACK}?ref={REF}#rc=5&rp=ct,rt,5xx"
        assert twilio.requests[0].fields["StatusCallback"] == expected

    @pytest.mark.parametrize(
        "fields", [{"status_report": True}, {"callback_url": CALLBACK}, {}], ids=str
    )
    def test_is_left_out_where_there_is_none_or_nobody_asks(
        self, fields: dict[str, Any], make_text: Make
    ) -> None:
        assert "StatusCallback" not in sending.parameters(make_text(**fields))

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("https://my_host.example.com/c/", "underscore"),
            ("/djsms/callback/", "does not begin with https://"),
            ("https://user:pass@example.com/c/", "password"),
            ("http://localhost:8000/c/", "this machine alone"),
            ("http://127.0.0.1:8000/c/", "this machine alone"),
        ],
    )
    def test_is_left_out_with_a_warning_where_twilio_would_refuse_it(
        self, address: str, words: str, make_text: Make, caplog: pytest.LogCaptureFixture
    ) -> None:
        sending._is_callable.cache_clear()
        for _ in range(3):
            message = make_text(status_report=True, callback_url=address)
            assert "StatusCallback" not in sending.parameters(message)
        (record,) = caplog.records
        assert words in record.getMessage()
        assert address not in record.getMessage()


class TestValidity:
    def test_is_how_long_the_text_is_worth_something(self, make_text: Make) -> None:
        message = make_text(expires_on=datetime.now(UTC) + timedelta(minutes=10))
        assert 590 <= int(str(sending.parameters(message)["ValidityPeriod"])) <= 600

    @pytest.mark.parametrize(
        ("left", "seconds"), [(timedelta(days=2), "36000"), (timedelta(seconds=-5), "1")]
    )
    def test_is_cut_to_what_twilio_takes(
        self, left: timedelta, seconds: str, make_text: Make
    ) -> None:
        message = make_text(expires_on=datetime.now(UTC) + left)
        assert sending.parameters(message)["ValidityPeriod"] == seconds

    def test_of_the_caller_counts_if_it_is_shorter(self, make_text: Make) -> None:
        later = datetime.now(UTC) + timedelta(minutes=10)
        message = make_text(expires_on=later, extra={"ValidityPeriod": 60})
        assert sending.parameters(message)["ValidityPeriod"] == "60"
        message = make_text(expires_on=later, extra={"ValidityPeriod": 36_000})
        assert int(str(sending.parameters(message)["ValidityPeriod"])) <= 600

    def test_begins_when_a_scheduled_text_is_sent(self, make_text: Make) -> None:
        start = datetime(2030, 1, 1, 12, tzinfo=UTC)
        message = make_text(expires_on=start + timedelta(hours=1), extra={"send_at": start})
        assert sending.parameters(message, SERVICE_SID)["ValidityPeriod"] == "3600"

    def test_is_not_told_if_the_text_has_no_end(self, make_text: Make) -> None:
        assert "ValidityPeriod" not in sending.parameters(make_text())


def test_the_longest_text(backend: TwilioBackend, twilio: TwilioServer, make_text: Make) -> None:
    assert len(backend.send(make_text(text="x" * 1600)).parts) == 1


def test_a_text_too_long_is_refused_before_any_call(
    backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> None:
    with pytest.raises(InvalidText, match="1601 characters"):
        backend.send(make_text(text="x" * 1601))
    assert not twilio.requests


SID32 = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"SmartEncoded": True}, {"SmartEncoded": "true"}),
        ({"smart_encoded": False}, {"SmartEncoded": "false"}),
        ({"MaxPrice": Decimal("0.05")}, {"MaxPrice": "0.05"}),
        ({"max_price": Decimal("1E-7")}, {"MaxPrice": "0.0000001"}),
        ({"ProvideFeedback": True}, {"ProvideFeedback": "true"}),
        ({"ContentRetention": "discard"}, {"ContentRetention": "discard"}),
        ({"AddressRetention": "obfuscate"}, {"AddressRetention": "obfuscate"}),
        ({"RiskCheck": "disable"}, {"RiskCheck": "disable"}),
        ({"MessageIntent": "otp"}, {"MessageIntent": "otp"}),
        ({"Attempt": 2}, {"Attempt": "2"}),
        ({"ValidityPeriod": 36_000}, {"ValidityPeriod": "36000"}),
        ({"ForceDelivery": True}, {"ForceDelivery": "true"}),
        ({"SendAsMms": True}, {"SendAsMms": "true"}),
        ({"TrafficType": "free"}, {"TrafficType": "free"}),
        ({"ApplicationSid": f"AP{SID32}"}, {"ApplicationSid": f"AP{SID32}"}),
        (
            {"ContentSid": f"HX{SID32}", "ContentVariables": {"1": "Zoë"}},
            {"ContentSid": f"HX{SID32}", "ContentVariables": '{"1": "Zoë"}'},
        ),
        ({"MediaUrl": "https://example.com/a.png"}, {"MediaUrl": ["https://example.com/a.png"]}),
        (
            {"media_url": ["https://example.com/a.png", "https://example.com/b.png"]},
            {"MediaUrl": ["https://example.com/a.png", "https://example.com/b.png"]},
        ),
        ({"ShortenUrls": True}, {"ShortenUrls": "true"}),
        ({"FallbackFrom": "+447700900002"}, {"FallbackFrom": "+447700900002"}),
        (
            {"SendAt": datetime(2030, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))},
            {"SendAt": "2030-01-01T12:00:00Z", "ScheduleType": "fixed"},
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_extras(
    extra: dict[str, Any],
    expected: dict[str, Any],
    make: Callable[..., TwilioBackend],
    twilio: TwilioServer,
    make_text: Make,
) -> None:
    make(messaging_service_sid=SERVICE_SID).send(make_text(extra=extra))
    assert expected.items() <= twilio.requests[0].fields.items()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"SmartEncoded": "true"}, "SmartEncoded takes True or False"),
        ({"MaxPrice": 0.05}, "MaxPrice takes a Decimal"),
        ({"MaxPrice": Decimal("NaN")}, "MaxPrice takes a Decimal"),
        ({"MaxPrice": Decimal(0)}, "MaxPrice takes a Decimal"),
        ({"ContentRetention": "keep"}, "ContentRetention takes one of retain, discard"),
        ({"ContentRetention": []}, "ContentRetention takes one of"),
        ({"ValidityPeriod": 36_001}, "ValidityPeriod takes a whole number, 1 to 36000"),
        ({"ValidityPeriod": True}, "ValidityPeriod takes"),
        ({"Attempt": 0}, "Attempt takes"),
        ({"MessagingServiceSid": "MG1"}, "MessagingServiceSid takes a SID: MG"),
        ({"SendAt": datetime(2030, 1, 1)}, "SendAt takes a datetime with its time zone"),  # noqa: DTZ001
        ({"SendAt": "2030-01-01T12:00:00Z"}, "SendAt takes a datetime"),
        ({"MediaUrl": []}, "MediaUrl takes an address"),
        ({"MediaUrl": ["https://example.com/"] * 11}, "up to 10"),
        ({"MediaUrl": "ftp://example.com/a.png"}, "MediaUrl takes addresses"),
        ({"ContentVariables": {"1": 1}}, "ContentVariables takes a dictionary of texts"),
        ({"FallbackFrom": "a\nb"}, "FallbackFrom takes a text"),
        ({"smart_encoded": True, "SmartEncoded": True}, "SmartEncoded is given twice"),
        ({"To": "+447700900002"}, "Twilio has no extra 'To'; it has AddressRetention"),
        ({"StatusCallback": CALLBACK}, "Twilio has no extra 'StatusCallback'"),
        ({7: 1}, "Twilio has no extra '7'"),
        ({"SendAt": datetime(2030, 1, 1, tzinfo=UTC)}, "SendAt needs a messaging service"),
        ({"ShortenUrls": True}, "ShortenUrls needs a messaging service"),
        ({"FallbackFrom": "Acme"}, "FallbackFrom needs a messaging service"),
    ],
)
def test_extras_that_do_not_fit_are_refused_before_any_call(
    extra: dict[Any, Any], words: str, make_text: Make
) -> None:
    with pytest.raises(InvalidMessage, match=words):
        sending.parameters(make_text(extra=extra))


def test_the_magic_sender_of_the_test_credentials_is_told_of_once(
    backend: TwilioBackend, make_text: Make, caplog: pytest.LogCaptureFixture
) -> None:
    sending._warn_of_test_credentials.cache_clear()
    with caplog.at_level(logging.WARNING, "djsms.twilio"):
        for _ in range(2):
            backend.send(make_text(frm="+15005550006"))
        backend.send(make_text())
    (record,) = caplog.records
    assert "nothing is sent" in record.getMessage()


def test_connections_are_used_again(
    backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> None:
    for _ in range(3):
        backend.send(make_text())
    assert len({seen.headers["X-Client-Port"] for seen in twilio.requests}) == 1
