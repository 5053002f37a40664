"""A provider's server on loopback, and what may befall a request there.

What its threads raise is kept in ``errors``, for the test to fail by: its client sees nothing but
a connection that ends, and looks for the fault with itself.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, Self, TypeAlias, TypeVar

Mishap: TypeAlias = "Callable[[LocalHandler], None]"

SeenT = TypeVar("SeenT")


class LocalServer(ThreadingHTTPServer, Generic[SeenT]):
    """The server; ``requests`` are those that it saw, ``mishap`` is what happens to the next."""

    daemon_threads = True
    # on a busy machine more than five may wait to be let in
    request_queue_size = 128

    def __init__(self, handler: type[LocalHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.requests: list[SeenT] = []
        self.errors: list[str] = []
        self.mishap: Mishap | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def forget(self) -> None:
        self.requests.clear()
        self.errors.clear()
        self.mishap = None

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # a client that gave up is part of the tests
        if not isinstance(sys.exception(), ConnectionError):
            self.errors.append(traceback.format_exc())


class LocalHandler(BaseHTTPRequestHandler):
    server: LocalServer[Any]
    protocol_version = "HTTP/1.1"
    content_type = "application/json"
    # an answer in two packets would wait for the client's delayed acknowledgement
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(
        self, status: int, body: Any = b"", *, headers: dict[str, str] | None = None
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def seen_headers(self) -> dict[str, str]:
        """Return the request's headers, and which connection it came by."""
        return {**self.headers, "X-Client-Port": str(self.client_address[1])}

    def version_string(self) -> str:
        return "nginx"

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Wed, 01 Jan 2020 12:00:00 GMT"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def log_error(self, format: str, *args: object) -> None:
        self.server.errors.append(format % args)


def answer_with(status: int, body: Any = b"", **headers: str) -> Mishap:
    """Return a mishap: this answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(status, body, headers=named)


def hang(seconds: float) -> Mishap:
    """Return a mishap: no answer before the client has lost its patience."""
    return lambda handler: time.sleep(seconds)


def cut(content: bytes = b"") -> Mishap:
    """Return a mishap: the connection ends in mid-answer, with a reset."""

    def mishap(handler: LocalHandler) -> None:
        handler.wfile.write(content)
        handler.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.close_connection = True

    return mishap


def unused_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
