"""What the provider's answers amount to: by themselves, and over real connections."""

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
from djsms_nexmo import NexmoBackend, answers
from djsms_nexmo.codes import SEND_ERRORS
from hypothesis import given
from hypothesis import strategies as st
from local_server import answer_with, cut, hang, unused_port
from vonage_server import API_KEY, API_SECRET, VonageServer

Make = Callable[..., OutgoingText]


def body(*parts: object, **fields: object) -> bytes:
    answer = {"message-count": str(len(parts)), "messages": list(parts), **fields}
    return json.dumps(answer).encode()


def accepted(number: int = 0, **fields: object) -> dict[str, object]:
    return {
        "to": "447700900000",
        "message-id": f"0A0000001234567{number}",
        "status": "0",
        "remaining-balance": "12.34000000",
        "message-price": "0.03330000",
        "network": "23410",
        **fields,
    }


def test_an_accepted_message() -> None:
    result = answers.read(body(accepted()))
    (part,) = result.parts
    assert part.provider_id == "0A00000012345670"
    assert part.status == Status.SENDING
    assert part.price == Decimal("0.0333")
    assert result.currency == "EUR"
    assert result.raw["messages"][0]["remaining-balance"] == "12.34000000"


def test_every_part_has_its_own_id() -> None:
    result = answers.read(body(accepted(0), accepted(1), accepted(2)))
    assert len({part.provider_id for part in result.parts}) == 3
    assert sum(part.price or 0 for part in result.parts) == Decimal("0.0999")


def test_numbers_in_place_of_texts() -> None:
    content = b'{"message-count": 1, "messages": [{"status": 0, "message-price": 0.03330000}]}'
    (part,) = answers.read(content).parts
    assert part.status == Status.SENDING
    assert str(part.price) == "0.03330000"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        *[(code, Refused) for code, known in SEND_ERRORS.items() if known.error is Refused],
        *[(code, Refused) for code in ("21", "24", "99", "1000", "-1", "abc")],
        ("1", Throttled),
        ("10", Throttled),
        ("4", AuthenticationFailed),
        ("14", AuthenticationFailed),
        ("32", AuthenticationFailed),
        ("5", OutcomeUnknown),
        ("7", RecipientBlocked),
        ("33", RecipientBlocked),
        ("9", InsufficientFunds),
        ("13", TemporarilyUnavailable),
    ],
)
def test_each_code(code: str, error: type[SendError]) -> None:
    with pytest.raises(error) as caught:
        answers.read(body({"status": code, "error-text": "Some words"}))
    assert type(caught.value) is error
    assert caught.value.code == code
    assert caught.value.text == "Some words"


@pytest.mark.parametrize("code", SEND_ERRORS)
def test_a_refusal_without_words_gets_ours(code: str) -> None:
    with pytest.raises(SendError) as caught:
        answers.read(body({"status": code}))
    assert caught.value.text == SEND_ERRORS[code].meaning


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Throughput Rate Exceeded - please wait [ 702 ] and retry", 0.702),
        ("PLEASE WAIT [1500]", 1.5),
        (
            "Exceeded maximum MT throughput[ MAX [ 30 ] INTERVAL [ 1000 ] COUNT [ 30 ] LAST "
            "INT-START [ 1617784922564 ] TIME_SINCE_LAST_INTERVAL_START [ 529 ]  ] ",
            1.0,
        ),
        ("Exceeded [ MAX [ 1 ] INTERVAL [ 3000 ] COUNT [ 2 ] ]", 3.0),
        ("INTERVAL [ 2000 ] TIME_SINCE_LAST_INTERVAL_START [ 5000 ]", 2.0),
        ("TIME_SINCE_LAST_INTERVAL_START [ 529 ]", 1.0),
        ("Throttled", 1.0),
        ("please wait [ soon ]", 1.0),
        ("", 1.0),
    ],
)
def test_how_long_to_wait(words: str, seconds: float) -> None:
    part = {"status": "1", "error-text": words}
    with pytest.raises(Throttled) as caught:
        answers.read(body(part))
    assert caught.value.retry_after == seconds


def test_of_several_waits_the_longest_counts() -> None:
    waits = [{"status": "1", "error-text": f"please wait [ {ms} ]"} for ms in (200, 900, 300)]
    with pytest.raises(Throttled) as caught:
        answers.read(body(*waits, {"status": "10"}))
    assert caught.value.retry_after == 1.0


def test_parts_that_differ_are_a_result() -> None:
    """The accepted ones are out and paid for, so this must not look like a refusal of all."""
    refused = {"status": "1", "error-text": "Throttled", "message-price": "0.03330000"}
    result = answers.read(body(accepted(), refused, {"status": "5"}, {"status": "0"}))
    assert [part.status for part in result.parts] == ["sending", "refused", "unknown", "sending"]
    assert [part.error_code for part in result.parts] == ["", "1", "5", ""]
    assert result.parts[1].error_text == "Throttled"
    assert result.parts[1].price is None


