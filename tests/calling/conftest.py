"""Backends and servers of these tests, each stopped at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
import requests
from wire import Listener, make_certificate

from djsms.http import HTTPBackend

L = TypeVar("L", bound=Listener)


@dataclass(frozen=True, kw_only=True)
class Acme(HTTPBackend):
    timeout: float = 1.0
    deadline: float = 20.0
    verify: str = ""
    proxy: str = ""
    trust_env: bool = field(default=False, repr=False)

    def configure(self, session: requests.Session) -> None:
        session.trust_env = self.trust_env
        if not self.trust_env:
            session.verify = self.verify or True
        session.proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}


@pytest.fixture
def acme() -> Iterator[Callable[..., Acme]]:
    made: list[Acme] = []

    def make(**options: object) -> Acme:
        made.append(Acme(**options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for backend in made:
        backend.session.close()


@pytest.fixture
def started() -> Iterator[Callable[[L], L]]:
    """Stops at the end of the test what it is given."""
    servers: list[Listener] = []

    def keep(server: L) -> L:
        servers.append(server)
        return server

    yield keep
    for server in reversed(servers):
        server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for another name than the server's."""
    return make_certificate(tmp_path_factory.mktemp("elsewhere"), "DNS:other.example")
