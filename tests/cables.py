"""Connections between a process and a server, which a test cuts."""

from __future__ import annotations

import contextlib
import socket
import threading

__all__ = ["Cable"]


class Cable:
    """Forwards connections to a server, until they are cut."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
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
        for ends in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=ends, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    _end(source)
    _end(target)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
