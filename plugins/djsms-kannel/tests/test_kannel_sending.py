"""Messages as requests, and Kannel's answers as outcomes; over a loopback server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from djsms import Encoding, OutgoingText, Status, send_text
from djsms.accounts import addresses, gateways
from djsms.exceptions import (
    AuthenticationFailed,
    InvalidMessage,
    InvalidText,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.models import TextMessage
from djsms_kannel import KannelBackend, sending
from djsms_kannel.addresses import get_url
from djsms_kannel.parts import Part
from djsms_kannel.parts import parts as parts_of
from hypothesis import given
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter

REF = "0123456789abcdef0123456789abcdef"


class Gateway(ThreadingHTTPServer):
    """Answers as it is told, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 202
        self.body = b"0: Accepted for delivery"
        self.statuses: list[int] = []  # one for each of the next requests
        self.requests: list[tuple[str, Message, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/cgi-bin/sendsms"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, self.headers, body))
        status, words = self.server.status, self.server.body
        if self.server.statuses:
            status = self.server.statuses.pop(0)
            words = b"Temporal failure, try again later." if status == 503 else words
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def backend_for(url: str, **options: Any) -> Iterator[KannelBackend]:
    backend = KannelBackend(
        **{"url": url, "username": "shop", "password": "not-secret", "timeout": 5.0, **options}
    )
    yield backend
    backend.session.close()


@pytest.fixture
def backend(gateway: Gateway) -> Iterator[KannelBackend]:
    with backend_for(gateway.url) as backend:
        yield backend


@pytest.fixture
def backend_of_ten(gateway: Gateway) -> Iterator[KannelBackend]:
    with backend_for(gateway.url, max_messages=10) as backend:
        yield backend


def text(**fields: Any) -> OutgoingText:
    return OutgoingText(
        **{"ref": REF, "text": "Hi", "frm": "Acme", "to": "+447700900123", **fields}
    )


def header(message: Message, name: str) -> str:
    return str(message[name]).encode("latin-1").decode()


def test_the_request(gateway: Gateway, backend: KannelBackend) -> None:
    backend.send(text(text="Grüße {€}", frm="Café"))
    [(path, headers, body)] = gateway.requests
    assert path == "/cgi-bin/sendsms"
    assert body.decode() == "Grüße {€}"
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["X-Kannel-Username"] == "shop"
    assert headers["X-Kannel-Password"] == "not-secret"
    assert header(headers, "X-Kannel-From") == "Café"
    assert headers["X-Kannel-To"] == "+447700900123"
    assert headers["X-Kannel-Coding"] == "0"
    assert "X-Kannel-DLR-Mask" not in headers
    assert "X-Kannel-DLR-Url" not in headers


def test_unicode(gateway: Gateway, backend: KannelBackend) -> None:
    backend.send(text(text="Привет 😀", encoding=Encoding.UCS2))
    [(_, headers, body)] = gateway.requests
    assert headers["X-Kannel-Coding"] == "2"
    assert body.decode() == "Привет 😀"


def test_reports_are_asked_for_with_our_reference(gateway: Gateway, backend: KannelBackend) -> None:
    backend.send(text(callback_url="https://example.com/djsms/callback/default/t0ken/"))
    [(_, headers, _)] = gateway.requests
    assert headers["X-Kannel-DLR-Mask"] == "31"
    assert headers["X-Kannel-DLR-Url"] == (
        f"https://example.com/djsms/callback/default/t0ken/?ref={REF}"
        "&type=%d&answer=%A&id=%F&smsc=%i&time=%T"
    )


def test_the_senders_extras_become_headers(gateway: Gateway, backend: KannelBackend) -> None:
    extra = {
        "smsc": "op",
        "validity": 60,
        "deferred": 0,
        "priority": 3,
        "mclass": 0,
        "account": "billing",
        "meta_data": "?smpp?campaign=7&",
    }
    backend.send(text(extra=extra))
    backend.send(text(extra={"meta-data": "?smpp?campaign=8&"}))
    first, second = (headers for _, headers, _ in gateway.requests)
    assert first["X-Kannel-SMSC"] == "op"
    assert first["X-Kannel-Validity"] == "60"
    assert first["X-Kannel-Deferred"] == "0"
    assert first["X-Kannel-Priority"] == "3"
    assert first["X-Kannel-MClass"] == "0"
    assert first["X-Kannel-Account"] == "billing"
    assert first["X-Kannel-Meta-Data"] == "?smpp?campaign=7&"
    assert second["X-Kannel-Meta-Data"] == "?smpp?campaign=8&"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"smcs": "op"}, "no extra 'smcs'; it takes account, deferred"),
        ({"smsc": ""}, "'smsc' takes text"),
        ({"smsc": 7}, "'smsc' takes text"),
        ({"smsc": "op\r\nX-Kannel-Username: root"}, "'smsc' takes neither line breaks"),
        ({"smsc": " op"}, "nor spaces at its ends"),
        ({"account": "x" * 65}, "1 to 64"),
        ({"validity": 0}, "'validity' takes a whole number from 1"),
        ({"validity": "60"}, "'validity' takes a whole number"),
        ({"deferred": -1}, "'deferred' takes a whole number from 0"),
        ({"priority": 4}, "from 0 to 3"),
        ({"priority": True}, "from 0 to 3"),
        ({"mclass": 4}, "from 0 to 3"),
        ({"meta-data": "a", "meta_data": "b"}, "given twice"),
    ],
)
def test_extras_that_kannel_does_not_take(
    gateway: Gateway, backend: KannelBackend, extra: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidMessage, match=words):
        backend.send(text(extra=extra))
    assert not gateway.requests


