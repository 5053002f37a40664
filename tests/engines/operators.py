"""A provider's server that counts calls by ref outside of all workers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 120

BACKEND = """
    import http.client
    from dataclasses import dataclass
    from djsms import SendResult, hookimpl

    @dataclass(frozen=True, kw_only=True)
    class Backend:
        port: int

        @hookimpl
        def send(self, message):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request("GET", f"/{message.ref}")
                connection.getresponse().read()
            finally:
                connection.close()
            return SendResult.accepted(message.ref)
"""


class Operator:
    """Takes every text after ``seconds``, and counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        operator = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                operator.take(self.path.strip("/"))
                time.sleep(seconds)
                with contextlib.suppress(OSError):  # who called may be dead
                    self.send_response(200)
                    self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, ref: str) -> None:
        with self._lock:
            self.calls[ref] += 1

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
