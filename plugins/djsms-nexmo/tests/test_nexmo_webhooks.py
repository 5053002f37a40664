"""Status reports and incoming texts of the SMS API, in each shape, and whether they are genuine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from djsms import IncomingText, PartOf, Status, StatusReport
from djsms.exceptions import Forged, InvalidWebhook, Misdirected
from djsms_nexmo import NexmoBackend, incoming, receipts, signatures, values
from djsms_nexmo.codes import RECEIPT_ERRORS
from hypothesis import given
from hypothesis import strategies as st
from vonage_server import API_KEY, SIGNATURE_SECRET
from vonage_webhooks import FORM, INCOMING, RECEIPT, REPORT, SHAPES, TEXT, request, signed

OPEN = NexmoBackend(api_key=API_KEY, api_secret="demo-secret")
SIGNED = NexmoBackend(api_key=API_KEY, signature_secret=SIGNATURE_SECRET, signature_method="sha256")


def report(**fields: str) -> StatusReport:
    (found,) = receipts.reports({**RECEIPT, **fields})
    return found


def text(**fields: str) -> IncomingText:
    changes = {name.replace("_", "-"): value for name, value in fields.items()}
    (found,) = incoming.texts({**TEXT, **changes})
    return found


def form(body: str) -> HttpRequest:
    return RequestFactory().post("/", body, content_type=FORM)


# Status reports


@pytest.mark.parametrize("shape", SHAPES)
def test_a_receipt_in_each_shape(shape: str) -> None:
    assert OPEN.parse_callback(request(RECEIPT, shape)) == [replace(REPORT, raw=RECEIPT)]


@pytest.mark.parametrize("content_type", ["", "text/plain", FORM, "application/json"])
def test_json_is_known_by_its_brace(content_type: str) -> None:
    body = json.dumps(RECEIPT).encode()
    (found,) = OPEN.parse_callback(RequestFactory().post("/", body, content_type=content_type))
    assert found.status == Status.DELIVERED


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", Status.SENT),
        ("buffered", Status.SENDING),
        ("delivered", Status.DELIVERED),
        ("DELIVERED", Status.DELIVERED),
        ("expired", Status.EXPIRED),
        ("failed", Status.FAILED),
        ("rejected", Status.REJECTED),
        ("unknown", Status.UNKNOWN),
        ("deleted", Status.FAILED),
        ("undelivered", Status.FAILED),
        ("teleported", Status.UNKNOWN),
    ],
)
def test_status_words(word: str, status: Status) -> None:
    assert report(status=word).status == status
    assert report(status=word).provider_status == word


@pytest.mark.parametrize("word", ["accepted", "buffered", "delivered", "unknown"])
def test_nothing_is_to_be_done_before_a_message_has_failed(word: str) -> None:
    found = report(status=word, **{"err-code": "7"})
    assert (found.error_code, found.error_text) == ("7", "handset busy")


def test_error_codes_say_what_to_do() -> None:
    found = report(status="failed", **{"err-code": "3"})
    assert found.error_code == "3"
    assert found.error_text == "number no longer in use; stop sending to this number"
    assert report(status="failed", **{"err-code": "1"}).error_text == "unknown reason"
    assert report(status="failed", **{"err-code": "77"}).error_text == ""
    assert report(status="failed", **{"err-code": "77"}).error_code == "77"
    assert report().error_code == ""


@pytest.mark.parametrize("code", RECEIPT_ERRORS)
def test_every_code_has_a_meaning(code: str) -> None:
    assert report(status="failed", **{"err-code": code}).error_text


def test_a_receipt_with_the_least() -> None:
    (found,) = receipts.reports({"messageId": "0A", "status": "delivered"})
    assert found == StatusReport(
        status=Status.DELIVERED, provider_id="0A", provider_status="delivered", raw=found.raw
    )
    (found,) = receipts.reports({"client-ref": "ab", "status": "delivered"})
    assert found.ref == "ab"


@pytest.mark.parametrize(
    ("moment", "scts", "expected"),
    [
        ("2020-01-01 12:00:00", "", datetime(2020, 1, 1, 12, tzinfo=UTC)),
        ("2020-01-01T13:00:00+01:00", "", datetime(2020, 1, 1, 12, tzinfo=UTC)),
        ("2020-01-01T12:00:00.000Z", "", datetime(2020, 1, 1, 12, tzinfo=UTC)),
        ("2020-01-01T12:00:00.000+00:00", "", datetime(2020, 1, 1, 12, tzinfo=UTC)),
        ("2020-01-01 12:00:00 +0000", "", datetime(2020, 1, 1, 12, tzinfo=UTC)),
        ("", "2001011400", datetime(2020, 1, 1, 14, tzinfo=UTC)),
        ("soon", "2001011400", datetime(2020, 1, 1, 14, tzinfo=UTC)),
        ("2020-01-01 12:00:00", "2001011400", datetime(2020, 1, 1, 12, tzinfo=UTC)),
        ("", "1234567890", None),
        ("", "２００１０１１４００", None),
        ("", "200101140", None),
        ("0001-01-01T00:00:00+14:00", "", None),
        ("9999-12-31T23:59:59-14:00", "", None),
        ("1999-12-31 23:59:59", "", None),
        ("2020-02-30 12:00:00", "0000000000", None),
    ],
)
def test_when_it_happened(moment: str, scts: str, expected: datetime | None) -> None:
    found = report(**{"message-timestamp": moment}, scts=scts).occurred_on
    assert found == expected
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("price", ["0.0005", "0.00050000", "5.0E-4", "5e-04"])
def test_a_price_in_each_notation(price: str) -> None:
    assert report(price=price).price == Decimal("0.0005")


@pytest.mark.parametrize(
    "price", ["", "free", "1E9", "1e-400", "-0.1", "NaN", "Infinity", "1e400", "0.03 EUR"]
)
def test_a_price_that_is_none(price: str) -> None:
    assert report(price=price).price is None
    assert report(price=price).currency == ""


# Incoming texts


@pytest.mark.parametrize("shape", SHAPES)
def test_a_text_in_each_shape(shape: str) -> None:
    assert OPEN.parse_incoming(request(TEXT, shape)) == [replace(INCOMING, raw=TEXT)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_text_to_the_letter(shape: str) -> None:
    words = " Zażółć & = + 50% 😀\r\n\t"
    (found,) = OPEN.parse_incoming(request({**TEXT, "text": words, "type": "unicode"}, shape))
    assert found.text == words


def test_a_part_of_a_long_text() -> None:
    part = text(concat="True", concat_ref="4", concat_total="3", concat_part="2")
    assert part.part == PartOf(ref="4", number=2, total=3)


@pytest.mark.parametrize(
    "fields",
    [
        {"concat": "false", "concat_ref": "4", "concat_total": "3", "concat_part": "2"},
        {"concat_ref": "4", "concat_total": "3", "concat_part": "2"},
        {"concat": "true"},
        {"concat": "true", "concat_total": "3", "concat_part": "2"},
        {"concat": "true", "concat_ref": "4", "concat_total": "3", "concat_part": "4"},
        {"concat": "true", "concat_ref": "4", "concat_total": "3", "concat_part": "0"},
        {"concat": "true", "concat_ref": "4", "concat_total": "256", "concat_part": "1"},
        {"concat": "true", "concat_ref": "4", "concat_total": "9" * 5000, "concat_part": "1"},
        {"concat": "true", "concat_ref": "4", "concat_total": "１", "concat_part": "１"},
        {"concat": "true", "concat_ref": "4", "concat_total": "1", "concat_part": "1"},
    ],
)
def test_what_is_no_part_is_kept_as_a_whole_text(fields: dict[str, str]) -> None:
    assert text(**fields).part is None
    assert text(**fields).text == "Hello world"


def test_the_parts_of_a_text_as_json_numbers() -> None:
    numbers = {"concat": True, "concat-ref": 4, "concat-total": 3, "concat-part": 2}
    (found,) = OPEN.parse_incoming(request({**TEXT, **numbers}, "json"))
    assert found.part == PartOf(ref="4", number=2, total=3)
    assert found.raw["concat"] == "true"


def test_a_binary_message_may_have_a_text() -> None:
    binary = {
        "type": "binary",
        "text": "Binary message",
        "data": "EA0601AE",
        "udh": "0605040B8423F0",
    }
    (found,) = OPEN.parse_incoming(request({**TEXT, **binary}))
    assert found.text == "Binary message"
    assert found.raw["data"] == "EA0601AE"


def test_a_text_with_the_least() -> None:
    least = {"msisdn": "447700900001", "to": "447700900000", "text": "Join"}
    (found,) = OPEN.parse_incoming(request(least, "get"))
    assert (found.text, found.provider_id, found.received_on) == ("Join", "", None)


def test_a_binary_message_is_kept_as_it_came() -> None:
    fields = {name: value for name, value in TEXT.items() if name not in ("text", "keyword")}
    fields |= {"type": "binary", "data": "0011223344556677", "udh": "06050415811581"}
    (found,) = OPEN.parse_incoming(request(fields))
    assert found.text == ""
    assert found.raw["data"] == "0011223344556677"
    assert found.raw["udh"] == "06050415811581"


@pytest.mark.parametrize(
    ("msisdn", "frm"),
    [("447700900001", "+447700900001"), ("Orange", "Orange"), ("80808", "80808")],
)
def test_who_sent_it(msisdn: str, frm: str) -> None:
    assert text(msisdn=msisdn).frm == frm


def test_the_time_of_the_push_is_the_second_best() -> None:
    found = text(message_timestamp="?", timestamp="1577880000")
    assert found.received_on == datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert text(message_timestamp="?", timestamp="9" * 400).received_on is None
    assert text(message_timestamp="?", timestamp="99999999999").received_on is None


# What cannot be read


def test_what_came_to_the_other_address_is_told_to_the_core() -> None:
    with pytest.raises(Misdirected):
        OPEN.parse_callback(request(TEXT))
    with pytest.raises(Misdirected):
        OPEN.parse_incoming(request(RECEIPT))


def test_even_with_few_fields_it_is_told_apart() -> None:
    receipt = {"msisdn": "447700900000", "to": "AcmeInc", "messageId": "0A", "status": "accepted"}
    with pytest.raises(Misdirected):
        OPEN.parse_incoming(request(receipt))
    with pytest.raises(Misdirected):
        OPEN.parse_callback(request({"msisdn": "447700900001", "to": "447700900000", "data": "00"}))


@pytest.mark.parametrize("fields", [{"status": ""}, {"status": None}, {"status": "x"}])
def test_a_text_with_something_of_a_receipt_is_still_a_text(fields: dict[str, Any]) -> None:
    (found,) = OPEN.parse_incoming(request({**TEXT, **fields}, "json"))
    assert found.text == TEXT["text"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"a": "b"},
        {"status": "delivered"},
        {"messageId": "0A"},
        {"status": "", "messageId": "0A"},
    ],
)
def test_what_is_no_receipt(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidWebhook):
        OPEN.parse_callback(request(fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "Hi"},
        {"text": "Hi", "msisdn": "447700900001"},
        {"text": "Hi", "to": "447700900000"},
        {"msisdn": "447700900001", "to": "447700900000"},
    ],
)
def test_what_is_no_text(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidWebhook):
        OPEN.parse_incoming(request(fields))


# Whether they are genuine


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("method", signatures.METHODS)
def test_a_right_signature(method: str, shape: str) -> None:
    backend = NexmoBackend(
        api_key=API_KEY, signature_secret=SIGNATURE_SECRET, signature_method=method
    )
    fields = signed({**TEXT, "text": "a & b = c\n😀", "not-known-here": "x"}, method)
    (found,) = backend.parse_incoming(request(fields, shape))
    assert found.text == "a & b = c\n😀"
    assert "sig" not in found.raw
    (receipt,) = backend.parse_callback(request(signed(RECEIPT, method), shape))
    assert receipt.status == Status.DELIVERED


def test_numbers_in_json_keep_their_digits() -> None:
    fields = signed(RECEIPT)
    body = json.dumps(fields).replace('"0.03330000"', "0.03330000").replace('"0"', "0").encode()
    (found,) = SIGNED.parse_callback(
        RequestFactory().post("/", body, content_type="application/json")
    )
    assert found.price == Decimal("0.0333")


NEW = {
    "new": {"b": [1, 2.50, "é"], "a": None},
    "list": [],
    "flag": False,
    "number": 12,
    "none": None,
}


@pytest.mark.parametrize("backend", [OPEN, SIGNED], ids=["token", "signature"])
def test_new_parameters_in_json_may_be_anything(backend: NexmoBackend) -> None:
    written = {
        "new": '{"b":[1,2.5,"é"],"a":null}',
        "list": "[]",
        "flag": "false",
        "number": "12",
    }
    sig = signed({**RECEIPT, **written})
    (found,) = backend.parse_callback(request({**sig, **NEW}, "json"))
    assert found.status == Status.DELIVERED
    assert found.raw.items() >= written.items()
    assert "none" not in found.raw


@pytest.mark.parametrize("value", [[], {}, ["Hi"], {"a": "b"}])
@pytest.mark.parametrize("name", ["text", "msisdn", "messageId", "status", "sig", "timestamp"])
def test_those_that_are_known_may_not(name: str, value: Any) -> None:
    for backend in (OPEN, SIGNED):
        for parse, fields in ((backend.parse_callback, RECEIPT), (backend.parse_incoming, TEXT)):
            with pytest.raises(InvalidWebhook):
                parse(request({**signed(fields), name: value}, "json"))


def test_json_after_a_byte_order_mark() -> None:
    body = json.dumps(signed(TEXT)).encode("utf-8-sig")
    (found,) = SIGNED.parse_incoming(RequestFactory().post("/", body, content_type="text/json"))
    assert found.text == TEXT["text"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
def test_a_form_whatever_it_calls_itself(content_type: str) -> None:
    body = urlencode(signed({**TEXT, "text": " a+b & c=d % é\r\n"}))
    (found,) = SIGNED.parse_incoming(RequestFactory().post("/", body, content_type=content_type))
    assert found.text == " a+b & c=d % é\r\n"


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("shape", SHAPES)
def test_parameters_without_a_value_may_be_signed_or_not(shape: str, blank: str) -> None:
    kept = signed({**TEXT, "keyword": blank})
    left_out = {**signed({k: v for k, v in TEXT.items() if k != "keyword"}), "keyword": blank}
    for fields in (kept, left_out):
        assert SIGNED.parse_incoming(request(fields, shape))


def test_an_empty_parameter_is_left_out_and_a_blank_text_is_not() -> None:
    signed_over = {k: v for k, v in TEXT.items() if k != "keyword"} | {"text": " "}
    (found,) = SIGNED.parse_incoming(request({**signed(signed_over), "keyword": ""}))
    assert found.text == " "


def test_what_the_signature_does_not_cover_does_not_count() -> None:
    """So that parameters without a value, which anybody could add, change nothing."""
    added = {"text": " ", "type": "", "status": " ", "err-code": ""}
    receipt = {name: value for name, value in RECEIPT.items() if name != "err-code"}
    for fields in (receipt, {name: value for name, value in TEXT.items() if name != "text"}):
        genuine = signed(fields)
        changed = {**added, **genuine}
        for parse in (SIGNED.parse_callback, SIGNED.parse_incoming):
            try:
                expected: Any = parse(request(genuine))
            except Misdirected:
                with pytest.raises(Misdirected):
                    parse(request(changed))
            else:
                assert parse(request(changed)) == expected


class TestANameThatComesMoreThanOnce:
    def test_does_no_harm_if_it_is_not_known(self) -> None:
        query = f"{urlencode(TEXT)}&new=1&new=2"
        for found in (RequestFactory().get(f"/?{query}"), form(query)):
            (text,) = OPEN.parse_incoming(found)
            assert text.text == TEXT["text"]
            assert text.raw["new"] == '["1", "2"]'

    @pytest.mark.parametrize("name", ["text", "msisdn", "messageId", "to"])
    def test_is_refused_if_it_is_known(self, name: str) -> None:
        with pytest.raises(InvalidWebhook):
            OPEN.parse_incoming(form(f"{urlencode(TEXT)}&{name}=1"))

    @pytest.mark.parametrize("name", ["text", "msisdn", "sig", "timestamp", "new"])
    @pytest.mark.parametrize("first", [True, False])
    def test_adds_nothing_to_what_is_signed(self, name: str, first: bool) -> None:
        """Neither the first nor the last value may count where the signature covers the other."""
        genuine = urlencode(signed({**TEXT, "new": "1"}))
        added = f"{name}=forged"
        with pytest.raises(InvalidWebhook):
            SIGNED.parse_incoming(form(f"{added}&{genuine}" if first else f"{genuine}&{added}"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parse", ["parse_callback", "parse_incoming"])
def test_wrong_and_missing_signatures(parse: str, shape: str) -> None:
    fields = RECEIPT if parse == "parse_callback" else TEXT
    genuine = signed(fields)
    forgeries = [
        fields,
        genuine | {"sig": ""},
        genuine | {"sig": "0" * 64},
        genuine | {"to": "447700900009"},
        genuine | {"added": "x"},
        {name: value for name, value in genuine.items() if name != "nonce"},
        signed(fields, "md5hash"),
    ]
    for forgery in forgeries:
        with pytest.raises(Forged):
            getattr(SIGNED, parse)(request(forgery, shape))


def test_any_age_will_do_by_default() -> None:
    old = signed(RECEIPT, timestamp="1577880000")
    assert SIGNED.parse_callback(request(old))


def test_a_limit_of_age() -> None:
    backend = NexmoBackend(
        api_key=API_KEY,
        signature_secret=SIGNATURE_SECRET,
        signature_method="sha256",
        webhook_max_age=300,
    )
    assert backend.parse_callback(request(signed(RECEIPT)))
    for timestamp in (str(int(time.time()) - 400), str(int(time.time()) + 400), "", "soon"):
        with pytest.raises(Forged):
            backend.parse_callback(request(signed(RECEIPT, timestamp=timestamp)))


@pytest.mark.parametrize("backend", [OPEN, SIGNED], ids=["token", "signature"])
def test_what_belongs_to_another_account_is_refused(backend: NexmoBackend) -> None:
    for parse, fields in ((backend.parse_callback, RECEIPT), (backend.parse_incoming, TEXT)):
        with pytest.raises(Forged, match="another Vonage account"):
            parse(request(signed({**fields, "api-key": "ffff0000"})))


def test_older_webhooks_do_not_name_the_account() -> None:
    fields = {name: value for name, value in RECEIPT.items() if name != "api-key"}
    assert OPEN.parse_callback(request(fields))
    assert OPEN.parse_callback(request({**fields, "api-key": ""}))


def test_unsigned_webhooks_of_an_account_that_signs_its_requests() -> None:
    backend = NexmoBackend(
        api_key=API_KEY, signature_secret=SIGNATURE_SECRET, signed_webhooks=False
    )
    assert backend.parse_callback(request(RECEIPT))


# Whatever comes

NAMES = st.sampled_from(sorted({*RECEIPT, *TEXT, "concat", "concat-ref", "concat-part", "sig"}))
FIELDS = st.dictionaries(
    NAMES | st.text(max_size=5), st.text(max_size=30) | st.sampled_from([*RECEIPT.values()])
)
JSON = st.dictionaries(
    NAMES, st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.just([{}])
)
BODIES = (
    st.binary()
    | JSON.map(lambda fields: json.dumps(fields).encode())
    | FIELDS.map(lambda fields: json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace"))
)
PARSERS: list[Callable[[Any], list[Any]]] = [
    OPEN.parse_callback,
    OPEN.parse_incoming,
    SIGNED.parse_callback,
    SIGNED.parse_incoming,
]


def only_our_errors(parse: Callable[[Any], list[Any]], made: Callable[[], Any]) -> None:
    try:
        found = parse(made())
    except InvalidWebhook:
        return
    assert found == parse(made())
    for value in found:
        moment = value.occurred_on if isinstance(value, StatusReport) else value.received_on
        assert moment is None or moment.utcoffset() == timedelta(0)


@given(
    body=BODIES,
    content_type=st.sampled_from(["", FORM, "application/json", "multipart/form-data; boundary=x"]),
)
def test_any_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    for parse in PARSERS:
        only_our_errors(parse, lambda: RequestFactory().post("/", body, content_type=content_type))


@given(query=st.text(st.characters(max_codepoint=126)) | st.text(st.sampled_from("&=%a1+;")))
def test_any_query_is_read_or_refused(query: str) -> None:
    for parse in PARSERS:
        only_our_errors(parse, lambda: RequestFactory().get("/", QUERY_STRING=query))


@given(FIELDS)
def test_any_parameters_are_read_or_refused(fields: dict[str, str]) -> None:
    for parse in (receipts.reports, incoming.texts):
        only_our_errors(parse, lambda: fields)


@given(st.text() | st.datetimes().map(str) | st.datetimes(timezones=st.timezones()).map(str))
def test_any_time_is_one_or_none(written: str) -> None:
    for read in (values.moment, values.carrier_time, values.unix_time):
        found = read(written)
        assert found is None or found.utcoffset() == timedelta(0)
