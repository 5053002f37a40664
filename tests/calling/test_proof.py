"""A message counts as surely not taken only with proof; over each way to a provider.

Whoever is told so sends it again, and if the provider had it, somebody gets it twice.
"""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError
from wire import (
    Answer,
    Listener,
    Provider,
    Proxy,
    answer,
    close_at_once,
    fall_silent,
    hang_up,
    reset,
    say_in_clear,
    then,
    tls_of,
)

from djsms.exceptions import OutcomeUnknown, Refused, SendError, TemporarilyUnavailable
from djsms.http import HTTPBackend

WAYS = ["plain", "tls", "plain by proxy", "tls by proxy"]
LARGE = b"x" * 8_000_000


def error_of(backend: HTTPBackend, url: str, **request: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        backend.post(url, **request)
    return caught.value


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    return port


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest,
    acme: Callable[..., Any],
    started: Callable[[Any], Any],
    certificate: Path,
) -> Callable[..., tuple[Any, Provider]]:
    """Makes a provider with these answers, and a backend that is this way from it."""

    def make(*answers: Answer) -> tuple[Any, Provider]:
        tls = tls_of(certificate) if "tls" in request.param else None
        proxy = started(Proxy()).url if "proxy" in request.param else ""
        provider = started(Provider(*answers, tls=tls))
        return acme(proxy=proxy, verify=str(certificate)), provider

    return make


ENDINGS: dict[str, Answer] = {
    "without an answer": hang_up,
    "in silence": fall_silent,
    "with a reset": reset,
    "in the status line": then(b"HTTP/1.1 2", hang_up),
    "in the headers": then(b"HTTP/1.1 200 OK\r\nContent-Le", hang_up),
    "in the body": then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", hang_up),
    "in a chunk": then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", hang_up),
    "with garbage": then(b"\x00\x16\x03 what is this\r\n\r\n", hang_up),
}


