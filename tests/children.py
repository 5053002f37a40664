"""Real processes that send, and a proxy that loses the acknowledgement of a COMMIT."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
import threading
from contextlib import suppress

from django.db import connections

PREAMBLE = """
import os, signal, sys
sys.path[:0] = {path!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
import routers
routers.current = {database!r}
from django.db import connections
for alias, name in {names!r}.items():
    connections[alias].settings_dict["NAME"] = name
from djsms import SendResult, hookimpl, send_text, send_texts
from djsms.accounts import gateways

FRM, TO = "+447700900001", "+447700900002"
CALLS = {calls!r}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Backend:
    def answer(self, message):
        return SendResult.accepted(f"id-{{message.ref}}")

    @hookimpl
    def send(self, message):
        with open(CALLS, "a") as file:  # outlives the process
            file.write(message.ref + "\\n")
        return self.answer(message)

backend = Backend()
standing_in = gateways.replaced(lambda alias: backend)
standing_in.__enter__()
"""


class Children:
    """Starts processes on the test's own database; what they called is in a file."""

    def __init__(self, database: str, environment: dict[str, str], calls: os.PathLike[str]) -> None:
        self._database = database
        self._environment = environment
        self._calls = calls

    @property
    def calls(self) -> list[str]:
        """The references of the texts that the provider was called for, in order."""
        try:
            with open(self._calls) as file:  # noqa: PTH123
                return file.read().split()
        except FileNotFoundError:
            return []

    def start(self, *scripts: str) -> subprocess.Popen[str]:
        preamble = PREAMBLE.format(
            path=[path for path in sys.path if path],
            database=self._database,
            names={alias: str(connections[alias].settings_dict["NAME"]) for alias in connections},
            calls=str(self._calls),
        )
        return subprocess.Popen(
            [sys.executable, "-c", "\n".join([preamble, *map(textwrap.dedent, scripts)])],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *scripts: str) -> int:
        """Run the scripts one after the other in a process; return its exit code."""
        child = self.start(*scripts)
        _, errors = child.communicate(timeout=120)
        if child.returncode > 0:
            raise AssertionError(errors)
        return child.returncode


class LossyProxy:
    """Stands before PostgreSQL, and when armed cuts the connection once a COMMIT went through."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self.armed = False
        self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; whoever only closed it would leave a thread that goes on accepting."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            drop = threading.Event()
            for work in (self._up, self._down):
                threading.Thread(target=work, args=(client, server, drop), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, drop: threading.Event) -> None:
        try:
            while data := client.recv(65536):
                if self.armed and b"COMMIT" in data:
                    self.armed = False
                    self.cut += 1
                    drop.set()
                server.sendall(data)
        except OSError:
            pass
        finally:
            _end(client, server)

    def _down(self, client: socket.socket, server: socket.socket, drop: threading.Event) -> None:
        try:
            while data := server.recv(65536):
                if drop.is_set():
                    break
                client.sendall(data)
        except OSError:
            pass
        finally:
            _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for end in sockets:
        # close() alone would tell nobody as long as another thread reads
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
