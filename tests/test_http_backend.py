"""What ``HTTPBackend`` makes of all that can happen between us and a provider.

Against a real server on the loopback interface, since the differences lie in what happened on the
wire: a message that was surely not taken may be sent again, one that was perhaps taken may not.
"""

import json
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from wire import Answer, Provider, answer, fall_silent, hang_up, make_certificate, then, tls_of

from djsms.exceptions import (
    AuthenticationFailed,
    InvalidOptions,
    OutcomeUnknown,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.http import HTTPBackend, retry_after

SECRET = "s3cret"


@pytest.fixture
def provider() -> Iterator[Callable[..., Provider]]:
    started = []

    def start(*answers: Answer, tls: ssl.SSLContext | None = None) -> Provider:
        started.append(Provider(*answers, tls=tls))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@dataclass(frozen=True, kw_only=True)
class Acme(HTTPBackend):
    timeout: float = 0.5
    verify: str = ""

    def configure(self, session: requests.Session) -> None:
        session.trust_env = False
        session.verify = self.verify or True


@pytest.fixture
def acme() -> Iterator[Acme]:
    backend = Acme()
    yield backend
    backend.session.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody trusts; its key lies beside it."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    return tls_of(certificate)


def failure(backend: HTTPBackend, url: str, **request: Any) -> SendError:
    """Post, and return the error; whatever is logged of it tells no address and no secret."""
    with pytest.raises(SendError) as caught:
        backend.post(url, **request)
    logged = "".join(traceback.format_exception(caught.value))
    assert SECRET not in logged
    assert "key=" not in logged
    assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args
    return caught.value


class TestAnAnswer:
    def test_of_success_is_returned(self, acme: Acme, provider: Callable[..., Provider]) -> None:
        server = provider(answer("202 Accepted", b'{"id": "1"}'))
        response = acme.post(server.url, json={"text": "Grüße"}, headers={"X-Acme": "1"})
        assert (response.status_code, response.json()) == (202, {"id": "1"})
        (request,) = server.requests
        assert request.startswith(b"POST /send?key=s3cret HTTP/1.1\r\n")
        assert b"X-Acme: 1\r\n" in request
        assert json.loads(request.splitlines()[-1]) == {"text": "Grüße"}

    def test_to_a_get_is_returned_too(self, acme: Acme, provider: Callable[..., Provider]) -> None:
        server = provider(answer(body=b'{"value": "3.50"}'))
        response = acme.get(server.url, params={"currency": "EUR"})
        assert response.json() == {"value": "3.50"}
        assert server.requests[0].startswith(b"GET /send?key=s3cret&currency=EUR HTTP/1.1\r\n")

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("400 Bad Request", Refused),
            ("401 Unauthorized", AuthenticationFailed),
            ("402 Payment Required", Refused),
            ("403 Forbidden", AuthenticationFailed),
            ("404 Not Found", Refused),
            ("422 Unprocessable Content", Refused),
            ("429 Too Many Requests", Throttled),
            ("301 Moved Permanently", OutcomeUnknown),
            ("500 Internal Server Error", OutcomeUnknown),
            ("502 Bad Gateway", OutcomeUnknown),
            ("503 Service Unavailable", OutcomeUnknown),
        ],
    )
    def test_of_anything_else_is_an_error(
        self, status: str, kind: type[SendError], acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        error = failure(acme, provider(answer(status, b"  No\n such  luck\xff")).url)
        assert type(error) is kind
        assert error.code == status[:3]
        assert error.text == "No such luck\ufffd"
        assert error.retry_after is None

    def test_without_words_is_told_by_its_status(
        self, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        assert failure(acme, provider(answer("502 Bad Gateway", b"")).url).text == "Bad Gateway"

    def test_is_quoted_in_brief_and_without_what_could_trick_a_terminal(
        self, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        body = "é\x1b[2J\0".encode() + "😀".encode() * 100_000
        text = failure(acme, provider(answer("400 Bad Request", body)).url).text
        assert text.startswith("é [2J 😀")
        assert text.isprintable()
        assert "\ufffd" not in text
        assert len(text) <= 200

    @pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Moved"])
    def test_that_redirects_is_not_followed(
        self, status: str, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        elsewhere = provider()
        server = provider(answer(status, Location=elsewhere.url))
        assert type(failure(acme, server.url)) is OutcomeUnknown
        assert elsewhere.connections == 0

    def test_may_say_when_to_try_again(self, acme: Acme, provider: Callable[..., Provider]) -> None:
        later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
        server = provider(
            answer("429 Too Many Requests", Retry_After="30"),
            answer("429 Too Many Requests", Retry_After=later),
        )
        assert failure(acme, server.url).retry_after == 30
        assert failure(acme, server.url).retry_after == pytest.approx(300, abs=10)


class TestWithoutAConnectionNothingWasTaken:
    def test_refused(self, acme: Acme) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        error = failure(acme, f"http://127.0.0.1:{port}/?key={SECRET}")
        assert type(error) is TemporarilyUnavailable
        assert error.text == "No connection to the provider: NewConnectionError."

    def test_no_such_name(self, acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        error = failure(acme, f"https://sms.example/?key={SECRET}")
        assert type(error) is TemporarilyUnavailable
        assert error.text == "No connection to the provider: NameResolutionError."

    def test_timed_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def hang(connection: socket.socket, address: Any) -> None:
            assert connection.gettimeout() == 0.1
            raise TimeoutError("timed out")

        monkeypatch.setattr(socket.socket, "connect", hang)
        error = failure(Acme(timeout=0.1), f"http://127.0.0.1:9/?key={SECRET}")
        assert type(error) is TemporarilyUnavailable

    def test_a_certificate_that_is_not_trusted(
        self, acme: Acme, provider: Callable[..., Provider], tls: ssl.SSLContext
    ) -> None:
        server = provider(tls=tls)
        error = failure(acme, server.url)
        assert type(error) is TemporarilyUnavailable
        assert server.requests == []

    def test_certificates_to_trust_that_are_not_there(self, acme: Acme) -> None:
        with pytest.raises(TemporarilyUnavailable, match="could not be made"):
            acme.post("https://127.0.0.1:9/", verify="/nowhere/ca.pem")

    def test_no_tls_on_the_other_side(self, acme: Acme) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def complain() -> None:
                with listener.accept()[0] as connection:
                    connection.sendall(answer("400 Bad Request"))
                    connection.recv(1000)

            server = threading.Thread(target=complain)
            server.start()
            port = listener.getsockname()[1]
            error = failure(acme, f"https://127.0.0.1:{port}/?key={SECRET}")
            server.join()
        assert type(error) is TemporarilyUnavailable

    @pytest.mark.parametrize("where", ["acme", "ftp://acme.example", "http://", "http://[", ""])
    def test_an_address_that_is_none_is_refused(self, where: str, acme: Acme) -> None:
        error = failure(acme, where and f"{where}?key={SECRET}")
        assert type(error) is Refused
        assert error.text == "The provider's address is not one."

    def test_a_host_name_that_is_none_is_refused(self, acme: Acme) -> None:
        assert type(failure(acme, f"http://{'a' * 64}.example/?key={SECRET}")) is Refused

    def test_a_request_that_cannot_be_written_is_refused(self, acme: Acme) -> None:
        url = f"http://127.0.0.1:9/?key={SECRET}"
        assert type(failure(acme, url, headers={"X-Acme": "a\r\nb"})) is Refused
        assert type(failure(acme, url, json={"price": float("nan")})) is Refused


class TestOnceTheRequestHasLeftNobodyKnows:
    @pytest.mark.parametrize(
        "end",
        [
            hang_up,
            fall_silent,
            then(b"HTTP/1.1 2", hang_up),
            then(b"HTTP/1.1 200 OK\r\nContent-", fall_silent),
            then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", hang_up),
            then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", fall_silent),
            then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", hang_up),
            then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n!\r\n{}", hang_up),
            then(b"SSH-2.0-OpenSSH\r\n", hang_up),
            answer(body=b"not gzip", Content_Encoding="gzip"),
        ],
        ids=[
            "cut off",
            "silence",
            "cut off in the status line",
            "silence in the headers",
            "cut off in the body",
            "silence in the body",
            "cut off in a chunk",
            "broken chunk",
            "no HTTP",
            "no gzip",
        ],
    )
    def test_however_it_ends(
        self, end: Answer, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        server = provider(end)
        error = failure(acme, server.url)
        assert type(error) is OutcomeUnknown
        assert error.text.startswith("The connection failed after the request left: ")
        assert len(server.requests) == 1

    def test_over_tls_too(
        self, provider: Callable[..., Provider], tls: ssl.SSLContext, certificate: Path
    ) -> None:
        server = provider(answer(), hang_up, tls=tls)
        trusting = Acme(verify=str(certificate))
        assert trusting.post(server.url).status_code == 200
        assert type(failure(trusting, server.url)) is OutcomeUnknown
        assert len(server.requests) == 2

    def test_when_the_answer_does_not_come_in_time(self, provider: Callable[..., Provider]) -> None:
        started = time.monotonic()
        error = failure(Acme(timeout=0.1), provider(fall_silent).url)
        assert type(error) is OutcomeUnknown
        assert time.monotonic() - started < 4


class TestConnections:
    def test_are_used_again(self, acme: Acme, provider: Callable[..., Provider]) -> None:
        server = provider(*[answer()] * 3)
        for _ in range(3):
            acme.post(server.url)
        assert server.connections == 1

    def test_are_used_again_after_an_error(
        self, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        server = provider(answer("400 Bad Request"), answer())
        failure(acme, server.url)
        acme.post(server.url)
        assert server.connections == 1

    def test_that_the_provider_closed_meanwhile_are_replaced(
        self, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        server = provider(then(answer(), hang_up), answer())
        acme.post(server.url)
        server.wait_for_the_end_of(0)
        acme.post(server.url)
        assert server.connections == 2
        assert len(server.requests) == 2

    def test_that_close_just_then_do_not_make_us_post_twice(
        self, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        server = provider(answer(), hang_up, answer())
        acme.post(server.url)
        assert type(failure(acme, server.url)) is OutcomeUnknown
        assert len(server.requests) == 2
        acme.post(server.url)
        assert server.connections == 2

    def test_serve_several_threads_at_once(
        self, acme: Acme, provider: Callable[..., Provider]
    ) -> None:
        together = threading.Barrier(3, timeout=5)
        server = provider(*[then(lambda _: together.wait() and None, answer())] * 3)
        threads = [threading.Thread(target=acme.post, args=[server.url]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == len(server.requests) == 3


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0),
            (" 120 ", 120),
            ("9" * 50, 86_400),
            ("Sun, 22 Nov 1998 10:00:00 GMT", 0),
            ("Sun, 22 Nov 9998 10:00:00 GMT", 86_400),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("١٢", None),
            ("Sun, 22 Nov 2026 10:00:00 -0000", None),
            ("Sun, 22 Nov 99999 10:00:00 GMT", None),
            ("Sun, 22 Nov 2026 10:00:00 +99999999999999", None),
        ],
    )
    def test_is_seconds_or_a_date_or_nothing(self, value: str, seconds: float | None) -> None:
        assert retry_after({"Retry-After": value}) == seconds

    def test_may_be_missing(self) -> None:
        assert retry_after({}) is None

    def test_does_not_depend_on_the_projects_time_zone(self, settings: Any) -> None:
        settings.USE_TZ = False
        later = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
        assert retry_after({"Retry-After": later}) == pytest.approx(300, abs=10)

    @given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]\d+"))
    def test_is_never_an_error(self, value: str) -> None:
        seconds = retry_after({"Retry-After": value})
        assert seconds is None or seconds >= 0


class TestOptions:
    @pytest.mark.parametrize("timeout", [0, -1, 301, float("nan"), float("inf"), "10", None])
    def test_there_is_always_a_timeout(self, timeout: Any) -> None:
        with pytest.raises(InvalidOptions, match=r"timeout is .*; it takes seconds"):
            HTTPBackend(timeout=timeout)

    def test_a_single_request_cannot_go_without_it(self, acme: Acme) -> None:
        with pytest.raises(TypeError, match="timeout"):
            acme.post("http://127.0.0.1:9/", timeout=None)

    @pytest.mark.parametrize("pool_size", [0, -1, 1.5, "10", None])
    def test_a_pool_has_connections(self, pool_size: Any) -> None:
        with pytest.raises(InvalidOptions, match=r"pool_size is .*; it takes a number"):
            HTTPBackend(pool_size=pool_size)

    def test_the_session_is_made_once(self) -> None:
        backend = HTTPBackend()
        assert backend.session is backend.session
        backend.session.close()


def test_requests_is_imported_only_when_a_request_is_made() -> None:
    code = "import sys, djsms.http; djsms.http.HTTPBackend(); print('requests' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout == "False\n"
