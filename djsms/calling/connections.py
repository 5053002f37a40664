"""Connections that keep a call's deadline, and note when the first byte of its request leaves.

What an error is called does not tell when it happened: one class wraps a proxy that is not there
and an answer that was cut off. Only the connection itself knows whether anything left.
"""

from __future__ import annotations

import http.client
import io
import socket
from typing import TYPE_CHECKING, Any

import urllib3.connection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.response import HTTPResponse
from urllib3.util.connection import allowed_gai_family, create_connection

from djsms.calling.call import Call, current

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3.connection import HTTPConnection, HTTPSConnection
else:

    def _genuine(name: str) -> type:
        """Return a class of urllib3's, also while a recorder of HTTP has its own in that place.

        Else what is first used within a recording would belong to the recorder for good.
        """
        found = getattr(urllib3.connection, name)
        return next(kind for kind in found.__mro__ if kind.__module__ == "urllib3.connection")

    HTTPConnection, HTTPSConnection = _genuine("HTTPConnection"), _genuine("HTTPSConnection")

__all__ = ["WatchedHTTPConnection", "WatchedHTTPSConnection"]

# What a TLS connection takes at once; each piece waits for itself.
PIECE = 16 * 1024


class Watched(HTTPConnection):
    """What both kinds of connection share."""

    _is_opening = False

    def connect(self) -> None:
        self._is_opening = True
        try:
            super().connect()
        finally:
            self._is_opening = False

    def send(self, data: Any) -> None:
        call = current()
        if call is None:
            super().send(data)
            return
        if self.sock is None:
            self.connect()
        for piece in _pieces(data):
            self._be_patient(call)
            # What opens a tunnel is for the proxy alone.
            call.has_left = call.has_left or not self._is_opening
            super().send(piece)

    def response_class(self, sock: Any, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:  # type: ignore[override]
        call = current()
        source: Any = sock if call is None else _Source(sock, call)
        return _Answer(source, *args, **kwargs)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        if self._response_options is not None:
            # urllib3 would put it into a warning about odd headers, secrets and all.
            self._response_options = self._response_options._replace(request_url="")
        return super().getresponse()

    def _new_conn(self) -> socket.socket:
        call = current()
        if call is None:
            return super()._new_conn()
        try:
            return self._connected(call)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "No connection in time.") from error
        except OSError as error:
            raise NewConnectionError(self, "No connection.") from error

    def _connected(self, call: Call) -> socket.socket:
        family = allowed_gai_family()
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, family, socket.SOCK_STREAM)
        except UnicodeError:
            raise LocationParseError(self.host) from None
        failure = OSError("The name has no address.")
        # A name may have a dozen addresses, which would each take the whole timeout.
        for address in dict.fromkeys(str(info[4][0]) for info in found):
            try:
                return create_connection(
                    (address, self.port),
                    call.patience(),
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failure = error
        raise failure

    def _tunnel(self) -> None:
        super()._tunnel()
        # The handshake comes next, and what the last read had left of its time is not its own.
        if call := current():
            self._be_patient(call)

    def _be_patient(self, call: Call) -> None:
        seconds = call.patience()
        if self.sock is not None:
            self.sock.settimeout(seconds)


class WatchedHTTPConnection(Watched):
    """A connection for addresses that begin with ``http``, or to a proxy for them."""


class WatchedHTTPSConnection(Watched, HTTPSConnection):
    """A connection for addresses that begin with ``https``, by a tunnel if there is a proxy."""


class _Answer(http.client.HTTPResponse):
    def begin(self) -> None:
        super().begin()
        # To http.client the end of the connection is as good as the end of the headers.
        if getattr(self.fp, "has_ended", False):
            raise ConnectionResetError("The answer ended in its headers.")


class _Source:
    """The socket as the reader of an answer asks for it."""

    def __init__(self, sock: Any, call: Call) -> None:
        self._sock = sock
        self._call = call

    def makefile(self, mode: str) -> io.BufferedReader:
        return _Buffered(_TimedReader(self._sock, self._call))


class _Buffered(io.BufferedReader):
    raw: _TimedReader

    @property
    def has_ended(self) -> bool:
        return self.raw.has_ended


class _TimedReader(io.RawIOBase):
    """Reads from a socket, never beyond the deadline and the limit of the call."""

    has_ended = False

    def __init__(self, sock: Any, call: Call) -> None:
        self._sock = sock
        self._call = call
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._sock.settimeout(self._call.patience())
        received = self._raw.readinto(buffer) or 0
        self._call.count(received)
        self.has_ended = not received
        return int(received)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _pieces(data: Any) -> list[Any]:
    if not isinstance(data, bytes) or len(data) <= PIECE:
        return [data]
    return [data[start : start + PIECE] for start in range(0, len(data), PIECE)]