def test_a_long_text_is_refused_rather_than_cut(gateway: Gateway, backend: KannelBackend) -> None:
    with pytest.raises(InvalidText, match="takes 2 segments, and Kannel would cut it after 1"):
        backend.send(text(text="x" * 161, segments=2))
    assert not gateway.requests
    with backend_for(gateway.url, max_messages=2) as roomy:
        roomy.send(text(text="x" * 161, segments=2))
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    "body",
    ["0: Accepted for delivery", "3: Queued for later delivery", "Sent. Message splits: 2"],
)
def test_accepted(gateway: Gateway, backend: KannelBackend, body: str) -> None:
    gateway.body = body.encode()
    result = backend.send(text())
    [part] = result.parts
    assert part.status is Status.SENDING
    assert not part.provider_id
    assert result.raw == {"answers": [body]}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, "Missing receiver number, rejected", Refused),
        (400, "Empty receiver number not allowed, rejected", Refused),
        (400, "Sender missing and no global set, rejected", Refused),
        (400, "Charset or body misformed, rejected", Refused),
        (400, "Number(s) has/have been denied by white- and/or black-lists.", RecipientBlocked),
        (403, "Authorization failed for sendsms", AuthenticationFailed),
        (403, "Not routable. Do not try again.", Refused),
        (404, "Unknown request.", Refused),
        (429, "Too many requests", Throttled),
        (503, "Temporal failure, try again later.", TemporarilyUnavailable),
        (503, "This site is down for maintenance.", OutcomeUnknown),
        (500, "Sending failed.", OutcomeUnknown),
        (502, "Bad gateway", OutcomeUnknown),
        (504, "Gateway timeout", OutcomeUnknown),
        (200, "Welcome to this network", OutcomeUnknown),
        (202, "Welcome to this network", OutcomeUnknown),
        (302, "Log in first", OutcomeUnknown),
        (0, "closed without an answer", OutcomeUnknown),
    ],
)
def test_answers(
    gateway: Gateway, backend: KannelBackend, status: int, body: str, error: type[SendError]
) -> None:
    gateway.status, gateway.body = status, body.encode()
    with pytest.raises(SendError) as caught:
        backend.send(text())
    assert type(caught.value) is error
    if status:
        assert body in caught.value.text
        assert caught.value.code == str(status)
    assert len(gateway.requests) == 1


