"""A webhook's body is taken only if it is whole; through real servers, with bytes of a socket."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler

from djsms import IncomingText, hookimpl
from djsms.accounts import addresses, gateways
from djsms.backends import LocalBackend
from djsms.http import parameters
from djsms.models import TextMessage
from djsms.receiving.bodies import MAX_BODY

pytestmark = pytest.mark.django_db(transaction=True)

VALUES = {"frm": "+447700900001", "to": "+447700900002", "text": "Cancel order 7, not order 8"}
JSON = json.dumps(VALUES).encode()
FORM = b"frm=%2B447700900001&to=%2B447700900002&text=Cancel+order+7%2C+not+order+8"
MULTIPART = (
    b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in VALUES.items()
    )
    + b"--x--\r\n"
)
SHAPES = {
    "json": ("application/json", JSON),
    "json without a type": ("", JSON),
    "plain": ("text/plain", JSON),
    "form": ("application/x-www-form-urlencoded", FORM),
    "multipart": ("multipart/form-data; boundary=x", MULTIPART),
}
every_shape = pytest.mark.parametrize(("content_type", "body"), SHAPES.values(), ids=SHAPES)


class Reader(LocalBackend):
    @hookimpl
    def parse_incoming(self, request: Any) -> list[IncomingText]:
        fields = parameters(request)
        return [IncomingText(frm=fields["frm"], to=fields["to"], text=fields["text"])]


@pytest.fixture(autouse=True)
def reader() -> Iterator[None]:
    with gateways.replaced(lambda alias: Reader()):
        yield


def path() -> str:
    return addresses.webhook_url("default", "incoming").removeprefix("https://example.com")


def texts() -> list[str]:
    return list(TextMessage.objects.values_list("text", flat=True))


class Quiet(WSGIRequestHandler):
    """The standard library's server: it hands a body in chunks on as it came, with no end to it."""

    def log_message(self, *args: Any) -> None:
        pass


class Joining(Quiet):
    """A server that puts chunks together and says so, as gunicorn and waitress do."""

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        environ = {**self.get_environ(), "wsgi.input_terminated": True}
        handler = ServerHandler(Chunks(self.rfile), self.wfile, self.get_stderr(), environ)
        handler.request_handler = self
        handler.run(self.server.get_app())


class Chunks(io.RawIOBase):
    def __init__(self, stream: Any) -> None:
        self.stream, self.left, self.ended = stream, 0, False

    def read(self, size: int = -1) -> bytes:
        """Return at most one chunk, as a server may; raise if the connection ends before."""
        if self.ended:
            return b""
        if not self.left:
            line = self.stream.readline()
            if not line:
                raise ConnectionError("ended early")
            self.left = int(line, 16)
            if not self.left:
                self.ended = True
                return b""
        data: bytes = self.stream.read(self.left if size < 0 else min(size, self.left))
        if not data:
            raise ConnectionError("ended early")
        self.left -= len(data)
        if not self.left:
            self.stream.readline()
        return data


@contextmanager
def serving(handler: type[WSGIRequestHandler]) -> Iterator[tuple[str, int]]:
    with WSGIServer(("127.0.0.1", 0), handler) as server:
        server.set_app(WSGIHandler())
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server.server_address[:2]
        finally:
            server.shutdown()
            thread.join()


