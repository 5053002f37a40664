"""A project that uses the plugin: from ``send_text`` to the handset, and back by the real views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from djsms import Status, send_text
from djsms.accounts import addresses, gateways
from djsms.exceptions import RecipientBlocked
from djsms.models import StatusEvent, TextMessage
from twilio_server import ACCOUNT_SID, AUTH_TOKEN, SERVICE_SID, TwilioServer
from twilio_webhooks import CALLBACK, INCOMING, signature

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def project(settings: Any, twilio: TwilioServer) -> Iterator[None]:
    settings.DJSMS_BACKEND = "twilio"
    settings.TWILIO_ACCOUNT_SID = ACCOUNT_SID
    settings.TWILIO_AUTH_TOKEN = AUTH_TOKEN
    settings.TWILIO_BASE_URL = twilio.url
    yield
    gateways.get().plugin.session.close()


def call(client: Client, address: str, fields: dict[str, str], **headers: str) -> HttpResponse:
    """Call a webhook as Twilio does: without the fragment, signed over the rest."""
    called = address.partition("#")[0]
    parts = urlsplit(called)
    headers.setdefault("X-Twilio-Signature", signature(called, list(fields.items())))
    return client.post(
        parts.path,
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        query_params=dict([parts.query.split("=")]) if parts.query else None,
        headers=headers,
    )


def moves_on(twilio: TwilioServer, word: str, code: str = "", number: int = -1) -> dict[str, str]:
    sid = list(twilio.messages)[number]
    error = {"ErrorCode": code} if code else {}
    about = {"MessageSid": sid, "SmsSid": sid, "MessageStatus": word, "SmsStatus": word}
    return {**CALLBACK, **about, **error}


def test_a_messaging_service_needs_no_sender(settings: Any, twilio: TwilioServer) -> None:
    settings.TWILIO_MESSAGING_SERVICE_SID = SERVICE_SID
    message = send_text("Hi", None, "+447700900000", False)
    assert (message.frm, message.status) == ("", Status.SENDING)
    assert "From" not in twilio.requests[-1].fields


def test_a_text_and_its_reports(client: Client, twilio: TwilioServer) -> None:
    message = send_text("Hi", "+447700900001", "+447700900000", False, status_report=True)
    assert message.status == Status.SENDING
    address = twilio.requests[-1].fields["StatusCallback"]
    for word, status in (
        ("sending", Status.SENDING),
        ("delivered", Status.DELIVERED),
        ("sent", Status.DELIVERED),
        ("delivered", Status.DELIVERED),
    ):
        response = call(client, address, moves_on(twilio, word))
        assert (response.status_code, response.content) == (200, b"<Response/>")
        assert response["Content-Type"] == "text/xml"
        message.refresh_from_db()
        assert message.status == status
    assert StatusEvent.objects.filter(source="report").count() == 3


def test_a_long_text_is_one(client: Client, twilio: TwilioServer) -> None:
    message = send_text("x" * 400, "+447700900001", "+447700900000", False, status_report=True)
    call(client, twilio.requests[-1].fields["StatusCallback"], moves_on(twilio, "delivered"))
    message.refresh_from_db()
    assert (message.status, message.parts) == (Status.DELIVERED, 1)


def test_a_report_settles_a_message_whose_answer_was_lost(
    client: Client, twilio: TwilioServer
) -> None:
    twilio.mishap = lambda handler: handler.answer(502, b"<html>Bad Gateway</html>")
    message = send_text("Hi", "+447700900001", "+447700900000", status_report=True)
    assert (message.status, message.provider_id) == (Status.UNKNOWN, "")
    twilio.mishap = None
    body = twilio.requests[-1].body.decode()
    from urllib.parse import parse_qs

    address = parse_qs(body)["StatusCallback"][0]
    sid = f"SM{'7' * 32}"
    call(client, address, {**CALLBACK, "MessageSid": sid, "SmsSid": sid})
    message.refresh_from_db()
    assert message.status == Status.DELIVERED


def test_a_failure_says_why(client: Client, twilio: TwilioServer) -> None:
    message = send_text("Hi", "+447700900001", "+447700900000", status_report=True)
    address = twilio.requests[-1].fields["StatusCallback"]
    call(client, address, moves_on(twilio, "undelivered", "30007"))
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.REJECTED, "30007")
    assert "filtered" in message.error_text


def test_a_refusal_is_on_the_message_and_raised_if_wanted() -> None:
    message = send_text("Hi", "+447700900001", "+15005550004")
    assert (message.status, message.error_code) == (Status.REFUSED, "21610")
    with pytest.raises(RecipientBlocked):
        send_text("Hi", "+447700900001", "+15005550004", False)


def incoming_address() -> str:
    return addresses.webhook_url("default", "incoming")


def test_an_incoming_text_and_its_repeat(client: Client) -> None:
    for _ in range(2):
        response = call(client, incoming_address(), INCOMING)
        assert (response.status_code, response.content) == (200, b"<Response/>")
    (message,) = TextMessage.objects.all()
    assert (message.text, message.frm) == (INCOMING["Body"], "+447700900123")
    assert message.extra["FromCountry"] == "GB"


def test_what_comes_to_the_other_address_is_taken_all_the_same(client: Client) -> None:
    assert call(client, addresses.webhook_url("default", "callback"), INCOMING).status_code == 200
    assert TextMessage.objects.get().text == INCOMING["Body"]


@pytest.mark.parametrize("given", ["", "AAAA"])
def test_without_a_right_signature_nothing_is_believed(client: Client, given: str) -> None:
    headers = {"X-Twilio-Signature": given}
    assert call(client, incoming_address(), INCOMING, **headers).status_code == 403
    assert not TextMessage.objects.exists()


def test_behind_a_proxy_the_public_address_is_the_signed_one(client: Client, settings: Any) -> None:
    settings.DJSMS_BASE_URL = "https://sms.example.com"
    assert incoming_address().startswith("https://sms.example.com/")
    response = call(client, incoming_address(), INCOMING, Host="10.0.0.7:8000")
    assert response.status_code == 200


def test_the_price_is_asked_for(client: Client, twilio: TwilioServer) -> None:
    from datetime import UTC, datetime

    from djsms import SentText

    message = send_text("Hi", "+447700900001", "+447700900000", False)
    twilio.messages[message.provider_id] |= {"price": "-0.0400", "price_unit": "USD"}
    asked = SentText(
        ref=message.ref,
        to=message.to,
        frm=message.frm,
        attempted_on=message.attempted_on or datetime.now(UTC),
        provider_ids=(message.provider_id,),
    )
    [report] = gateways.get().fetch_reports([asked])
    assert str(report.price) == "0.0400"
    assert gateways.get().fetch_balance().currency == "USD"
