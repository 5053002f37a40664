"""Status reports and incoming texts, as Kannel 1.4.5 sends them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from djsms import IncomingText, PartOf, Status, StatusReport
from djsms.exceptions import InvalidWebhook, Misdirected
from djsms_kannel import KannelBackend
from djsms_kannel.incoming import part_of
from hypothesis import given
from hypothesis import strategies as st

REF = "0123456789abcdef0123456789abcdef"
BACKEND = KannelBackend(
    url="http://127.0.0.1:13013/cgi-bin/sendsms", username="shop", password="not-secret"
)


def receipt(stat: str, err: str = "000") -> str:
    return (
        f"id:4711 sub:001 dlvrd:000 submit date:2611221523 done date:2611221524 stat:{stat} "
        f"err:{err} text:Your code is 987654 stat:DELIVRD"
    )


def report(**fields: Any) -> StatusReport:
    query = {"ref": REF, "type": "1", "answer": "", "id": "4711", "smsc": "op", **fields}
    [only] = BACKEND.parse_callback(RequestFactory().get("/", query))
    return only


def incoming(query: dict[str, str | bytes]) -> IncomingText:
    request = RequestFactory().get("/", QUERY_STRING=urlencode(query))
    [only] = BACKEND.parse_incoming(request)
    return only


@pytest.mark.parametrize(
    ("value", "answer", "status", "word", "code", "words"),
    [
        (8, "ACK/", Status.SENT, "smsc submit", "", ""),
        (4, receipt("ENROUTE"), Status.SENT, "ENROUTE", "", ""),
        (4, "", Status.SENT, "message buffered", "", ""),
        (1, receipt("DELIVRD"), Status.DELIVERED, "DELIVRD", "", ""),
        (1, "", Status.DELIVERED, "delivery success", "", ""),
        (2, receipt("UNDELIV", "001"), Status.FAILED, "UNDELIV", "001", "undeliverable"),
        (2, receipt("EXPIRED", "027"), Status.EXPIRED, "EXPIRED", "027", "expired"),
        (34, receipt("EXPIRED", "027"), Status.EXPIRED, "EXPIRED", "027", "expired"),
        (34, receipt("UNDELIV", "027"), Status.EXPIRED, "UNDELIV", "027", "undeliverable"),
        (34, "", Status.EXPIRED, "expired", "", "34"),
        (2, receipt("DELETED", "011"), Status.FAILED, "DELETED", "011", "deleted"),
        (2, receipt("REJECTD", "069"), Status.REJECTED, "REJECTD", "069", "rejected"),
        (2, receipt("UNKNOWN", "255"), Status.FAILED, "UNKNOWN", "255", "does not know"),
        (66, receipt("UNKNOWN", "255"), Status.FAILED, "UNKNOWN", "255", "does not know"),
        (2, receipt("SKIPPED", "0x4b"), Status.FAILED, "SKIPPED", "0x4b", "stat:SKIPPED"),
        (2, "", Status.FAILED, "delivery failure", "", "2"),
        (
            16,
            "NACK/0x0000000b/Invalid Destination Address",
            Status.REFUSED,
            "smsc reject",
            "0x0000000b",
            "Invalid Destination Address",
        ),
        (
            2,
            "id:4711 stat: err:027 text:Hi stat:DELIVRD",
            Status.FAILED,
            "delivery failure",
            "027",
            "stat:",
        ),
        (2, "id:4711 err: stat:UNDELIV", Status.FAILED, "UNDELIV", "", "undeliverable"),
        (2, "id:4711 stat:UNDELIV err:-1 text:", Status.FAILED, "UNDELIV", "-1", "undeliverable"),
        (2, "id:4711 stat:UNDELIV err:%41 100%", Status.FAILED, "UNDELIV", "", "undeliverable"),
        (2, "stat:UNDELIV;err:0x4b;text:Hi", Status.FAILED, "UNDELIV", "0x4b", "undeliverable"),
        (2, "stat:undeliv ERR:00A Text:err:1", Status.FAILED, "UNDELIV", "00A", "undeliverable"),
        (3, receipt("DELIVRD"), Status.DELIVERED, "DELIVRD", "", ""),
        (5, "", Status.DELIVERED, "delivery success", "", ""),
        (129, "", Status.DELIVERED, "delivery success", "", ""),
        (12, "ACK/", Status.SENT, "message buffered", "", ""),
        (18, "NACK/x", Status.REFUSED, "smsc reject", "", "x"),
        (64, "", Status.FAILED, "unknown", "", "64"),
        (130, "", Status.FAILED, "delivery failure", "", "130"),
        (16, "NACK/", Status.REFUSED, "smsc reject", "", "16"),
        (16, "", Status.REFUSED, "smsc reject", "", "16"),
        (16, "NACK/0x00000045", Status.REFUSED, "smsc reject", "0x00000045", "16"),
        (16, "NACK/0x00000400/a/b 100%", Status.REFUSED, "smsc reject", "0x00000400", "a/b 100%"),
        (16, "NACK/no SMSC", Status.REFUSED, "smsc reject", "", "no SMSC"),
        (16, "NACK/Retries Exceeded", Status.REFUSED, "smsc reject", "", "Retries Exceeded"),
        (128, "", Status.UNKNOWN, "128", "", ""),
        (0, "", Status.UNKNOWN, "0", "", ""),
    ],
)
def test_reports(value: int, answer: str, status: Status, word: str, code: str, words: str) -> None:
    got = report(type=str(value), answer=answer)
    assert (got.status, got.provider_status, got.error_code) == (status, word, code)
    assert words in got.error_text
    assert bool(words) == bool(got.error_text)
    assert got.ref == REF
    assert got.provider_id == "4711"


def test_the_reports_of_one_message_differ() -> None:
    words = {
        report(type=value, answer=answer).provider_status
        for value, answer in [
            ("8", "ACK/"),
            ("4", receipt("ENROUTE")),
            ("1", receipt("DELIVRD")),
            ("16", "NACK/no SMSC"),
        ]
    }
    assert len(words) == 4


def test_a_report_keeps_when_and_what_but_not_the_text() -> None:
    got = report(answer=receipt("DELIVRD"), time="1763825003")
    assert got.occurred_on == datetime(2025, 11, 22, 15, 23, 23, tzinfo=UTC)
    assert "stat:DELIVRD" in got.raw["answer"]
    assert "987654" not in repr(got.raw)


def test_a_part_that_was_sent_for_itself() -> None:
    got = report(part=f"{REF}-2", answer=receipt("DELIVRD"))
    assert (got.ref, got.provider_id) == (REF, f"{REF}-2")
    assert got.raw["id"] == "4711"


@pytest.mark.parametrize(
    "fields", [{"ref": ""}, {"type": ""}, {"type": "-1"}, {"type": "one"}, {"type": "%d"}]
)
def test_reports_that_cannot_be_read(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidWebhook):
        report(**fields)


def test_the_operators_words_need_not_be_utf8() -> None:
    query = f"ref={REF}&type=16&answer=NACK/%E9"
    [got] = BACKEND.parse_callback(RequestFactory().get("/", QUERY_STRING=query))
    assert got.error_text == "\ufffd"


GSM = {
    "id": "4a6f",
    "from": "+447700900123",
    "to": "12345",
    "time": "1763825003",
    "smsc": "op",
    "coding": "0",
    "charset": "UTF-8",
    "udh": "",
    "text": "two  spaces\nand a line é €",
}


def test_incoming() -> None:
    got = incoming({**GSM})
    assert got == IncomingText(
        provider_id="4a6f",
        frm="+447700900123",
        to="12345",
        text="two  spaces\nand a line é €",
        received_on=datetime(2025, 11, 22, 15, 23, 23, tzinfo=UTC),
        raw=got.raw,
    )
    assert got.raw["smsc"] == "op"
    assert "text" not in got.raw


@pytest.mark.parametrize(
    ("coding", "charset", "body", "text"),
    [
        ("0", "UTF-8", "Привет 😀".encode(), "Привет 😀"),
        ("2", "UTF-16BE", "Привет 😀".encode("utf-16-be"), "Привет 😀"),
        ("2", "", "Привет".encode("utf-16-be"), "Привет"),
        ("0", "WINDOWS-1252", "café €".encode("cp1252"), "café €"),
        ("0", "idna", "café".encode(), "café"),
        ("", "", "café".encode(), "café"),
        ("2", "UTF-16BE", b"\x00A\xd8\x3d", "A\ud83d"),
        ("2", "UTF-16BE", b"\x00A\x00", "A\ufffd"),
        ("0", "UTF-8", b"A\xff", "A\ufffd"),
        ("0", "UTF-8", b"", ""),
    ],
)
def test_characters(coding: str, charset: str, body: bytes, text: str) -> None:
    assert incoming({**GSM, "coding": coding, "charset": charset, "text": body}).text == text


def test_binary() -> None:
    got = incoming({**GSM, "coding": "1", "charset": "8-BIT", "text": b"\x00\xff\x80"})
    assert got.text == ""
    assert got.raw["hex"] == "00ff80"


def test_numbers_get_their_plus() -> None:
    got = incoming({**GSM, "from": "447700900123", "to": "447700900000"})
    assert (got.frm, got.to) == ("+447700900123", "+447700900000")
    assert incoming({**GSM, "from": "Café"}).frm == "Café"
    assert incoming({**GSM, "from": "Café".encode("latin-1")}).frm == "Café"


@pytest.mark.parametrize(
    ("udh", "part"),
    [
        ("050003 2a 03 01", PartOf(ref="2a", number=1, total=3)),
        ("060804 012a 03 02", PartOf(ref="012a", number=2, total=3)),
        ("0a 0504 0b84 23f0 0003 2a 02 02", PartOf(ref="2a", number=2, total=2)),
        ("", None),
        ("05", None),
        ("0500", None),
        ("050003 2a 03", None),
        ("050003 2a 03 00", None),
        ("050003 2a 03 04", None),
        ("050002 2a 03", None),
        ("0504 0b84 23f0", None),
        ("ff 00 ff 2a", None),
    ],
)
def test_parts(udh: str, part: PartOf | None) -> None:
    data = bytes.fromhex(udh)
    got = incoming({**GSM, "udh": data})
    assert got.part == part
    assert got.raw.get("udh", "") == data.hex()


@pytest.mark.parametrize("missing", ["from", "to", "text"])
def test_an_address_without_the_essentials(missing: str) -> None:
    with pytest.raises(InvalidWebhook, match=missing):
        incoming({name: value for name, value in GSM.items() if name != missing})


class TestANameThatComesMoreThanOnce:
    def test_does_no_harm_in_a_text_if_it_is_not_read(self) -> None:
        query = f"{urlencode(GSM)}&new=1&new=2"
        [got] = BACKEND.parse_incoming(RequestFactory().get("/", QUERY_STRING=query))
        assert got.frm == incoming(GSM).frm
        assert got.raw["new"] == ["1", "2"]

    def test_nor_in_a_report(self) -> None:
        query = f"ref={REF}&type=1&new=1&new=2"
        [got] = BACKEND.parse_callback(RequestFactory().get("/", QUERY_STRING=query))
        assert got.status is Status.DELIVERED
        assert got.raw["new"] == ["1", "2"]

    @pytest.mark.parametrize("name", ["from", "to", "text", "id", "coding", "udh", "time"])
    def test_is_refused_in_a_text_if_it_is_read(self, name: str) -> None:
        query = f"{urlencode({'time': '1', 'udh': '', **GSM})}&{name}=1"
        with pytest.raises(InvalidWebhook):
            BACKEND.parse_incoming(RequestFactory().get("/", QUERY_STRING=query))

    @pytest.mark.parametrize("name", ["ref", "type", "id", "answer"])
    def test_is_refused_in_a_report_if_it_is_read(self, name: str) -> None:
        query = f"ref={REF}&type=1&id=4711&answer=&{name}=2"
        with pytest.raises(InvalidWebhook):
            BACKEND.parse_callback(RequestFactory().get("/", QUERY_STRING=query))

    def test_is_refused_in_the_address_of_a_posted_text(self) -> None:
        headers = {"HTTP_X_KANNEL_FROM": "1", "HTTP_X_KANNEL_TO": "2"}
        request = RequestFactory().generic("POST", "/?id=a&id=b", b"Hi", "text/plain", **headers)
        with pytest.raises(InvalidWebhook, match="id more than once"):
            BACKEND.parse_incoming(request)


def test_no_time_costs_no_text() -> None:
    got = incoming({**GSM, "time": "2026-11-22"})
    assert got.received_on is None
    assert got.text


def posted(body: bytes, content_type: str = "text/plain", **headers: str) -> HttpRequest:
    address = "/?id=4a6f&time=1763825003"
    return RequestFactory().generic("POST", address, body, content_type, headers=headers)


def test_posted() -> None:
    headers = {
        "X-Kannel-From": "+447700900123",
        "X-Kannel-To": "12345",
        "X-Kannel-Coding": "2",
        "X-Kannel-UDH": "%05%00%03*%02%01",
    }
    request = posted("Привет".encode("utf-16-be"), 'text/plain; charset="UTF-16BE"', **headers)
    [got] = BACKEND.parse_incoming(request)
    assert got == IncomingText(
        provider_id="4a6f",
        frm="+447700900123",
        to="12345",
        text="Привет",
        received_on=datetime(2025, 11, 22, 15, 23, 23, tzinfo=UTC),
        part=PartOf(ref="2a", number=1, total=2),
        raw=got.raw,
    )


@pytest.mark.parametrize(
    "query", ["id=4a6f", "id=4a6f&a=b", "id=4a6f&text=%00%41", "x=%FF&id=4a6f"]
)
def test_the_bodys_charset_is_not_the_addresss(query: str) -> None:
    headers = {"X-Kannel-From": "+447700900123", "X-Kannel-To": "12345", "X-Kannel-Coding": "2"}
    body, content_type = "Привет".encode("utf-16-be"), 'text/plain; charset="UTF-16BE"'
    for address in (f"/?{query}", f"/?{query}&more=1"):
        request = RequestFactory().generic("POST", address, body, content_type, headers=headers)
        [got] = BACKEND.parse_incoming(request)
        assert (got.provider_id, got.text) == ("4a6f", "Привет")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("%05%00%03%01%03%02", PartOf(ref="01", number=2, total=3)),
        ("%05%00%03+%03%02", PartOf(ref="20", number=2, total=3)),
        ("%05%00%03%2B%03%02", PartOf(ref="2b", number=2, total=3)),
        ("%06%08%04%01A%FF%FE", PartOf(ref="0141", number=254, total=255)),
        ("%05%00%03", None),
        ("", None),
    ],
)
def test_posted_parts(header: str, part: PartOf | None) -> None:
    headers = {"X-Kannel-From": "Acme", "X-Kannel-To": "1", "X-Kannel-UDH": header}
    [got] = BACKEND.parse_incoming(posted(b"Hi", **headers))
    assert got.part == part


def test_posted_without_the_sender() -> None:
    request = posted(b"Hi", **{"X-Kannel-To": "12345"})
    with pytest.raises(InvalidWebhook, match="from"):
        BACKEND.parse_incoming(request)
    request.META["QUERY_STRING"] += "&from=%2B447700900123"
    assert BACKEND.parse_incoming(request)[0].frm == "+447700900123"


def test_an_address_with_too_much_in_it() -> None:
    request = posted(b"Hi", **{"X-Kannel-From": "Acme", "X-Kannel-To": "1"})
    request.META["QUERY_STRING"] = "&".join(["id=1"] * 300)
    with pytest.raises(InvalidWebhook, match="address"):
        BACKEND.parse_incoming(request)


def test_posted_binary() -> None:
    headers = {"X-Kannel-From": "Acme", "X-Kannel-To": "1", "X-Kannel-Coding": "1"}
    request = posted(b"\xff\x00", "application/octet-stream", **headers)
    [got] = BACKEND.parse_incoming(request)
    assert (got.text, got.raw["hex"]) == ("", "ff00")


def test_what_came_to_the_other_address() -> None:
    with pytest.raises(Misdirected):
        BACKEND.parse_callback(RequestFactory().get("/", GSM))
    with pytest.raises(Misdirected):
        BACKEND.parse_incoming(RequestFactory().get("/", {"ref": REF, "type": "1", "id": ""}))
    # A text from a phone is not a report, whatever it says.
    forged = posted(f"ref={REF}&type=1".encode(), **{"X-Kannel-From": "1", "X-Kannel-To": "2"})
    with pytest.raises(Misdirected):
        BACKEND.parse_callback(forged)


@pytest.mark.parametrize("content_type", ["text/xml", "application/x-www-form-urlencoded"])
def test_posted_otherwise(content_type: str) -> None:
    with pytest.raises(InvalidWebhook, match="post-xml"):
        BACKEND.parse_incoming(posted(b"<x/>", content_type))


@given(st.binary(max_size=300))
def test_no_header_is_too_odd(udh: bytes) -> None:
    part = part_of(udh)
    assert part is None or 1 <= part.number <= part.total <= 255


ODD = st.one_of(st.binary(max_size=40), st.sampled_from([b"0", b"1", b"2", b"34", b"%", b"9" * 30]))


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "ref",
                "type",
                "answer",
                "id",
                "time",
                "from",
                "to",
                "text",
                "coding",
                "charset",
                "udh",
                "smsc",
            ]
        ),
        ODD,
    ),
    st.booleans(),
)
def test_whatever_comes_is_read_or_refused(fields: dict[str, bytes], post: bool) -> None:
    query = "&".join(f"{name}={quote(value)}" for name, value in fields.items())
    if post:
        request = RequestFactory().post(f"/?{query}", fields.get("text", b""), "text/plain")
        request.META |= {
            f"HTTP_X_KANNEL_{name.upper()}": value.decode("latin-1")
            for name, value in fields.items()
        }
    else:
        request = RequestFactory().get("/", QUERY_STRING=query)
    for parse in (BACKEND.parse_callback, BACKEND.parse_incoming):
        try:
            first = parse(request)
        except InvalidWebhook:
            continue
        assert first == parse(request)
