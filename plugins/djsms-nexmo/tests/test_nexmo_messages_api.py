"""Webhooks in the format of the Messages API, and their token."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.test import RequestFactory
from djsms import Status
from djsms.exceptions import Forged, InvalidWebhook, Misdirected
from djsms_nexmo import NexmoBackend
from djsms_nexmo.codes import EVENT_ERRORS
from hypothesis import given
from hypothesis import strategies as st
from vonage_server import API_KEY, SIGNATURE_SECRET
from vonage_webhooks import (
    EVENT_INCOMING,
    EVENT_REPORT,
    FORM,
    STATUS_EVENT,
    TEXT_EVENT,
    event,
    request,
    signed,
    signed_event,
)

VECTOR = json.loads((Path(__file__).parent / "data" / "signature_vectors.json").read_text("utf-8"))[
    "messages_jwt"
]
OPEN = NexmoBackend(api_key=API_KEY, api_secret="demo-secret")
SIGNED = NexmoBackend(api_key=API_KEY, signature_secret=SIGNATURE_SECRET)


def test_a_status() -> None:
    expected = replace(EVENT_REPORT, raw=STATUS_EVENT)
    assert OPEN.parse_callback(event(STATUS_EVENT)) == [expected]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("submitted", Status.SENT),
        ("delivered", Status.DELIVERED),
        ("Delivered", Status.DELIVERED),
        ("rejected", Status.REJECTED),
        ("undeliverable", Status.FAILED),
        ("read", Status.UNKNOWN),
    ],
)
def test_status_words(word: str, status: Status) -> None:
    (found,) = OPEN.parse_callback(event({**STATUS_EVENT, "status": word}))
    assert (found.status, found.provider_status) == (status, word)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ({"title": 1000}, "1000", EVENT_ERRORS["1000"].meaning),
        ({"title": "1999", "detail": "Something new"}, "1999", "Something new"),
        ({}, "", ""),
        ({"title": None, "detail": []}, "", ""),
        (None, "", ""),
        ("1000", "", ""),
        ({"title": "Throttled", "type": "https://example.com/#1000"}, "1000", "more messages"),
        ({"title": 1240, "type": "https://example.com/#1000"}, "1240", "the recipient has"),
        ({"title": "Throttled", "type": "https://example.com/#a"}, "Throttled", ""),
        ({"type": "https://example.com/#1000"}, "1000", "more messages"),
    ],
)
def test_errors(error: Any, code: str, words: str) -> None:
    (found,) = OPEN.parse_callback(event({**STATUS_EVENT, "error": error}))
    assert found.error_code == code
    assert found.error_text.startswith(words)


def test_what_is_still_tried_is_not_to_be_sent_again() -> None:
    busy = {**STATUS_EVENT, "status": "submitted", "error": {"title": "1220"}}
    (found,) = OPEN.parse_callback(event(busy))
    assert (found.status, found.error_text) == (Status.SENT, "handset busy")


@pytest.mark.parametrize("timestamp", [{}, None, 5, "soon"])
def test_a_time_that_is_none(timestamp: Any) -> None:
    (found,) = OPEN.parse_callback(event({**STATUS_EVENT, "timestamp": timestamp}))
    assert found.occurred_on is None


def test_a_price_that_is_a_number() -> None:
    (found,) = OPEN.parse_callback(event({**STATUS_EVENT, "usage": {"price": 0.00004}}))
    assert (found.price, found.currency) == (Decimal("0.00004"), "EUR")


def test_an_incoming_text_with_the_least() -> None:
    names = ("channel", "message_type", "sms", "usage", "timestamp")
    least = {name: value for name, value in TEXT_EVENT.items() if name not in names}
    (found,) = OPEN.parse_incoming(event({**least, "status": None}))
    assert found.text == TEXT_EVENT["text"]
    assert OPEN.parse_incoming(event({**TEXT_EVENT, "channel": "SMS"}))


def test_a_status_with_the_least() -> None:
    (found,) = OPEN.parse_callback(event({"message_uuid": "a", "status": "delivered"}))
    assert found.price is None
    assert found.currency == ""
    assert found.occurred_on is None


def test_an_incoming_text() -> None:
    assert OPEN.parse_incoming(event(TEXT_EVENT)) == [replace(EVENT_INCOMING, raw=TEXT_EVENT)]


def test_other_channels_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "djsms.nexmo"):
        assert OPEN.parse_incoming(event({**TEXT_EVENT, "channel": "whatsapp"})) == []
        assert OPEN.parse_callback(event({**STATUS_EVENT, "channel": "viber_service"})) == []
    assert len(caplog.records) == 2


def test_what_came_to_the_other_address_is_told_to_the_core() -> None:
    with pytest.raises(Misdirected):
        OPEN.parse_callback(event(TEXT_EVENT))
    with pytest.raises(Misdirected):
        OPEN.parse_incoming(event(STATUS_EVENT))


@pytest.mark.parametrize(
    "found",
    [
        {**TEXT_EVENT, "from": None},
        {**TEXT_EVENT, "to": {}},
        {**TEXT_EVENT, "message_uuid": ""},
        {**TEXT_EVENT, "message_uuid": []},
    ],
)
def test_what_is_no_text(found: dict[str, Any]) -> None:
    with pytest.raises(InvalidWebhook):
        OPEN.parse_incoming(event(found))


def test_a_form_that_mentions_the_name_is_no_event() -> None:
    body = 'msisdn=447700900001&to=447700900000&type=text&text="message_uuid"'
    (found,) = OPEN.parse_incoming(RequestFactory().post("/", body, content_type=FORM))
    assert found.text == '"message_uuid"'


def test_a_body_that_is_gone_is_no_event() -> None:
    """As when something before the view has read the form."""
    made = event(TEXT_EVENT)
    made.read(1)
    with pytest.raises(InvalidWebhook):
        OPEN.parse_incoming(made)


def test_the_vector() -> None:
    backend = NexmoBackend(api_key="abcd1234", signature_secret=VECTOR["secret"])
    body = VECTOR["body"].encode()
    (found,) = backend.parse_incoming(event(body, Authorization=VECTOR["authorization_header"]))
    assert found.text == "Zażółć & = 😀"
    written_again = json.dumps(json.loads(body)).encode()
    assert hashlib.sha256(written_again).hexdigest() != VECTOR["body_sha256"]
    with pytest.raises(Forged, match="another body"):
        backend.parse_incoming(event(written_again, Authorization=VECTOR["authorization_header"]))


def test_a_right_token() -> None:
    assert SIGNED.parse_callback(signed_event(STATUS_EVENT))
    assert SIGNED.parse_incoming(signed_event(TEXT_EVENT))


def test_a_short_secret_is_no_reason_to_warn_with_each_request() -> None:
    backend = NexmoBackend(api_key=API_KEY, signature_secret="short")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = signed_event(TEXT_EVENT, secret="short")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert backend.parse_incoming(made)


def test_a_token_does_not_replace_the_signature_of_the_other_format() -> None:
    plain = {"msisdn": "447700900001", "to": "447700900000", "text": "Hi", "type": "text"}
    with pytest.raises(Forged):
        SIGNED.parse_incoming(signed_event(plain))


def test_nor_does_a_signature_replace_the_token() -> None:
    fields = {"message_uuid": "a", "status": "delivered"}
    with pytest.raises(Forged, match="no token"):
        SIGNED.parse_callback(request(signed(fields, "md5hash"), "json"))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "Somebody"},
        {"iss": None},
        {"api_key": "ffff0000"},
        {"api_key": None},
        {"payload_hash": None},
        {"payload_hash": ""},
        {"payload_hash": "0" * 64},
        {"payload_hash": ["é"]},
    ],
)
def test_wrong_claims(claims: dict[str, Any]) -> None:
    with pytest.raises(Forged):
        SIGNED.parse_incoming(signed_event(TEXT_EVENT, **claims))


@pytest.mark.parametrize(
    "claims",
    [{"exp": 2e10}, {"nbf": 1}, {"nbf": 1, "exp": 20_000_000_000}, {"application_id": "a"}],
)
def test_further_claims(claims: dict[str, Any]) -> None:
    assert SIGNED.parse_incoming(signed_event(TEXT_EVENT, **claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1738584865},
        {"nbf": 20_000_000_000},
        {"exp": float("nan")},
        {"exp": True},
        {"exp": [2e10]},
        {"nbf": {}},
    ],
)
def test_tokens_out_of_their_time(claims: dict[str, Any]) -> None:
    with pytest.raises(Forged):
        SIGNED.parse_incoming(signed_event(TEXT_EVENT, **claims))


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_in_any_case(scheme: str) -> None:
    token = signed_event(TEXT_EVENT).headers["Authorization"].split()[1]
    assert SIGNED.parse_incoming(event(TEXT_EVENT, Authorization=f"{scheme} {token}"))


def test_letter_case_of_the_hash_does_not_matter() -> None:
    body = json.dumps(TEXT_EVENT).encode()
    digest = hashlib.sha256(body).hexdigest().upper()
    assert SIGNED.parse_incoming(signed_event(body, payload_hash=digest))


def no_algorithm() -> str:
    return jwt.encode({"iss": "Vonage"}, None, algorithm="none")


def another_algorithm() -> str:
    return jwt.encode({"iss": "Vonage"}, SIGNATURE_SECRET * 2, algorithm="HS512")


def another_secret() -> str:
    return jwt.encode({"iss": "Vonage"}, "x" * 32, algorithm="HS256")


def no_claims() -> str:
    return jwt.PyJWS().encode(b"[]", SIGNATURE_SECRET, algorithm="HS256")


def no_json() -> str:
    return jwt.PyJWS().encode(b"\xff{", SIGNATURE_SECRET, algorithm="HS256")


@pytest.mark.parametrize(
    "make", [no_algorithm, another_algorithm, another_secret, no_claims, no_json]
)
def test_wrong_tokens(make: Any) -> None:
    with pytest.raises(Forged):
        SIGNED.parse_incoming(event(TEXT_EVENT, Authorization=f"Bearer {make()}"))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer a.b.c", "Basic YTpi", "x" * 9])
def test_no_token(header: str) -> None:
    with pytest.raises(Forged):
        SIGNED.parse_incoming(event(TEXT_EVENT, Authorization=header))


@given(st.text(st.characters(max_codepoint=255)))
def test_any_token_is_refused(token: str) -> None:
    with pytest.raises(Forged):
        SIGNED.parse_incoming(event(TEXT_EVENT, Authorization=f"Bearer {token}"))


def test_a_limit_of_age() -> None:
    backend = NexmoBackend(api_key=API_KEY, signature_secret=SIGNATURE_SECRET, webhook_max_age=300)
    assert backend.parse_incoming(signed_event(TEXT_EVENT))
    for iat in (1738584865, None, "soon", True, [], 99999999999):
        with pytest.raises(Forged):
            backend.parse_incoming(signed_event(TEXT_EVENT, iat=iat))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted({*STATUS_EVENT, *TEXT_EVENT}))


@given(st.dictionaries(NAMES, VALUES), st.sampled_from([STATUS_EVENT, TEXT_EVENT]))
def test_any_event_is_read_or_refused(changes: dict[str, Any], found: dict[str, Any]) -> None:
    changed = {**found, **changes}
    for parse in (OPEN.parse_callback, OPEN.parse_incoming):
        try:
            values = parse(event(changed))
        except InvalidWebhook:
            continue
        assert values == parse(event(changed))
