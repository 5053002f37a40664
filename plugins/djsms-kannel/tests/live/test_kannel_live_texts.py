"""What reaches the phones, and what comes from them, character by character."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kannel_gateway import Gateway, until
from kannel_operator import EXTENSION, GSM7, Operator, deliver_sm, from_gsm7

GSM7_CHARACTERS = GSM7.replace("\x1b", "")
EXTENDED = "".join(EXTENSION.values())
# one of every 61 characters of the basic plane, and some beyond it
UNICODE = "".join(chr(code) for code in [*range(0x20, 0xD800, 61), *range(0xE000, 0xFFFE, 61)])

TEXTS = {
    "+447700900001": "Hi",
    "+447700900002": GSM7_CHARACTERS,
    "+447700900003": EXTENDED * 8,
    "+447700900004": "  blanks and breaks stay  \n\n two lines\r\n ",
    "+447700900005": "Привет, Ελλάδα, 漢字, 😀👩‍👩‍👧",
    "+447700900006": "".join(f"{number:03}." for number in range(100)),
    "+447700900007": "x" * 152 + "€" * 80,
    "+447700900008": "я" * 67 * 3,
    "+447700900009": "😀" * 35,
    "+447700900010": "\ttabs\tare no GSM characters",
    "+447700900011": "100% & more=less+1 #?/\\",
    "+447700900012": UNICODE[:600],
    "+447700900013": UNICODE[600:],
    "+447700900014": "я" * 66 + "😀" + "я" * 10 + "😀" * 40,
}


def test_every_text_arrives_as_it_was_written(
    gateway: Gateway, operator: Operator, project: Any
) -> None:
    sent = project.send(*({"to": to, "text": text} for to, text in TEXTS.items()))
    messages = project.settled(sent)
    assert {message["status"] for message in messages.values()} == {"delivered"}
    characters = 0
    for to, text in TEXTS.items():
        [arrived] = operator.arrived(to.removeprefix("+"))
        assert arrived.text == text
        characters += len(text)
    print(f"\n{len(TEXTS)} texts of {characters} characters arrived as they were written")


def test_no_phone_shows_half_a_character(
    gateway: Gateway, operator: Operator, project: Any
) -> None:
    text = "😀" + "я" * 64 + "😀" * 40
    sent = project.send({"to": "+447700900019", "text": text})
    messages = project.settled(sent)
    assert messages["+447700900019"]["status"] == "delivered"
    # each part by itself, as some phones read them
    parts = sorted(operator.submitted("447700900019"), key=lambda part: part.udh)
    assert len(parts) == 3
    assert "".join(part.text for part in parts) == text
    assert [whole.text for whole in operator.arrived("447700900019")] == [text]
    print(f"\n{len(parts)} parts, each readable for itself")


def test_a_text_over_the_limit_does_not_leave(
    gateway: Gateway, operator: Operator, project: Any
) -> None:
    [sent] = project.send({"to": "+447700900020", "text": "x" * 1531})
    assert sent["status"] == "refused"
    assert "takes 11 segments, and Kannel would cut it after 10" in sent["words"]
    assert gateway.requests("+447700900020") == 0
    assert operator.submitted("447700900020") == []


def test_what_travels_beside_the_text(gateway: Gateway, operator: Operator, project: Any) -> None:
    extra = {
        "validity": 60,
        "deferred": 5,
        "priority": 2,
        "mclass": 0,
        "smsc": "operator",
        "account": "billing",
        "meta_data": "?smpp?campaign=7&",
    }
    sent = project.send(
        {"to": "+447700900021", "extra": extra},
        {"to": "+447700900022", "frm": "Café Ñ"},
        {"to": "+447700900023", "frm": "+447700900000"},
        {"to": "+447700900024", "frm": 'Ω "£$_"'},
    )
    project.settled(sent)
    [flash] = operator.arrived("447700900021")
    assert flash.data_coding == 0xF0
    assert flash.priority == 2
    assert flash.validity
    assert flash.schedule
    [named] = operator.arrived("447700900022")
    assert named.frm_type == 5
    assert from_gsm7(named.frm.encode("latin-1")) == "Café Ñ"
    [odd] = operator.arrived("447700900024")
    assert from_gsm7(odd.frm.encode("latin-1")) == 'Ω "£$_"'
    [numbered] = operator.arrived("447700900023")
    assert (numbered.frm, numbered.frm_type) == ("447700900000", 1)


INCOMING = {
    "447700900101": "Yes",
    "447700900102": "  two  spaces\nand a line é € {}  ",
    "447700900103": "Привет 😀",
    "447700900104": "".join(f"{number:03}." for number in range(100)),
    "447700900105": "я😀" * 100,
    "447700900106": GSM7_CHARACTERS,
    "447700900107": "100% & more=less+1 #?",
    "447700900108": "",
}


@contextmanager
def service(gateway: Gateway, method: str, recoded: bool = True) -> Iterator[None]:
    """Have Kannel hand incoming texts on in another way than the README's."""
    if (method, recoded) == ("get", True):
        yield
        return
    smsbox, incoming = gateway.group("smsbox"), gateway.group("sms-service")
    before = dict(smsbox), dict(incoming)
    if method == "post":
        address = incoming.pop("get-url").strip('"').split("?")[0]
        incoming |= {"post-url": f'"{address}?id=%I&time=%T"', "send-sender": "true"}
    smsbox["mo-recode"] = "true" if recoded else "false"
    try:
        gateway.kill("smsbox")
        gateway.start_smsbox()
        yield
    finally:
        for group, settings in zip((smsbox, incoming), before, strict=True):
            group.clear()
            group.update(settings)
        gateway.kill("smsbox")
        gateway.start_smsbox()


