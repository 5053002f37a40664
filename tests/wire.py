"""Servers that do to a connection what providers and proxies do, byte by byte."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, TypeAlias
from urllib.parse import urlsplit

import pytest

SECRET = "s3cret"
# What a client that is never done with waits for, at most this often.
DRIPS = 400

Answer: TypeAlias = bytes | Callable[[socket.socket], None]


def answer(status: str = "200 OK", body: bytes = b"{}", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket) -> None:
    """Close with no time to linger, which ends the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def fall_silent(connection: socket.socket) -> None:
    connection.recv(1)  # until the client gives up


def then(*steps: Answer) -> Callable[[socket.socket], None]:
    def do(connection: socket.socket) -> None:
        for step in steps:
            connection.sendall(step) if isinstance(step, bytes) else step(connection)

    return do


def _read_request(lines: IO[bytes]) -> bytes:
    head = _read_head(lines)
    length = head.lower().partition(b"content-length: ")[2].split()
    return head + lines.read(int(length[0]) if length else 0)


def close_at_once(connection: socket.socket) -> None:
    """Close before a byte was read, so that the client's end is reset if it has sent some."""
    connection.close()


def say_in_clear(connection: socket.socket) -> None:
    """Write past the TLS that the connection has."""
    with socket.socket(fileno=os.dup(connection.fileno())) as plain:
        plain.sendall(answer())


def drip(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Send the last piece again and again, with a short rest after each."""

    def do(connection: socket.socket) -> None:
        for piece in pieces[:-1]:
            connection.sendall(piece)
        for _ in range(DRIPS):
            connection.sendall(pieces[-1])
            threading.Event().wait(0.02)

    return do


class Listener:
    """Does with each connection, in a thread of its own, what ``serve`` does."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self.connections = 0
        self._to_shut: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        for connection in (self._listener, *self._to_shut):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(5)
            self.connections += 1
            self._to_shut.append(connection)
            self._threads.append(threading.Thread(target=self._run, args=[connection]))
            self._threads[-1].start()

    def _run(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._serve(connection)


class Provider(Listener):
    """Gives the answers in order, one a request; counts connections and keeps the requests."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._answers = iter(answers)
        self._tls = tls
        super().__init__(self._converse)

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/send?key={SECRET}"

    def wait_for_the_end_of(self, connection: int) -> None:
        thread = self._threads[1 + connection]
        thread.join(5)
        assert not thread.is_alive()

    def _converse(self, plain: socket.socket) -> None:
        connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        self._to_shut.append(connection)
        with connection, connection.makefile("rb") as lines:
            while request := _read_request(lines):
                self.requests.append(request)
                then(next(self._answers))(connection)


class Proxy(Listener):
    """An HTTP proxy: forwards requests and opens tunnels, or gives ``instead`` for an answer."""

    def __init__(self, instead: Answer | None = None) -> None:
        self.requests: list[bytes] = []
        self._instead = instead
        super().__init__(self._forward)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _forward(self, client: socket.socket) -> None:
        with client.makefile("rb", buffering=0) as lines:
            request = _read_head(lines)
        self.requests.append(request)
        if self._instead is not None:
            then(self._instead)(client)
            return
        method, target = request.split()[:2]
        where = urlsplit(target.decode() if method != b"CONNECT" else f"//{target.decode()}")
        with socket.create_connection(("127.0.0.1", where.port or 0), timeout=5) as server:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(request + b"\r\n")
            back = threading.Thread(target=_pump, args=[server, client])
            back.start()
            self._to_shut.append(server)
            _pump(client, server)
            back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _read_head(lines: IO[bytes]) -> bytes:
    head = b""
    while (line := lines.readline()) not in (b"\r\n", b""):
        head += line
    return head


def make_certificate(folder: Path, names: str) -> Path:
    """Make a certificate for these names that nobody trusts; its key lies beside it."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl to make a certificate")
    path = folder / "certificate.pem"
    command = [openssl, "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=acme"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-addext", f"subjectAltName={names}"]
    files = ["-keyout", str(path.with_name("key.pem")), "-out", str(path)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return path


def tls_of(certificate: Path) -> ssl.SSLContext:
    """The TLS of a server that has this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context
