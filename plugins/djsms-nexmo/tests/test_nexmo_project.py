"""A project that uses the plugin: from ``send_text`` to the handset, and back by the real views."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse
from django.test import Client
from djsms import Status, send_text
from djsms.accounts import addresses, gateways
from djsms.exceptions import RecipientBlocked
from djsms.models import StatusEvent, TextMessage
from vonage_server import API_KEY, API_SECRET, SIGNATURE_SECRET, VonageServer
from vonage_webhooks import RECEIPT, SHAPES, STATUS_EVENT, TEXT, TEXT_EVENT, signed, signed_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def project(settings: Any, vonage: VonageServer) -> Iterator[None]:
    vonage.signature_method = "sha256"
    settings.DJSMS_BACKEND = "nexmo"
    settings.NEXMO_API_KEY = API_KEY
    settings.NEXMO_API_SECRET = API_SECRET
    settings.NEXMO_SIGNATURE_SECRET = SIGNATURE_SECRET
    settings.NEXMO_SIGNATURE_METHOD = "sha256"
    settings.NEXMO_BASE_URL = vonage.url
    yield
    gateways.get().plugin.session.close()


def push(client: Client, kind: str, fields: dict[str, str], shape: str = "form") -> HttpResponse:
    path = f"/djsms/{kind}/"
    if shape == "get":
        return client.get(path, query_params=fields)
    content_type = "application/json" if shape == "json" else "application/x-www-form-urlencoded"
    if shape == "json":
        return client.post(path, fields, content_type=content_type)
    return client.post(path, urlencode(fields), content_type=content_type)


def receipt_for(vonage: VonageServer, part: int, **changes: str) -> dict[str, str]:
    sent = vonage.requests[-1].fields
    number = f"0A000000{int(sent['to'][-6:]):06d}{part:02d}"
    about = {"messageId": number, "client-ref": sent["client-ref"], "msisdn": sent["to"]}
    return signed({**RECEIPT, **about, **changes})


@pytest.mark.parametrize("shape", SHAPES)
def test_a_text_and_its_receipts(client: Client, vonage: VonageServer, shape: str) -> None:
    message = send_text("Hi", "AcmeInc", "+447700900000", False, status_report=True)
    assert message.status == Status.SENDING
    assert vonage.requests[-1].fields["callback"].startswith("https://example.com/djsms/callback/")
    for word, code, status in (
        ("buffered", "7", Status.SENDING),
        ("accepted", "0", Status.SENT),
        ("delivered", "0", Status.DELIVERED),
        ("expired", "1", Status.DELIVERED),
        ("delivered", "0", Status.DELIVERED),
    ):
        fields = receipt_for(vonage, 0, status=word, **{"err-code": code})
        response = push(client, "callback", fields, shape)
        assert (response.status_code, response.content) == (200, b"")
        message.refresh_from_db()
        assert message.status == status
    assert message.price == Decimal("0.0333")
    assert message.currency == "EUR"
    assert message.error_code == ""


def test_a_long_text_is_delivered_when_all_parts_are(client: Client, vonage: VonageServer) -> None:
    message = send_text("x" * 400, "AcmeInc", "+447700900000", False, status_report=True)
    assert message.price == Decimal("0.0999")
    for part, status in ((2, "sending"), (0, "sending"), (1, "delivered")):
        push(client, "callback", receipt_for(vonage, part))
        message.refresh_from_db()
        assert message.status == status


def test_a_failure_says_why(client: Client, vonage: VonageServer) -> None:
    message = send_text("Hi", "AcmeInc", "+447700900000", status_report=True)
    push(client, "callback", receipt_for(vonage, 0, status="rejected", **{"err-code": "9"}))
    message.refresh_from_db()
    assert message.status == Status.REJECTED
    assert message.error_code == "9"
    assert message.error_text == "the recipient has opted out; stop sending to this number"


def test_a_refusal_is_on_the_message_and_raised_if_wanted() -> None:
    message = send_text("Hi", "AcmeInc", "+447700900107")
    assert (message.status, message.error_code) == (Status.REFUSED, "7")
    with pytest.raises(RecipientBlocked):
        send_text("Hi", "AcmeInc", "+447700900107", False)


def test_parts_that_differ_are_refused_with_what_went_out() -> None:
    message = send_text("Hi", "AcmeInc", "+447700900201")
    assert (message.status, message.error_code) == (Status.REFUSED, "1")
    assert message.provider_id
    assert message.price == Decimal("0.0333")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_text_comes_in_parts(client: Client, shape: str) -> None:
    words = ["Zażółć & = ", " gęślą\njaźń", "+ 😀 "]
    parts = [
        {
            **TEXT,
            "messageId": "0A0000000123ABCD9",
            "text": text,
            "type": "unicode",
            "concat": "true",
            "concat-ref": "4",
            "concat-total": "3",
            "concat-part": str(number),
        }
        for number, text in enumerate(words, start=1)
    ]
    pushes = parts * 2
    random.shuffle(pushes)
    for fields in pushes:
        assert push(client, "incoming", signed(fields), shape).status_code == 200
    (message,) = TextMessage.objects.all()
    assert message.text == "".join(words)
    assert message.status == Status.RECEIVED
    assert (message.frm, message.to) == ("+447700900001", "+447700900000")
    assert not message.incomplete


def test_a_text_that_comes_twice_is_one(client: Client) -> None:
    for timestamp in ("1577880000", "1577880060"):
        assert push(client, "incoming", signed(TEXT, timestamp=timestamp)).status_code == 200
    assert TextMessage.objects.count() == 1


def test_the_format_of_the_messages_api(client: Client, vonage: VonageServer) -> None:
    message = send_text("Hi", "AcmeInc", "+447700900000", False, status_report=True)
    status = {**STATUS_EVENT, "client_ref": message.ref, "status": "delivered", "error": None}
    for kind, found in (("callback", status), ("incoming", TEXT_EVENT)):
        made = signed_event(found)
        response = client.post(
            f"/djsms/{kind}/",
            made.body,
            content_type="application/json",
            headers={"Authorization": made.headers["Authorization"]},
        )
        assert response.status_code == 200
    message.refresh_from_db()
    assert message.status == Status.DELIVERED
    assert TextMessage.objects.get(status=Status.RECEIVED).text == TEXT_EVENT["text"]


def push_event(client: Client, found: dict[str, Any]) -> HttpResponse:
    made = signed_event(found)
    headers = {"Authorization": made.headers["Authorization"]}
    return client.post(
        "/djsms/callback/", made.body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("identity", ["ref", "id of a part"])
def test_one_status_for_all_parts(client: Client, vonage: VonageServer, identity: str) -> None:
    """The Messages API knows one id for a message, the SMS API one for each part of it."""
    long = identity == "ref"
    message = send_text("x" * (400 if long else 9), "AcmeInc", "+447700900000", status_report=True)
    found = {**STATUS_EVENT, "status": "delivered", "usage": {"price": "0.09"}}
    del found["error"], found["client_ref"]
    assert push_event(client, found).status_code == 200
    message.refresh_from_db()
    assert message.status == Status.SENDING, "a status of another message"

    found |= {"client_ref": message.ref} if long else {"message_uuid": message.provider_id}
    assert push_event(client, found).status_code == 200
    message.refresh_from_db()
    assert message.status == Status.DELIVERED
    assert message.price == Decimal("0.09"), "the price of the whole message"


def test_without_a_signature_nothing_is_believed(client: Client) -> None:
    token = addresses.token("default")
    for kind, fields in (("callback", RECEIPT), ("incoming", TEXT)):
        assert push(client, kind, fields).status_code == 403
        assert client.get(f"/djsms/{kind}/default/{token}/", query_params=fields).status_code == 403
    assert not TextMessage.objects.exists()


def test_without_a_signature_secret_the_token_decides(client: Client, settings: Any) -> None:
    settings.NEXMO_SIGNATURE_SECRET = ""
    assert push(client, "incoming", TEXT).status_code == 403
    path = f"/djsms/incoming/default/{addresses.token('default')}/"
    assert client.get(path, query_params=TEXT).status_code == 200
    assert TextMessage.objects.get().text == "Hello world"


def test_what_comes_to_the_other_address_is_taken_all_the_same(client: Client) -> None:
    assert push(client, "callback", signed(TEXT)).status_code == 200
    assert push(client, "incoming", signed(RECEIPT)).status_code == 200
    assert TextMessage.objects.get(direction="incoming").text == TEXT["text"]
    assert StatusEvent.objects.get(source="report").provider_id == RECEIPT["messageId"]


def test_what_cannot_be_read_is_answered_with_400(client: Client) -> None:
    assert push(client, "callback", signed({"keyword": "HI"})).status_code == 400


def test_the_gateway_asks_for_our_checks(settings: Any) -> None:
    settings.NEXMO_SIGNATURE_METHOD = "md5hash"
    assert "djsms_nexmo.W004" in {message.id for message in gateways.get().check("", "")}
