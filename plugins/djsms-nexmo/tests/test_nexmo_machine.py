"""That no test of this plugin reaches outside of the machine."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
import requests


def reach_with_a_request() -> None:
    requests.get("https://rest.nexmo.com/", timeout=1)


def reach_by_connecting() -> None:
    with socket.socket() as sock:
        sock.connect(("192.0.2.1", 80))


def reach_by_connecting_quietly() -> None:
    with socket.socket() as sock:
        sock.connect_ex(("192.0.2.1", 80))


def reach_with_a_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"", ("192.0.2.1", 53))


def reach_in_one_call() -> None:
    socket.create_connection(("192.0.2.1", 80), timeout=1)


def ask_for_an_address() -> None:
    socket.getaddrinfo("rest.nexmo.com", 443)


def ask_for_an_address_the_old_way() -> None:
    socket.gethostbyname("rest.nexmo.com")


@pytest.mark.parametrize(
    "reach",
    [
        reach_with_a_request,
        reach_by_connecting,
        reach_by_connecting_quietly,
        reach_with_a_datagram,
        reach_in_one_call,
        ask_for_an_address,
        ask_for_an_address_the_old_way,
    ],
)
def test_the_network_is_out_of_reach(reach: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="A test wants to reach"):
        reach()