def test_nothing_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/cgi-bin/sendsms"
        with backend_for(url) as backend, pytest.raises(TemporarilyUnavailable):
            backend.send(text())


def test_no_answer_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/cgi-bin/sendsms"
        with backend_for(url, timeout=0.2) as backend, pytest.raises(OutcomeUnknown):
            backend.send(text())


def test_a_private_authority_stands_above_the_environment(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/environment.pem")
    seen = []
    monkeypatch.setattr(
        HTTPAdapter, "cert_verify", lambda adapter, conn, url, verify, cert: seen.append(verify)
    )
    for options in ({"ca_file": "/nowhere/option.pem"}, {}):
        with backend_for(gateway.url, **options) as backend:
            backend.send(text())
    assert seen == ["/nowhere/option.pem", "/nowhere/environment.pem"]


# The 67th and 68th code unit are the halves of the smile.
TORN = "я" * 66 + "😀" + "я" * 60 + "😀"


def test_a_text_that_kannel_would_tear_goes_in_parts(
    gateway: Gateway, backend_of_ten: KannelBackend
) -> None:
    message = text(text=TORN, encoding=Encoding.UCS2, segments=2, callback_url="https://x.test/")
    result = backend_of_ten.send(message)
    assert [part.provider_id for part in result.parts] == [f"{REF}-1", f"{REF}-2"]
    assert [body.decode() for _, _, body in gateway.requests] == [TORN[:66], TORN[66:]]
    first, second = (headers for _, headers, _ in gateway.requests)
    assert first["X-Kannel-UDH"] == "050003010201"
    assert second["X-Kannel-UDH"] == "050003010202"
    assert f"?ref={REF}&part={REF}-2&type=%d" in second["X-Kannel-DLR-Url"]


def test_no_other_text_does(gateway: Gateway, backend_of_ten: KannelBackend) -> None:
    whole = ["я" * 67 + "😀" + "я" * 60, "😀" * 35, "я" * 66 + "😀", "я" * 300, "x" * 300]
    for body in whole:
        encoding = Encoding.GSM7 if body[0] == "x" else Encoding.UCS2
        backend_of_ten.send(text(text=body, encoding=encoding, segments=2))
    assert [body.decode() for _, _, body in gateway.requests] == whole
    assert not any("X-Kannel-UDH" in headers for _, headers, _ in gateway.requests)


THREE = [Part(text=name, ident=name) for name in ("one", "two", "three")]


def sender(errors: dict[str, SendError]) -> tuple[list[str], Callable[[Part], str]]:
    """Return a stand-in for the calls, and the list in which it notes them."""
    calls: list[str] = []

    def send(part: Part) -> str:
        calls.append(part.ident)
        if part.ident in errors:
            raise errors[part.ident]
        return "0: Accepted for delivery"

    return calls, send


@pytest.mark.parametrize("error", [TemporarilyUnavailable("full", code="503"), Refused("no")])
def test_a_later_part_that_is_not_taken(error: SendError) -> None:
    calls, send = sender({"two": error})
    result = sending.send_parts(THREE, send)
    assert [(part.provider_id, part.status, part.error_text) for part in result.parts] == [
        ("one", Status.SENDING, ""),
        ("two", Status.FAILED, error.text),
        ("three", Status.FAILED, "Not sent, because a part before it was not taken."),
    ]
    assert result.parts[1].error_code == error.code
    assert result.raw["answers"] == ["0: Accepted for delivery", str(error)]
    assert calls == ["one", "two"]


@pytest.mark.parametrize("error", [TemporarilyUnavailable("full"), Refused("no")])
def test_a_first_part_that_is_not_taken(error: SendError) -> None:
    calls, send = sender({"one": error})
    with pytest.raises(type(error)):
        sending.send_parts(THREE, send)
    assert calls == ["one"]


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_a_part_that_may_have_been_taken_keeps_no_other_back(name: str) -> None:
    calls, send = sender({name: OutcomeUnknown("cut off", code="500")})
    result = sending.send_parts(THREE, send)
    assert [(part.provider_id, part.status) for part in result.parts] == [
        (part.ident, Status.UNKNOWN if part.ident == name else Status.SENDING) for part in THREE
    ]
    [unknown] = [part for part in result.parts if part.status is Status.UNKNOWN]
    assert (unknown.error_code, unknown.error_text) == ("500", "cut off")
    assert calls == ["one", "two", "three"]


def test_nothing_is_sent_after_a_part_that_is_surely_missing() -> None:
    calls, send = sender({"one": OutcomeUnknown("cut off"), "two": TemporarilyUnavailable("gone")})
    result = sending.send_parts(THREE, send)
    assert [part.status for part in result.parts] == [
        Status.UNKNOWN,
        Status.FAILED,
        Status.FAILED,
    ]
    assert calls == ["one", "two"]


def test_a_whole_text_that_may_have_been_taken_raises() -> None:
    calls, send = sender({"one": OutcomeUnknown("cut off")})
    with pytest.raises(OutcomeUnknown):
        sending.send_parts(THREE[:1], send)
    assert calls == ["one"]


@pytest.fixture
def project(gateway: Gateway, settings: Any) -> Iterator[None]:
    settings.DJSMS_BACKEND = "kannel"
    settings.KANNEL_URL = gateway.url
    settings.KANNEL_USERNAME = "shop"
    settings.KANNEL_PASSWORD = "not-secret"
    settings.KANNEL_MAX_MESSAGES = 10
    settings.DJSMS_BASE_URL = "http://testserver"
    yield
    gateways.get().plugin.session.close()


def reported(gateway: Gateway, client: Client, request: int, value: int, answer: str = "") -> None:
    """Call the address that came with a request, as Kannel does."""
    address = str(gateway.requests[request][1]["X-Kannel-DLR-Url"])
    filled = address.replace("%d", str(value)).replace("%A", quote(answer, safe=""))
    for escape in ("%F", "%i", "%T"):
        filled = filled.replace(escape, "")
    response = client.get(filled.removeprefix("http://testserver"))
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("answers", "calls", "status", "last"),
    [
        ([202, 202, 202], 3, Status.SENDING, Status.DELIVERED),
        # The first one's report must not pass for the others', which may never have left.
        ([500, 202, 202], 3, Status.UNKNOWN, Status.DELIVERED),
        ([202, 500, 202], 3, Status.UNKNOWN, Status.DELIVERED),
        ([500, 500, 500], 3, Status.UNKNOWN, Status.DELIVERED),
        ([500, 503], 2, Status.FAILED, Status.FAILED),
        ([202, 503], 2, Status.FAILED, Status.FAILED),
        ([202, 500, 503], 3, Status.FAILED, Status.FAILED),
        ([503], 1, Status.FAILED, Status.FAILED),
        ([400], 1, Status.REFUSED, Status.REFUSED),
    ],
)
def test_what_is_recorded_of_a_text_in_parts(
    gateway: Gateway, client: Client, answers: list[int], calls: int, status: Status, last: Status
) -> None:
    gateway.statuses = list(answers)
    body = TORN + "я" * 10
    message = send_text(body, "Acme", "+447700900123", status_report=True)
    assert message.status == status
    assert len(gateway.requests) == calls
    sent = [body.decode() for _, _, body in gateway.requests]
    assert body.startswith("".join(sent))
    # no part is sent twice
    assert len({str(headers["X-Kannel-UDH"]) for _, headers, _ in gateway.requests}) == calls
    out = [index for index, answer in enumerate(answers) if answer in (202, 500)]
    for index in out[:-1]:
        reported(gateway, client, index, 8)
        reported(gateway, client, index, 1)
        message.refresh_from_db()
        assert message.status in (status, Status.SENDING)
    for index in out[-1:]:
        reported(gateway, client, index, 1)
    message.refresh_from_db()
    assert message.status == last


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("project")
def test_a_part_that_the_operator_refuses_decides(gateway: Gateway, client: Client) -> None:
    message = send_text(TORN, "Acme", "+447700900123", status_report=True)
    reported(gateway, client, 1, 16, "NACK/0x0000000b/Invalid Destination Address")
    reported(gateway, client, 0, 1)
    message.refresh_from_db()
    assert (message.status, message.error_code) == (Status.REFUSED, "0x0000000b")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([1, 8], Status.DELIVERED),
        ([8, 4, 8, 4, 1, 1], Status.DELIVERED),
        ([2, 8], Status.FAILED),
        ([8, 34, 2], Status.EXPIRED),
        ([16, 8], Status.REFUSED),
        ([16, 16, 2], Status.REFUSED),
        ([128, 8], Status.SENT),
    ],
)
def test_reports_in_any_order_and_number(
    gateway: Gateway, client: Client, values: list[int], status: Status
) -> None:
    message = send_text("Hi", "Acme", "+447700900123", status_report=True)
    for value in values:
        reported(gateway, client, 0, value)
    message.refresh_from_db()
    assert message.status == status
    assert message.events.filter(source="report").count() == len(set(values))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("project")
