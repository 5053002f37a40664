"""A call ends by its deadline however lively the other side is, and reads no more than 1 MiB."""

import gzip
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wire import Answer, Listener, Provider, Proxy, answer, drip, fall_silent, then, tls_of

from djsms.exceptions import OutcomeUnknown, Refused, SendError, TemporarilyUnavailable
from djsms.http import HTTPBackend

OVER = "the time allowed for the whole call was over."
LIMIT = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\n"


def error_of(backend: HTTPBackend, url: str, **request: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        backend.post(url, **request)
    return caught.value


class TestTheDeadlineEndsACall:
    # Each piece comes well before the timeout, and there are more than the deadline has time for.
    @pytest.mark.parametrize(
        "endless",
        [
            drip(HEAD + b"Content-Length: 900\r\n\r\n", b" "),
            drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
            drip(HEAD, b"X: a\r\n"),
            drip(b"HTTP/1.1 200 ", b"O"),
            drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        ],
        ids=["body", "chunks", "headers", "status line", "continue"],
    )
    @pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
    def test_with_an_answer_that_never_ends(
        self,
        endless: Answer,
        secure: bool,
        acme: Callable[..., Any],
        started: Callable[[Any], Any],
        certificate: Path,
    ) -> None:
        provider = started(Provider(endless, tls=tls_of(certificate) if secure else None))
        error = error_of(acme(deadline=0.4, timeout=0.4, verify=str(certificate)), provider.url)
        assert type(error) is OutcomeUnknown
        assert error.text.endswith(OVER)

    def test_with_a_request_that_is_hardly_read(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        def sip(connection: socket.socket) -> None:
            for _ in range(400):
                connection.recv(4096)
                threading.Event().wait(0.02)

        url = f"http://127.0.0.1:{started(Listener(sip)).port}/"
        error = error_of(acme(deadline=0.4, timeout=0.4), url, data=b"x" * 50_000_000)
        assert type(error) is OutcomeUnknown

    @pytest.mark.parametrize("by_proxy", [False, True])
    def test_with_a_handshake_that_never_ends(
        self, by_proxy: bool, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        # The head of a TLS record that is long in coming.
        server = started(Listener(drip(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb\x03\x03", b"a")))
        proxy = started(Proxy()).url if by_proxy else ""
        backend = acme(deadline=0.4, timeout=0.4, proxy=proxy)
        error = error_of(backend, f"https://127.0.0.1:{server.port}/")
        assert type(error) is TemporarilyUnavailable

    def test_with_a_tunnel_that_never_opens(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        proxy = started(Proxy(drip(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n")))
        backend = acme(deadline=0.4, timeout=0.4, proxy=proxy.url)
        error = error_of(backend, "https://127.0.0.1:9/")
        assert type(error) is TemporarilyUnavailable
        assert error.text.endswith(OVER)

    def test_with_a_name_that_has_many_silent_addresses(
        self, acme: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            waiting = [socket.socket() for _ in range(8)]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            real = socket.getaddrinfo

            def many(host: Any, *args: Any, **kwargs: Any) -> Any:
                if host == "sms.example":
                    return [(2, 1, 6, "", (f"127.0.0.{n}", port)) for n in (1, *range(1, 250))]
                return real(host, *args, **kwargs)

            # A resolver that knows such a name is not to be had on every machine.
            monkeypatch.setattr(socket, "getaddrinfo", many)
            try:
                error = error_of(acme(deadline=0.3, timeout=0.3), f"http://sms.example:{port}/")
            finally:
                for client in waiting:
                    client.close()
        assert type(error) is TemporarilyUnavailable

    def test_and_the_next_call_has_a_whole_one_again(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        endless = drip(HEAD + b"Content-Length: 900\r\n\r\n", b" ")
        provider = started(Provider(endless, answer(), answer()))
        backend = acme(deadline=0.4, timeout=0.4)
        error_of(backend, provider.url)
        for _ in range(2):
            assert backend.post(provider.url).status_code == 200
        assert provider.connections == 2


class TestAnAnswer:
    def test_of_1_mib_is_read(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        provider = started(Provider(answer(body=b"x" * LIMIT)))
        assert len(acme().post(provider.url).content) == LIMIT

    @pytest.mark.parametrize(
        "large",
        [
            answer(body=b"x" * (LIMIT + 1)),
            answer("400 Bad Request", b"x" * (LIMIT + 1)),
            answer(body=gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"),
            answer(
                body=gzip.compress(gzip.compress(b" " * 50_000_000)), Content_Encoding="gzip, gzip"
            ),
            then(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * LIMIT, fall_silent),
            then(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 5 * LIMIT, fall_silent),
            then(HEAD, b"X: a\r\n" * LIMIT, fall_silent),
            then(b"HTTP/1.1 100 Continue\r\n\r\n" * LIMIT, fall_silent),
            then(HEAD + b"\r\n", b"x" * 5 * LIMIT, fall_silent),
        ],
        ids=[
            "whole",
            "of an error",
            "packed",
            "packed twice",
            "tiny chunks",
            "long chunk line",
            "headers",
            "continue",
            "no length",
        ],
    )
    def test_that_is_larger_is_not_read_and_nobody_knows(
        self, large: Answer, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        provider = started(Provider(large, answer(body=b"next")))
        backend = acme(timeout=5.0)
        assert type(error_of(backend, provider.url)) is OutcomeUnknown
        # Nothing of it is left in the connection for the next call to read.
        assert backend.post(provider.url).content == b"next"

    def test_that_is_larger_says_so(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        provider = started(Provider(answer(body=b"x" * (LIMIT + 1))))
        words = "The provider's answer is larger than 1 MiB, so it was not read."
        assert error_of(acme(), provider.url).text == words

    def test_that_is_an_error_is_read_as_well(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        provider = started(Provider(answer("400 Bad Request", b"no")))
        error = error_of(acme(), provider.url)
        assert (type(error), error.text) == (Refused, "no")