def test_refusals_of_different_kinds_are_a_result() -> None:
    result = answers.read(body({"status": "9"}, {"status": "15"}))
    assert [part.status for part in result.parts] == ["refused", "refused"]
    assert [part.error_code for part in result.parts] == ["9", "15"]


def test_a_refused_part_may_have_all_fields() -> None:
    with pytest.raises(InsufficientFunds):
        answers.read(body(accepted(status="9") | {"error-text": "Quota Exceeded"}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"OK",
        b"<html>Bad gateway</html>",
        b"null",
        b"[]",
        b'"sent"',
        b"0",
        b"{}",
        b'{"messages"',
        b'{"messages": []}',
        b'{"messages": {}}',
        b'{"messages": null}',
        b'{"messages": [null]}',
        b'{"messages": [[], "0", 0]}',
        b'{"messages": [{}]}',
        b'{"messages": [{"status": null}]}',
        b'{"messages": [{"status": true}]}',
        b'{"messages": [{"status": ["0"]}]}',
        b'{"message-count": "1", "message-id": "0A"}',
        b'{"error-code": "200", "error-code-label": "success"}',
        b'{"error-code": "500", "error-code-label": "trouble"}',
        b'{"title": "Internal Error", "status": 503}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_an_answer_that_says_nothing_is_never_a_success(content: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        answers.read(content)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ({"error-code": "401", "error-code-label": "no"}, AuthenticationFailed, "no"),
        ({"error-code": 420, "error-code-label": "failed"}, Refused, "failed"),
        ({"error-code": "9", "error-code-label": "no credit"}, InsufficientFunds, "no credit"),
        ({"error-code": "429", "error-code-label": "slow"}, Throttled, "slow"),
        (
            {
                "type": "https://developer.vonage.com/api-errors#unauthorized",
                "title": "Unauthorized",
                "detail": "You did not provide correct credentials.",
                "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
            },
            Refused,
            "Unauthorized: You did not provide correct credentials.",
        ),
        ({"title": "Low balance", "status": 402}, InsufficientFunds, "Low balance"),
    ],
)
def test_other_shapes_of_a_refusal(
    content: dict[str, Any], error: type[SendError], words: str
) -> None:
    with pytest.raises(error) as caught:
        answers.read(json.dumps(content).encode())
    assert type(caught.value) is error
    assert caught.value.text == words


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_words_in_any_charset(encoding: str) -> None:
    """Whichever the header names: it has said ISO-8859-1 of what was UTF-8."""
    content = '{"messages": [{"status": "7", "error-text": "barré"}]}'.encode(encoding)
    with pytest.raises(RecipientBlocked, match="barré"):
        answers.read(content)


def test_words_fit_on_a_line() -> None:
    with pytest.raises(RecipientBlocked) as caught:
        answers.read(body({"status": "7", "error-text": "barred \x1b[2J\n\0[ 5 ]  now"}))
    assert caught.value.text == "barred  [2J  [ 5 ]  now"


@pytest.mark.parametrize("count", ["2", 3, None, "many", [], -1])
def test_the_count_of_parts_is_not_relied_on(count: object) -> None:
    assert len(answers.read(body(accepted(), **{"message-count": count})).parts) == 1


def test_the_label_of_an_error_without_a_code_is_kept() -> None:
    with pytest.raises(OutcomeUnknown, match="something went wrong"):
        answers.read(b'{"error-code-label": "something went wrong"}')


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
PARTS = st.dictionaries(
    st.sampled_from(["status", "message-id", "message-price", "error-text", "to"]),
    VALUES | st.sampled_from(["0", "1", "5", "9"]),
)


@given(
    st.binary()
    | VALUES.map(json.dumps).map(str.encode)
    | st.lists(PARTS | VALUES, max_size=3).map(
        lambda parts: json.dumps({"messages": parts}).encode()
    )
)
def test_any_answer_is_a_result_or_an_error_of_ours(content: bytes) -> None:
    try:
        result = answers.read(content)
    except SendError:
        return
    assert result.parts
    json.dumps(result.raw)
    for part in result.parts:
        assert part.price is None or part.price.is_finite()


# Over real connections.


@pytest.mark.parametrize(
    ("recipient", "error", "code"),
    [
        ("447700900105", OutcomeUnknown, "5"),
        ("447700900107", RecipientBlocked, "7"),
        ("447700900109", InsufficientFunds, "9"),
        ("447700900115", Refused, "15"),
        ("447700900203", Throttled, "1"),
    ],
)
def test_refused_by_the_server(
    recipient: str, error: type[SendError], code: str, backend: NexmoBackend, make_text: Make
) -> None:
    with pytest.raises(error) as caught:
        backend.send(make_text(to=f"+{recipient}"))
    assert caught.value.code == code


