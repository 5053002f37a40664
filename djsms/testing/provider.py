"""A provider to send to in tests: a real HTTP server on loopback, which does as it is told."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from djsms.testing.answers import NEW_ID, Answer, Received

__all__ = ["NEW_ID", "Answer", "Provider", "Received"]

HALF_AN_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
)


class Provider:
    """The stubbed provider: ``url`` is where it listens, ``requests`` is what it received.

    A context manager. It answers as ``respond`` says, or does what goes wrong with real ones:
    ``hang``, ``cut_off``, ``close``.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self._released = threading.Event()
        self._act: Callable[[_Handler, Received], None] = _nothing_scripted
        self._spares: Callable[[Received], bool] | None = None
        self._spared: Answer | Callable[[Received], Answer] = Answer()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
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

    def spare(
        self, which: Callable[[Received], bool], answer: Answer | Callable[[Received], Answer]
    ) -> None:
        """Answer these requests so whatever becomes of the others."""
        self._spares, self._spared = which, answer

    def respond(self, answer: Answer | Callable[[Received], Answer]) -> None:
        """Answer from now on with this, or with what it returns for each request."""
        self._act = lambda handler, received: handler.write(_answer_to(received, answer))

    def hang(self, seconds: float) -> None:
        """Take requests from now on, and close the connection after this time without an answer."""

        def act(handler: _Handler, received: Received) -> None:
            self._released.wait(seconds)
            handler.close_connection = True

        self._act = act

    def cut_off(self, after: bytes = b"", *, reset: bool = False) -> None:
        """Take requests from now on, and close the connection after these bytes of an answer."""

        def act(handler: _Handler, received: Received) -> None:
            handler.wfile.write(after)
            handler.close_connection = True
            if reset:
                # Closed with no time to linger, a connection ends with a reset.
                handler.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )

        self._act = act

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
        if self._spares is not None and self._spares(received):
            handler.write(_answer_to(received, self._spared))
        else:
            self._act(handler, received)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, provider: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.provider = provider
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

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is part of the tests."""


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


def _answer_to(received: Received, answer: Answer | Callable[[Received], Answer]) -> Answer:
    return (answer if isinstance(answer, Answer) else answer(received)).with_new_id()


def _nothing_scripted(handler: _Handler, received: Received) -> None:
    handler.write(Answer(500, "The stubbed provider was not told what to answer.").with_new_id())
