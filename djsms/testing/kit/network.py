"""Keeping a backend under test off the network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["refused"]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost", "", None})


@contextmanager
def refused(*, loopback: bool) -> Iterator[list[str]]:
    """Refuse connections and look-ups, those to this machine only if ``loopback``.

    Yields the hosts that were reached for: a backend may swallow the error.
    """
    attempts: list[str] = []

    def guard(owner: Any, name: str, host_of: Any) -> None:
        original = getattr(owner, name)

        def guarded(*args: Any, **kwargs: Any) -> Any:
            host = host_of(*args)
            if loopback or host not in LOOPBACK:
                attempts.append(str(host))
                raise OSError(f"The network is off limits in this test: {host}")
            return original(*args, **kwargs)

        patch.setattr(owner, name, guarded)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            guard(socket.socket, name, _host_of_address)
        for name in ("getaddrinfo", "gethostbyname"):
            guard(socket, name, _host)
        yield attempts


def _host(host: Any = None, *args: Any) -> Any:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host


def _host_of_address(sock: socket.socket, *args: Any) -> Any:
    # Other kinds of sockets, such as those of Unix, do not leave the machine.
    address = args[-1] if args else None
    return address[0] if isinstance(address, tuple) else None