def test_a_service_that_calls_the_address_for_reports(client: Client) -> None:
    address = get_url(addresses.webhook_url("default", "callback"))
    filled = address.replace("%I", "4a6f").replace("%p", "%2B447700900123").replace("%P", "12345")
    for escape, value in {"%T": "1763825003", "%c": "0", "%C": "UTF-8", "%b": "Hi"}.items():
        filled = filled.replace(escape, value)
    filled = filled.replace("%i", "op").replace("%u", "").removeprefix("http://testserver")
    for _ in range(2):
        assert client.get(filled).status_code == 200
    [text] = TextMessage.objects.filter(direction="incoming")
    assert (text.frm, text.to, text.text) == ("+447700900123", "12345", "Hi")


@given(st.text(st.sampled_from("я漢😀👩\u200d"), min_size=1, max_size=300))
def test_no_part_ends_within_a_character(body: str) -> None:
    pieces = parts_of(text(text=body, encoding=Encoding.UCS2))
    assert "".join(piece.text for piece in pieces) == body
    if len(pieces) > 1:
        assert all(len(piece.text.encode("utf-16-be")) <= 134 for piece in pieces)
        assert [piece.udh[3:] for piece in pieces] == [
            bytes([1, len(pieces), number]) for number in range(1, len(pieces) + 1)
        ]


