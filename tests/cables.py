"""Connections between a process and a server, which a test cuts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Cable", "LossyCable"]


# Passes a piece on, from where it comes to where it goes.
_Way: TypeAlias = tuple[Callable[[bytes], object], socket.socket, socket.socket]


class Cable:
    """Forwards connections to a server, until they are cut."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._is_up = True
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """End all connections; new ones are forwarded again."""
        while self._open:
            _end(self._open.pop())

    def unplug(self) -> None:
        """End all connections, and end new ones at once, until ``plug_in``."""
        self._is_up = False
        self.cut()

    def plug_in(self) -> None:
        self._is_up = True

    def close(self) -> None:
        """Listen no more; whoever only closed it would leave a thread that goes on accepting."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_up:
                    self._forward(client)
                else:
                    _end(client)

    def _forward(self, client: socket.socket) -> None:
        server = socket.create_connection(self._target)
        self._open += [client, server]
        for pass_on, source, target in self._ways(client, server):
            threading.Thread(target=_pump, args=(source, target, pass_on), daemon=True).start()

    def _ways(self, client: socket.socket, server: socket.socket) -> list[_Way]:
        return [(server.sendall, client, server), (client.sendall, server, client)]


class LossyCable(Cable):
    """Stands before PostgreSQL, and when armed cuts the connection once a COMMIT went through."""

    armed = False
    cut_commits = 0

    def _ways(self, client: socket.socket, server: socket.socket) -> list[_Way]:
        drop = threading.Event()

        def up(piece: bytes) -> None:
            if self.armed and b"COMMIT" in piece:
                self.armed = False
                self.cut_commits += 1
                drop.set()
            server.sendall(piece)

        def down(piece: bytes) -> None:
            if drop.is_set():
                raise ConnectionAbortedError
            client.sendall(piece)

        return [(up, client, server), (down, server, client)]


def _pump(source: socket.socket, target: socket.socket, pass_on: Callable[[bytes], object]) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            pass_on(piece)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
