"""A provider's server that counts calls outside of every worker, and workers in processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import distributions
import pytest

HERE = Path(__file__).parent
PATIENCE = 120  # seconds, on a machine that does other things besides

# What it does is asked for by the text, so that each text can have a fate of its own.
BACKEND = """
    import http.client, importlib, json, os, signal, sys
    from dataclasses import dataclass
    from djsms import SendResult, exceptions, hookimpl

    def interrupted(owner, name, number):
        # The process sends itself a signal when it comes to this point the first time.
        inner = getattr(owner, name)

        def outer(*args, **kwargs):
            setattr(owner, name, inner)
            os.kill(os.getpid(), number)
            return inner(*args, **kwargs)

        setattr(owner, name, outer)

    if point := os.environ.get("DJSMS_TEST_POINT"):
        path, name, number = point.split()
        module, _, owner = path.partition(":")
        found = importlib.import_module(module)
        interrupted(getattr(found, owner) if owner else found, name, int(number))

    if os.environ.get("DJSMS_TEST_MEDDLES"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    @dataclass(frozen=True, kw_only=True)
    class Backend:
        port: int
        timeout: float = 30

        @hookimpl
        def send(self, message):
            if "die before" in message.text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "fork" in message.text and not os.fork():
                os._exit(0)
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            try:
                connection.request("POST", "/", json.dumps(
                    {"ref": message.ref, "text": message.text, "frm": message.frm}
                ))
                answer = json.load(connection.getresponse())
            finally:
                connection.close()
            if "die after" in message.text:
                os.kill(os.getpid(), signal.SIGKILL)
            if "system exit" in message.text:
                sys.exit(7)
            if answer["error"]:
                error = getattr(exceptions, answer["error"])
                raise error("as told", retry_after=answer["retry_after"])
            return SendResult.accepted(message.ref)
"""


class Operator:
    """The provider's side: what it was called for, and how it answers."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error = ""
        self.retry_after: float | None = None
        self.most_at_once = 0
        self.news = threading.Condition()
        self.go_on = threading.Event()
        self.go_on.set()
        self._at_once = 0
        operator = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                operator.take(body)
                answer = json.dumps({"error": operator.error, "retry_after": operator.retry_after})
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):  # who called may be dead
                    self.wfile.write(answer.encode())

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, call: dict[str, Any]) -> None:
        with self.news:
            self.calls.append({**call, "at": time.monotonic()})
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.news.notify_all()
        self.go_on.wait(PATIENCE)
        with self.news:
            self._at_once -= 1
            self.news.notify_all()

    @property
    def texts(self) -> list[str]:
        return [call["text"] for call in self.calls]

    def wait_for(self, calls: int) -> None:
        with self.news:
            assert self.news.wait_for(lambda: len(self.calls) >= calls, PATIENCE), self.texts

    def assert_no_text_was_called_for_twice(self) -> None:
        twice = {ref: n for ref, n in Counter(c["ref"] for c in self.calls).items() if n > 1}
        assert not twice

    def close(self) -> None:
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def operator() -> Iterator[Operator]:
    operator = Operator()
    yield operator
    operator.close()


class Workers:
    """Starts workers; those that still run are killed at the end of the test."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        log = (self.folder / f"worker-{len(self.started)}.log").open("w")
        worker = subprocess.Popen(
            [sys.executable, "-m", "djsms.cli", "work", "--poll=0.1", *arguments],
            env=self.environment,
            stdout=log,
            stderr=log,
            text=True,
        )
        log.close()
        self.started.append(worker)
        return worker

    def run(self, *arguments: str) -> int:
        """Run a worker to its end, and return its exit code."""
        return self.start(*arguments).wait(PATIENCE)

    def stop(self, worker: subprocess.Popen[str]) -> None:
        """Tell a worker to stop, and expect that it ends well."""
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, self.log(worker)

    def log(self, worker: subprocess.Popen[str]) -> str:
        return (self.folder / f"worker-{self.started.index(worker)}.log").read_text()

    def end(self) -> None:
        for worker in self.started:
            print(self.log(worker))  # which is shown if the test fails
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()


@pytest.fixture
def workers(
    tmp_path: Path,
    database: str,
    operator: Operator,
    child_environment: dict[str, str],
    settings: Any,
) -> Iterator[Workers]:
    """Workers that send by the operator; limits are those that the test sets in ``settings``."""
    with distributions.folder(tmp_path / "site") as folder:
        folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": BACKEND})
        found = {
            "DJSMS_BACKEND": "acme",
            "DJSMS_OPTIONS": {"port": operator.port},
        }
        environment = {
            **child_environment,
            "DJANGO_SETTINGS_MODULE": "worker_settings",
            "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent), str(folder.paths[0])]),
            "DJSMS_TEST_DATABASE": database,
            "DJSMS_TEST_SETTINGS": json.dumps(found),
            "PYTHONUNBUFFERED": "1",
        }
        workers = Workers(tmp_path, environment)
        yield workers
        workers.end()


@pytest.fixture
def limits(workers: Workers) -> Callable[..., None]:
    """Sets settings for the workers to come."""

    def set_limits(**values: Any) -> None:
        found = json.loads(workers.environment["DJSMS_TEST_SETTINGS"])
        workers.environment["DJSMS_TEST_SETTINGS"] = json.dumps({**found, **values})

    return set_limits
