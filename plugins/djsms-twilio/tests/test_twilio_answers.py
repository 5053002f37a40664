"""What becomes of a message by Twilio's answer: a result, or the exception it amounts to."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from djsms import OutgoingText, Status
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms_twilio import TwilioBackend, answers
from djsms_twilio.codes import ERRORS
from hypothesis import given
from hypothesis import strategies as st
from local_server import answer_with, cut, unused_port
from twilio_server import TwilioServer

Make = Callable[..., OutgoingText]
SID = f"SM{'1' * 32}"


def error(code: Any, status: int = 400, message: str = "Some words") -> dict[str, Any]:
    return {"code": code, "message": message, "more_info": "https://…", "status": status}


@pytest.fixture
def outcome(
    backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> Callable[..., SendError]:
    """Send a message that is answered so, and return the exception; there was one POST."""

    def send(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> SendError:
        twilio.mishap = answer_with(status, body, **(headers or {}))
        with pytest.raises(SendError) as caught:
            backend.send(make_text())
        assert len(twilio.requests) == 1
        return caught.value

    return send


TABLE: dict[type[SendError], list[int]] = {
    AuthenticationFailed: [20003, 20006, 20008, 20010, *range(20101, 20108), 70051],
    InsufficientFunds: [10001, 20005],
    Throttled: [20429, 14107, 63017, 63018],
    TemporarilyUnavailable: [21611],
    OutcomeUnknown: [21619, 20500],
    RecipientBlocked: [21610],
    Refused: [
        *(21211, 21217, 21614, 21635, 21604),
        *(21212, 21603, 21606, 21607, 21616, 21657, 21659, 21660, 21708, 21709, 21711),
        *(21408, 21612, 21608, 21602, 21605, 21617, 21618, 21658),
        *(21609, 21701, 21702, 21703, 21704, 21705, 21624, 90007, 30012, 30013),
        *(30028, 30029, 30030, 30031, 20404, 20004, 20001),
    ],
}


@pytest.mark.parametrize(
    ("kind", "code"), [(kind, code) for kind, codes in TABLE.items() for code in codes]
)
def test_each_code(kind: type[SendError], code: int, outcome: Callable[..., SendError]) -> None:
    told = outcome(400, error(code))
    assert type(told) is kind
    assert (told.code, told.text) == (str(code), "Some words")


def test_no_code_is_left_untested() -> None:
    assert {str(code) for codes in TABLE.values() for code in codes} == ERRORS.keys()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, error(99999), Refused, "99999"),
        (403, error(99999, 403), AuthenticationFailed, "99999"),
        (401, error(20003, 401), AuthenticationFailed, "20003"),
        (404, error(20404, 404), Refused, "20404"),
        (429, error(20429, 429), Throttled, "20429"),
        (429, error(99999, 429), Throttled, "99999"),
        (400, error("21211"), Refused, "21211"),
        (400, {"message": "Without a code", "status": 400}, Refused, "400"),
        (400, b"<html>Bad Request</html>", Refused, "400"),
        (401, b"", AuthenticationFailed, "401"),
        (403, b"<html>Forbidden</html>", AuthenticationFailed, "403"),
        (404, b"not found", Refused, "404"),
        (408, b"", OutcomeUnknown, "408"),
        (429, b"<html>Slow down</html>", OutcomeUnknown, "429"),
        (429, {"message": "Slow down"}, OutcomeUnknown, "429"),
        (499, b"", OutcomeUnknown, "499"),
        (500, error(20500, 500), OutcomeUnknown, "20500"),
        (500, error(21211, 500), OutcomeUnknown, "21211"),
        (502, b"<html>Bad Gateway</html>", OutcomeUnknown, "502"),
        (503, error(20503, 503), OutcomeUnknown, "20503"),
        (503, error(20429, 503), OutcomeUnknown, "20429"),
        (504, b"", OutcomeUnknown, "504"),
        (302, b"", OutcomeUnknown, "302"),
        (200, error(21610), RecipientBlocked, "21610"),
        (200, error(21610, 500), OutcomeUnknown, "21610"),
        (200, {"sid": None, "status": "queued"}, OutcomeUnknown, ""),
        (201, {}, OutcomeUnknown, ""),
        (201, {"sid": 7}, OutcomeUnknown, ""),
        (201, b"<TwilioResponse/>", OutcomeUnknown, ""),
        (201, b"[]", OutcomeUnknown, ""),
    ],
)
def test_each_shape_of_an_answer(
    status: int,
    body: Any,
    kind: type[SendError],
    code: str,
    outcome: Callable[..., SendError],
) -> None:
    told = outcome(status, body)
    assert (type(told), told.code) == (kind, code)


@pytest.mark.parametrize(("header", "wait"), [({"Retry-After": "3"}, 3.0), ({}, None)])
def test_the_wait_is_told_if_twilio_tells_it(
    header: dict[str, str], wait: float | None, outcome: Callable[..., SendError]
) -> None:
    assert outcome(429, error(20429, 429), header).retry_after == wait


def test_words_have_no_control_characters(outcome: Callable[..., SendError]) -> None:
    assert outcome(400, error(21211, message="a\x1b[31m\nb")).text == "a [31m b"


def test_a_known_code_without_words_is_explained(outcome: Callable[..., SendError]) -> None:
    assert "opted out" in outcome(400, {"code": 21610}).text


HALF = b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"sid": "SM1'


@pytest.mark.parametrize("mishap", [cut(), cut(HALF)], ids=["nothing", "half"])
def test_a_lost_answer_is_unknown_and_nothing_is_sent_twice(
    mishap: Any, backend: TwilioBackend, twilio: TwilioServer, make_text: Make
) -> None:
    twilio.mishap = mishap
    with pytest.raises(OutcomeUnknown):
        backend.send(make_text())
    assert len(twilio.requests) == 1


def test_no_connection_is_surely_not_taken(
    make: Callable[..., TwilioBackend], make_text: Make
) -> None:
    with pytest.raises(TemporarilyUnavailable):
        make(base_url=f"http://127.0.0.1:{unused_port()}").send(make_text())


@pytest.mark.parametrize(
    ("to", "kind"),
    [
        ("+15005550001", Refused),
        ("+15005550002", Refused),
        ("+15005550003", Refused),
        ("+15005550004", RecipientBlocked),
        ("+15005550009", Refused),
    ],
)
def test_magic_recipients(
    to: str, kind: type[SendError], backend: TwilioBackend, make_text: Make
) -> None:
    with pytest.raises(kind) as caught:
        backend.send(make_text(to=to, frm="+15005550006"))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("frm", "kind"),
    [
        ("+15005550001", Refused),
        ("+15005550007", Refused),
        ("+15005550008", TemporarilyUnavailable),
    ],
)
def test_magic_senders(
    frm: str, kind: type[SendError], backend: TwilioBackend, make_text: Make
) -> None:
    with pytest.raises(kind) as caught:
        backend.send(make_text(frm=frm))
    assert type(caught.value) is kind


@pytest.mark.parametrize("word", ["queued", "accepted", "scheduled", "sending", "new word", None])
def test_the_first_status_is_sending(word: Any) -> None:
    result = answers.result(json.dumps({"sid": SID, "status": word}).encode())
    assert result.parts[0].status == Status.SENDING


@pytest.mark.parametrize(
    ("word", "code", "status"),
    [("failed", 30001, Status.REFUSED), ("undelivered", 30005, Status.FAILED)],
)
def test_a_message_that_failed_at_once_was_taken(word: str, code: int, status: Status) -> None:
    answer = {"sid": SID, "status": word, "error_code": code, "error_message": "Its words"}
    (part,) = answers.result(json.dumps(answer).encode()).parts
    assert (part.status, part.error_code, part.error_text) == (status, str(code), "Its words")
    assert part.provider_id == SID


@pytest.mark.parametrize(
    ("price", "unit", "expected"),
    [
        ("-0.00750", "USD", (Decimal("0.00750"), "USD")),
        ("-0.0075", "usd", (Decimal("0.0075"), "USD")),
        ("0", "USD", (Decimal(0), "USD")),
        (None, "USD", (None, "")),
        ("", "USD", (None, "")),
        ("free", "USD", (None, "")),
        ("-0.0075", None, (Decimal("0.0075"), "")),
        (-0.0075, "USD", (Decimal("0.0075"), "USD")),
    ],
)
def test_a_price_is_above_zero(price: Any, unit: Any, expected: tuple[Any, str]) -> None:
    answer = {"sid": SID, "status": "sent", "price": price, "price_unit": unit}
    result = answers.result(json.dumps(answer).encode())
    assert (result.parts[0].price, result.currency) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["sid", "status", "code", "message", "price", "price_unit", "error_code", "balance"]
        ),
        VALUES | st.sampled_from([SID, "sent", "failed", "-1.5", "USD", 30003, 400]),
    )
)
def test_whatever_is_answered_is_read_or_unknown(answer: dict[str, Any]) -> None:
    content = json.dumps(answer).encode()
    for read in (answers.result, answers.balance, lambda body: answers.report(body, "")):
        try:
            read(content)
        except SendError:
            continue


@given(st.binary(max_size=60))
def test_whatever_is_no_json_is_unknown(content: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        answers.result(content)