@given(frm=st.text(max_size=20), smsc=st.text(max_size=20))
def test_headers_carry_a_value_unchanged_or_not_at_all(frm: str, smsc: str) -> None:
    try:
        headers = sending.headers(
            text(frm=frm, extra={"smsc": smsc}), Part(text=""), "shop", "not-secret"
        )
    except InvalidMessage:
        return
    for value in headers.values():
        raw = value if isinstance(value, bytes) else value.encode()
        assert raw == raw.strip()
        assert not {*raw} & {*range(0x20), 0x7F}
    assert headers["X-Kannel-From"] == frm.encode()
    assert headers["X-Kannel-SMSC"] == smsc.encode()


@pytest.mark.parametrize(
    ("left", "minutes"),
    [
        (timedelta(minutes=10, seconds=30), "10"),
        (timedelta(seconds=5), "1"),
        (timedelta(days=900), "635040"),
    ],
    ids=str,
)
def test_what_expires_has_a_validity(
    gateway: Gateway, backend: KannelBackend, left: timedelta, minutes: str
) -> None:
    backend.send(text(expires_on=datetime.now(UTC) + left))
    [(_, headers, _)] = gateway.requests
    assert headers["X-Kannel-Validity"] == minutes


def test_an_own_validity_counts_for_more(gateway: Gateway, backend: KannelBackend) -> None:
    backend.send(text(expires_on=datetime.now(UTC) + timedelta(hours=1), extra={"validity": 5}))
    [(_, headers, _)] = gateway.requests
    assert headers["X-Kannel-Validity"] == "5"