MISHAPS = {
    "empty": (answer_with(200), OutcomeUnknown, ""),
    "no content": (answer_with(204), OutcomeUnknown, ""),
    "a page": (answer_with(200, b"<html>"), OutcomeUnknown, ""),
    "302": (answer_with(302, Location="http://127.0.0.1:1/"), OutcomeUnknown, "302"),
    "400": (answer_with(400), Refused, "400"),
    "401": (answer_with(401, {"title": "Unauthorized"}), AuthenticationFailed, "401"),
    "402": (answer_with(402, {"title": "Low balance"}), InsufficientFunds, "402"),
    "403": (answer_with(403), AuthenticationFailed, "403"),
    "429": (answer_with(429), Throttled, "429"),
    "500": (answer_with(500), OutcomeUnknown, "500"),
    "503": (answer_with(503, Retry_After="3"), OutcomeUnknown, "503"),
    "cut": (cut(), OutcomeUnknown, ""),
    "cut in the header": (cut(b"HTTP/1.1 200 OK\r\nContent-Le"), OutcomeUnknown, ""),
    "cut in the body": (
        cut(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"mess'),
        OutcomeUnknown,
        "",
    ),
}


@pytest.mark.parametrize("name", MISHAPS)
def test_trouble_with_http(
    name: str, backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    vonage.mishap, error, code = MISHAPS[name]
    with pytest.raises(error) as caught:
        backend.send(make_text())
    assert type(caught.value) is error
    assert caught.value.code == code
    assert len(vonage.requests) == 1, "nothing is ever sent twice"


@pytest.mark.parametrize(
    ("status", "content", "error", "code", "words"),
    [
        (
            401,
            {
                "type": "https://developer.vonage.com/api-errors#unauthorized",
                "title": "Unauthorized",
                "detail": "You did not provide correct credentials.",
                "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
            },
            AuthenticationFailed,
            "401",
            "Unauthorized: You did not provide correct credentials.",
        ),
        (420, {"error-code": "420", "error-code-label": "failed"}, Refused, "420", "failed"),
        (401, json.loads(body({"status": "4"})), AuthenticationFailed, "4", "wrong API key"),
        (400, json.loads(body({"status": "9"})), InsufficientFunds, "9", "credit"),
        (400, json.loads(body({"status": "5"})), OutcomeUnknown, "5", "internal error"),
        (400, json.loads(body(accepted())), OutcomeUnknown, "400", "were taken"),
        (402, {"title": "Low balance"}, InsufficientFunds, "402", "Low balance"),
        (404, {"messages": []}, Refused, "404", "messages"),
        (404, ["Not found"], Refused, "404", "Not found"),
    ],
)
def test_what_the_body_of_an_http_error_says(
    status: int,
    content: Any,
    error: type[SendError],
    code: str,
    words: str,
    backend: NexmoBackend,
    vonage: VonageServer,
    make_text: Make,
) -> None:
    vonage.mishap = answer_with(status, content)
    with pytest.raises(error) as caught:
        backend.send(make_text())
    assert type(caught.value) is error
    assert caught.value.code == code
    assert words in caught.value.text


def test_429_with_a_wait_in_its_body(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    throttled = json.loads(body({"status": "1", "error-text": "please wait [ 250 ] and retry"}))
    for headers, seconds in (({}, 0.25), ({"Retry_After": "7"}, 7)):
        vonage.mishap = answer_with(429, throttled, **headers)
        with pytest.raises(Throttled) as caught:
            backend.send(make_text())
        assert caught.value.retry_after == seconds


def test_429_tells_how_long_to_wait(
    backend: NexmoBackend, vonage: VonageServer, make_text: Make
) -> None:
    vonage.mishap = answer_with(429, Retry_After="7")
    with pytest.raises(Throttled) as caught:
        backend.send(make_text())
    assert caught.value.retry_after == 7


def test_no_answer_in_time(vonage: VonageServer, make_text: Make) -> None:
    vonage.mishap = hang(0.5)
    backend = NexmoBackend(api_key=API_KEY, api_secret=API_SECRET, base_url=vonage.url, timeout=0.1)
    with pytest.raises(OutcomeUnknown) as caught:
        backend.send(make_text())
    assert len(vonage.requests) == 1
    assert API_SECRET not in str(caught.value)
    backend.session.close()


def test_nobody_there(make_text: Make) -> None:
    backend = NexmoBackend(
        api_key=API_KEY, api_secret=API_SECRET, base_url=f"http://127.0.0.1:{unused_port()}"
    )
    with pytest.raises(TemporarilyUnavailable):
        backend.send(make_text())
    backend.session.close()