class TestWithTheRequestTheMessageMayBeTaken:
    @pytest.mark.parametrize("end", ENDINGS)
    def test_when_the_connection_ends(
        self, end: str, way: Callable[..., tuple[Any, Provider]]
    ) -> None:
        backend, provider = way(ENDINGS[end])
        assert type(error_of(backend, provider.url, data="Hi")) is OutcomeUnknown
        assert len(provider.requests) == 1

    def test_when_it_ends_in_the_middle_of_the_request(
        self,
        acme: Callable[..., Any],
        started: Callable[[Any], Any],
    ) -> None:
        def read_some(connection: socket.socket) -> None:
            connection.recv(1000)

        server = started(Listener(read_some))
        url = f"http://127.0.0.1:{server.port}/"
        assert type(error_of(acme(), url, data=LARGE)) is OutcomeUnknown

    def test_when_it_ends_in_the_middle_of_the_request_over_tls(
        self, acme: Callable[..., Any], started: Callable[[Any], Any], certificate: Path
    ) -> None:
        def read_some(connection: socket.socket) -> None:
            with tls_of(certificate).wrap_socket(connection, server_side=True) as secure:
                secure.recv(1000)

        server = started(Listener(read_some))
        backend = acme(verify=str(certificate))
        url = f"https://127.0.0.1:{server.port}/"
        assert type(error_of(backend, url, data=LARGE)) is OutcomeUnknown

    @pytest.mark.parametrize("by_proxy", [False, True])
    def test_when_clear_text_comes_on_a_tls_connection(
        self,
        by_proxy: bool,
        acme: Callable[..., Any],
        started: Callable[[Any], Any],
        certificate: Path,
    ) -> None:
        provider = started(Provider(say_in_clear, tls=tls_of(certificate)))
        proxy = started(Proxy()).url if by_proxy else ""
        backend = acme(proxy=proxy, verify=str(certificate))
        assert type(error_of(backend, provider.url)) is OutcomeUnknown
        assert len(provider.requests) == 1

    @pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Unavailable", "504 Timeout"])
    def test_when_a_proxy_has_it_and_complains(
        self, status: str, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        proxy = started(Proxy(answer(status)))
        error = error_of(acme(proxy=proxy.url), f"http://127.0.0.1:{closed_port()}/")
        assert type(error) is OutcomeUnknown
        assert error.code == status[:3]

    def test_when_a_server_waited_too_long_for_it(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        provider = started(Provider(answer("408 Request Timeout")))
        assert type(error_of(acme(), provider.url)) is OutcomeUnknown

    def test_on_a_connection_that_was_used_before(
        self, way: Callable[..., tuple[Any, Provider]]
    ) -> None:
        backend, provider = way(answer(), hang_up)
        backend.post(provider.url)
        assert type(error_of(backend, provider.url)) is OutcomeUnknown


class TestWithoutItTheMessageIsSurelyNotTaken:
    def is_proof(self, backend: HTTPBackend, url: str) -> str:
        error = error_of(backend, url, data="Hi")
        assert type(error) is TemporarilyUnavailable
        assert error.text.startswith("No connection to the provider: ")
        return error.text.partition(": ")[2]

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_when_nobody_listens(self, scheme: str, acme: Callable[..., Any]) -> None:
        self.is_proof(acme(), f"{scheme}://127.0.0.1:{closed_port()}/")

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_when_the_proxy_is_not_there(self, scheme: str, acme: Callable[..., Any]) -> None:
        backend = acme(proxy=f"http://127.0.0.1:{closed_port()}")
        self.is_proof(backend, f"{scheme}://127.0.0.1:9/")

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_when_a_name_is_not_known(self, scheme: str, acme: Callable[..., Any]) -> None:
        assert "NameResolutionError" in self.is_proof(acme(), f"{scheme}://nowhere.invalid/")
        self.is_proof(acme(proxy="http://nowhere.invalid:3128"), f"{scheme}://127.0.0.1:9/")

    @pytest.mark.parametrize("proxy", ["http://", "http://[", "gopher://127.0.0.1:9", "socks9://a"])
    def test_when_the_proxys_address_is_none(self, proxy: str, acme: Callable[..., Any]) -> None:
        error = error_of(acme(proxy=proxy), "https://127.0.0.1:9/")
        assert type(error) is TemporarilyUnavailable

    def test_when_no_connection_comes_about_in_time(self, acme: Callable[..., Any]) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            waiting = [socket.socket() for _ in range(8)]
            try:
                for client in waiting:
                    client.setblocking(False)
                    client.connect_ex(address)
                backend = acme(timeout=0.2)
                assert "ConnectTimeoutError" in self.is_proof(
                    backend, f"http://127.0.0.1:{address[1]}/"
                )
            finally:
                for client in waiting:
                    client.close()

    @pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication", "502 Bad"])
    def test_when_the_proxy_refuses_the_tunnel(
        self, status: str, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        proxy = started(Proxy(answer(status)))
        cause = self.is_proof(acme(proxy=proxy.url), "https://127.0.0.1:9/")
        assert cause == f"the proxy refused the way there with {status[:3]}."

    @pytest.mark.parametrize(
        "instead", [close_at_once, hang_up, fall_silent, then(b"nonsense\r\n\r\n", hang_up)]
    )
    def test_when_the_proxy_fails_before_the_tunnel_is_open(
        self, instead: Answer, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        self.is_proof(acme(proxy=started(Proxy(instead)).url), "https://127.0.0.1:9/")

    def test_when_a_proxy_wants_credentials_before_it_forwards(
        self, acme: Callable[..., Any], started: Callable[[Any], Any]
    ) -> None:
        proxy = started(Proxy(answer("407 Proxy Authentication Required")))
        error = error_of(acme(proxy=proxy.url), "http://127.0.0.1:9/")
        assert type(error) is TemporarilyUnavailable
        assert error.code == "407"

    @pytest.mark.parametrize("by_proxy", [False, True])
    @pytest.mark.parametrize(
        "instead",
        [
            close_at_once,
            fall_silent,
            answer("400 Bad Request"),
            b"\x15\x03\x01\x00\x02\x02\x28",
            b"SSH-2.0-OpenSSH_9\r\n",
        ],
        ids=["closed", "silence", "clear text", "alert", "another protocol"],
    )
    def test_when_the_handshake_fails(
        self,
        instead: Answer,
        by_proxy: bool,
        acme: Callable[..., Any],
        started: Callable[[Any], Any],
    ) -> None:
        server = started(Listener(then(lambda c: c.recv(65536) and None, instead)))
        proxy = started(Proxy()).url if by_proxy else ""
        self.is_proof(acme(proxy=proxy), f"https://127.0.0.1:{server.port}/")

    @pytest.mark.parametrize("by_proxy", [False, True])
    @pytest.mark.parametrize("trusted", [False, True], ids=["not trusted", "for another name"])
    def test_when_the_certificate_is_wrong(
        self,
        trusted: bool,
        by_proxy: bool,
        acme: Callable[..., Any],
        started: Callable[[Any], Any],
        certificate: Path,
        elsewhere: Path,
    ) -> None:
        provider = started(Provider(answer(), tls=tls_of(elsewhere if trusted else certificate)))
        proxy = started(Proxy()).url if by_proxy else ""
        backend = acme(proxy=proxy, verify=str(elsewhere))
        assert self.is_proof(backend, provider.url) == "SSLCertVerificationError."
        assert provider.requests == []

    def test_when_there_are_no_certificates_to_trust(self, acme: Callable[..., Any]) -> None:
        error = error_of(acme(verify="/nowhere/ca.pem"), "https://127.0.0.1:9/")
        assert type(error) is TemporarilyUnavailable
        assert "/nowhere/ca.pem" in error.text


class TestTheEnvironment:
    def test_names_the_proxy_and_the_certificates(
        self,
        acme: Callable[..., Any],
        started: Callable[[Any], Any],
        certificate: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        proxy = started(Proxy())
        provider = started(Provider(answer(), tls=tls_of(certificate)))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert acme(trust_env=True).post(provider.url).status_code == 200
        assert [request.split()[0] for request in proxy.requests] == [b"CONNECT"]


class Foreign(HTTPAdapter):
    """Connections that are not ours, as an author may put in place; each call fails as it says."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        raise self.error


class TestByConnectionsThatAreNotOurs:
    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            (requests.ConnectTimeout(), TemporarilyUnavailable),
            (requests.ConnectionError(NewConnectionError(None, "")), TemporarilyUnavailable),  # type: ignore[arg-type]
            (requests.ConnectionError("cut"), OutcomeUnknown),
            (requests.exceptions.ProxyError("cut"), OutcomeUnknown),
            (requests.exceptions.SSLError("garbage"), OutcomeUnknown),
            (requests.ReadTimeout(), OutcomeUnknown),
            (requests.exceptions.InvalidSchema("none"), Refused),
        ],
    )
    def test_only_what_is_no_connection_by_its_name_is_a_proof(
        self, error: Exception, kind: type[SendError], acme: Callable[..., Any]
    ) -> None:
        backend = acme()
        backend.session.mount("https://", Foreign(error))
        assert type(error_of(backend, "https://sms.example/")) is kind


def test_an_answer_that_drips_in_is_whole_in_the_end(
    way: Callable[..., tuple[Any, Provider]],
) -> None:
    backend, provider = way(then(*[bytes([byte]) for byte in answer(body=b'{"id": "1"}')]))
    assert backend.post(provider.url).json() == {"id": "1"}