def status_of(address: tuple[str, int], content_type: str, headers: str, body: bytes) -> int:
    """Post over a real connection that ends after the body; return the status of the answer."""
    head = f"POST {path()} HTTP/1.1\r\nHost: example.com\r\nContent-Type: {content_type}\r\n"
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(f"{head}{headers}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        return int(connection.makefile("rb").readline().split()[1])


def in_chunks(body: bytes, size: int = 7, *, whole: bool = True) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    end = b"0\r\n\r\n" if whole else b""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


CHUNKED = "Transfer-Encoding: chunked"


class TestABodyInChunks:
    @every_shape
    def test_is_read_where_the_server_puts_it_together(self, content_type, body) -> None:
        with serving(Joining) as address:
            assert status_of(address, content_type, CHUNKED, in_chunks(body)) == 200
        assert texts() == [VALUES["text"]]

    @every_shape
    def test_is_answered_with_411_where_it_does_not(self, content_type, body, caplog) -> None:
        with serving(Quiet) as address:
            assert status_of(address, content_type, CHUNKED, in_chunks(body)) == 411
        assert texts() == []
        assert "chunks" in caplog.text

    @every_shape
    def test_that_ends_early_is_a_400(self, content_type, body) -> None:
        with serving(Joining) as address:
            cut = in_chunks(body, whole=False)
            assert status_of(address, content_type, CHUNKED, cut) == 400
        assert texts() == []

    @every_shape
    def test_is_read_though_a_middleware_has_looked_for_it(
        self, content_type, body, settings
    ) -> None:
        settings.MIDDLEWARE = [f"{__name__}.looking"]
        with serving(Joining) as address:
            assert status_of(address, content_type, CHUNKED, in_chunks(body)) == 200
        assert texts() == [VALUES["text"]]

    @pytest.mark.parametrize("length", [0, 7])
    def test_counts_whatever_length_somebody_has_filled_in(self, length) -> None:
        stream = io.BytesIO(JSON)
        environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": str(length)}
        assert called({"wsgi.input": stream, **environ}) == 200
        assert texts() == [VALUES["text"]]

    @pytest.mark.parametrize("limit", [None, 2_500_000, 100])
    def test_of_no_end_is_given_up_at_the_limit(self, settings, limit) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = limit
        endless = Endless()
        assert called({"wsgi.input": endless, "wsgi.input_terminated": True}) == 413
        assert endless.given <= MAX_BODY + 1


class TestABodyOfAKnownLength:
    @every_shape
    def test_is_read_if_it_is_whole(self, content_type, body) -> None:
        with serving(Quiet) as address:
            length = f"Content-Length: {len(body)}"
            assert status_of(address, content_type, length, body) == 200
        assert texts() == [VALUES["text"]]

    @every_shape
    def test_that_ends_early_is_a_400(self, content_type, body, caplog) -> None:
        with serving(Quiet) as address:
            length = f"Content-Length: {len(body)}"
            assert status_of(address, content_type, length, body[:-2]) == 400
        assert texts() == []
        assert f"after {len(body) - 2} of the {len(body)} bytes" in caplog.text

    def test_that_is_too_long_is_not_read(self) -> None:
        endless = Endless()
        environ = {"wsgi.input": endless, "CONTENT_LENGTH": str(MAX_BODY + 1)}
        assert called(environ) == 413
        assert endless.given == 0


class TestUnderASGI:
    @every_shape
    def test_a_body_in_chunks_is_read(self, content_type, body) -> None:
        assert asgi_status(content_type, {}, body) == 200
        assert texts() == [VALUES["text"]]

    @every_shape
    def test_a_body_of_a_known_length_is_read(self, content_type, body) -> None:
        assert asgi_status(content_type, {"content-length": str(len(body))}, body) == 200
        assert texts() == [VALUES["text"]]

    @every_shape
    def test_a_body_shorter_than_its_length_is_a_400(self, content_type, body) -> None:
        assert asgi_status(content_type, {"content-length": str(len(body) + 1)}, body) == 400
        assert texts() == []

    @every_shape
    def test_a_body_in_chunks_is_read_though_a_middleware_has_looked_for_it(
        self, content_type, body, settings
    ) -> None:
        settings.MIDDLEWARE = [f"{__name__}.looking"]
        assert asgi_status(content_type, {}, body) == 200
        assert texts() == [VALUES["text"]]

    @pytest.mark.parametrize("limit", [None, 2_500_000])
    def test_a_body_in_chunks_that_is_too_long_is_a_413(self, settings, limit) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = limit
        assert asgi_status("application/json", {}, b"x" * (MAX_BODY + 1)) == 413


def looking(get_response: Any) -> Any:
    def middleware(request: Any) -> Any:
        request.POST.get("csrfmiddlewaretoken")
        return get_response(request)

    return middleware


class Endless(io.RawIOBase):
    given = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "read without a limit"
        self.given += size
        return b"x" * size


def called(environ: dict[str, Any]) -> int:
    answers: list[str] = []
    full = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path(),
        "SERVER_NAME": "example.com",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
        **environ,
    }
    response = WSGIHandler()(full, lambda status, headers: answers.append(status))
    response.close()
    return int(answers[0].split()[0])


def asgi_status(content_type: str, headers: dict[str, str], body: bytes) -> int:
    """Hand a request, its body in pieces, to Django as an ASGI server does."""
    size = max(7, len(body) // 100)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        # The client stays until it has its answer.
        return await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path(),
        "query_string": b"",
        "headers": [
            (name.encode(), value.encode())
            for name, value in {"host": "x", "content-type": content_type, **headers}.items()
        ],
    }
    asyncio.run(ASGIHandler()(scope, receive, send))
    return int(sent[0]["status"])
