"""Fixtures for the tests of djsms-nexmo. None of them reaches outside of this machine."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsms import OutgoingText
from djsms_nexmo import NexmoBackend

# with --import-mode=importlib the folder of a test is not on the path
sys.path.insert(0, str(Path(__file__).parent))

from vonage_server import API_KEY, API_SECRET, VonageServer


@pytest.fixture(autouse=True)
def this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to, and questions about, any host but this one."""

    def guarded(original: Callable[..., Any], host_of: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            host = host_of(*args)
            if host not in (None, "", "localhost", "127.0.0.1", "::1"):
                raise AssertionError(f"A test wants to reach {host!r}.")
            return original(*args, **kwargs)

        return call

    def of_address(sock: socket.socket, *args: Any) -> Any:
        return args[-1][0] if isinstance(args[-1], tuple) else None

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), of_address))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        first = (lambda address, *rest: address[0]) if name == "create_connection" else _first
        monkeypatch.setattr(socket, name, guarded(getattr(socket, name), first))


def _first(host: Any, *rest: Any) -> Any:
    return host


@pytest.fixture(scope="session")
def vonage_process() -> Iterator[VonageServer]:
    with VonageServer() as server:
        yield server


@pytest.fixture
def vonage(vonage_process: VonageServer) -> Iterator[VonageServer]:
    """A server that answers as Vonage does, see ``vonage_server``."""
    vonage_process.forget()
    yield vonage_process
    assert vonage_process.errors == []


@pytest.fixture
def backend(vonage: VonageServer) -> Iterator[NexmoBackend]:
    """A backend that sends to the server, with HTTP Basic authentication."""
    backend = NexmoBackend(api_key=API_KEY, api_secret=API_SECRET, base_url=vonage.url, timeout=5.0)
    yield backend
    backend.session.close()


@pytest.fixture
def make_text() -> Callable[..., OutgoingText]:
    """Make a message to send, with harmless defaults."""

    def make(**fields: Any) -> OutgoingText:
        defaults = {
            "ref": "0123456789abcdef0123456789abcdef",
            "text": "Hello World!",
            "frm": "AcmeInc",
            "to": "+447700900000",
        }
        return OutgoingText(**{**defaults, **fields})

    return make
