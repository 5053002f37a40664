"""A provider to send to in tests: a real HTTP server on loopback, which does as it is told."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias
from urllib.parse import urlsplit

from djsms.testing.answers import NEW_ID, Answer, Received

__all__ = ["NEW_ID", "Answer", "Provider", "Received"]

HALF_AN_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
TRICKLE = 0.05

_Which: TypeAlias = Callable[[Received], bool]
_Scripted: TypeAlias = Answer | Callable[[Received], Answer]
_Act: TypeAlias = "Callable[[_Handler, Received], None]"


class Provider:
    """The stubbed provider: ``url`` is where it listens, ``requests`` is what it received.

    A context manager. It answers as ``respond`` says, or does what goes wrong with real ones:
    ``hang``, ``trickle``, ``flood``, ``cut_off``, ``close``. Each holds from then on, for all
    requests, or for those alone of which ``to`` says so; these are done first.

    With ``tls``, a context made by ``ssl``, it listens for https.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.errors: list[Exception] = []
        """What the functions that make answers raised: their requests were left without one."""
        self.written = 0
        """Bytes that were written in floods, which is what somebody was willing to read."""
        self._released = threading.Event()
        self._act: _Act = _nothing_scripted
        self._acts: dict[_Which, _Act] = {}
        self._server = _Server(self, tls)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._plug: socket.socket | None = None
        # Not polled for the end but told of it: a suite starts hundreds of these.
        self._thread = threading.Thread(target=self._server.serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._released.set()
        self.close()
        if self._plug:
            self._plug.close()

    def respond(self, answer: _Scripted, *, to: _Which | None = None) -> None:
        """Answer with this, or with what it returns for each request."""
        self._set(to, lambda handler, received: handler.write(_answer_to(received, answer)))

    def hang(self, seconds: float, *, to: _Which | None = None) -> None:
        """Take requests, and close the connection after this time without an answer."""

        def act(handler: _Handler, received: Received) -> None:
            self._released.wait(seconds)
            handler.close_connection = True

        self._set(to, act)

    def trickle(self, seconds: float, *, to: _Which | None = None, headers: bool = False) -> None:
        """Answer letter by letter for so long, and then close the connection.

        The body drips, or with ``headers`` what comes before it.
        """

        def act(handler: _Handler, received: Received) -> None:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" if headers else ENDLESS)
            handler.wfile.flush()
            ends = time.monotonic() + seconds
            while time.monotonic() < ends and not self._released.wait(TRICKLE):
                handler.wfile.write(b"X-Kit: x\r\n" if headers else b" ")
                handler.wfile.flush()
            handler.close_connection = True

        self._set(to, act)

    def flood(self, answer: Answer, size: int, *, to: _Which | None = None) -> None:
        """Answer with so many spaces after the answer's own body; see ``written``."""

        def act(handler: _Handler, received: Received) -> None:
            self.written = 0
            filled = answer.with_new_id()
            handler.send_response(filled.status)
            handler.send_header("Content-Type", filled.content_type)
            handler.send_header("Content-Length", str(len(filled.content) + size))
            handler.end_headers()
            handler.wfile.write(filled.content)
            while self.written < size:
                self.written += handler.wfile.write(b" " * 64 * 1024)
            handler.close_connection = True

        self._set(to, act)

    def cut_off(self, after: bytes = b"", *, reset: bool = False, to: _Which | None = None) -> None:
        """Take requests, and close the connection after these bytes of an answer."""

        def act(handler: _Handler, received: Received) -> None:
            handler.wfile.write(after)
            handler.close_connection = True
            if reset:
                # Closed with no time to linger, a connection ends with a reset.
                handler.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )

        self._set(to, act)

    def close(self) -> None:
        """Listen no more: who connects from now on is refused."""
        if self._plug is not None:
            return
        port = self._server.server_port
        self._server.stop()
        if self._thread.is_alive():
            self._thread.join()
        self._server.server_close()
        # The port is held without listening, so that no other program is given it meanwhile.
        self._plug = socket.socket()
        self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._plug.bind(("127.0.0.1", port))

    def act(self, handler: _Handler, received: Received) -> None:
        self.requests.append(received)
        for which, act in reversed(self._acts.items()):
            if which(received):
                return act(handler, received)
        return self._act(handler, received)

    def _set(self, which: _Which | None, act: _Act) -> None:
        if which is None:
            self._act = act
        else:
            self._acts[which] = act


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, provider: Provider, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider
        self.tls = tls
        self._open: set[socket.socket] = set()
        self._stopping = False

    def serve(self) -> None:
        while not self._stopping:
            self.handle_request()

    def stop(self) -> None:
        self._stopping = True
        # Wakes the loop, which waits for a connection.
        with socket.socket() as knock:
            knock.settimeout(1)
            knock.connect_ex(("127.0.0.1", self.server_port))
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls is None:
            return connection, address
        # The handshake comes with the first read, in the thread of the connection.
        wrapped = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return wrapped, address

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        # A client that gave up is part of the tests.
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.provider.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # An answer in two packets would wait for the client's delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def take(self) -> None:
        parts = urlsplit(self.path)
        received = Received(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
        )
        self.server.provider.act(self, received)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = take  # noqa: N815 (http.server's names)

    def write(self, answer: Answer) -> None:
        content = answer.content
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


def _answer_to(received: Received, answer: _Scripted) -> Answer:
    return (answer if isinstance(answer, Answer) else answer(received)).with_new_id()


def _nothing_scripted(handler: _Handler, received: Received) -> None:
    handler.write(Answer(500, "The stubbed provider was not told what to answer.").with_new_id())