@pytest.mark.parametrize("recoded", [True, False])
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_text_comes_in_as_it_was_written(
    gateway: Gateway, operator: Operator, project: Any, method: str, recoded: bool
) -> None:
    to = {"get": "1234", "post": "1235"}[method] + str(int(recoded))
    with service(gateway, method, recoded):
        texts = injected(operator, project, to)
    assert {frm: text["text"] for frm, text in texts.items()} == {
        f"+{frm}": text for frm, text in INCOMING.items()
    }
    ids = {text["id"] for text in texts.values()}
    assert all(ids)
    assert len(ids) == len(INCOMING)
    assert all(text["aware"] for text in texts.values())
    print(f"\n{len(texts)} texts came in as they were written, {method}, mo-recode = {recoded}")
    # nobody who writes to us gets an answer that is none
    assert not operator.submitted("4477009001")


def injected(operator: Operator, project: Any, to: str) -> dict[str, dict[str, Any]]:
    for frm, text in INCOMING.items():
        parts = operator.from_phone(frm, to, text)
        operator.inject(*reversed(parts))

    def came() -> dict[str, dict[str, Any]] | None:
        texts = [text for text in project.ask("incoming", "+4477009001") if text["to"] == to]
        return {text["frm"]: text for text in texts} if len(texts) >= len(INCOMING) else None

    return until("all texts have come in", came)


@pytest.mark.parametrize("method", ["get", "post"])
def test_parts_that_kannel_could_not_join(
    gateway: Gateway, operator: Operator, project: Any, method: str
) -> None:
    frm = {"get": "447700900210", "post": "447700900212"}[method]
    text = "".join(f"{number:03}." for number in range(110))
    first, second, third = operator.from_phone(frm, "12345", text)
    with service(gateway, method):
        operator.inject(third, first)
        parts = until(
            "Kannel has given up",
            lambda: len(found := project.ask("parts", f"+{frm}")) == 2 and found,
        )
        assert [(number, total) for number, total, _ in parts] == [(1, 3), (3, 3)]
        assert text.startswith(parts[0][2])
        assert text.endswith(parts[1][2])
        operator.inject(second)
        [whole] = until("the last part has come", lambda: project.ask("incoming", f"+{frm}"))
    assert whole["text"] == text


def test_binaries_and_names(gateway: Gateway, operator: Operator, project: Any) -> None:
    operator.inject(
        deliver_sm("447700900211", "12345", b"\x00\xff\x80", data_coding=4),
        deliver_sm("Bistro", "12345", b"Table 5", frm_type=5),
    )
    [binary] = until("the binary has come", lambda: project.ask("incoming", "+447700900211"))
    assert (binary["text"], binary["extra"]["hex"]) == ("", "00ff80")
    [named] = until("the name's text has come", lambda: project.ask("incoming", "Bistro"))
    assert named["text"] == "Table 5"
