"""What ``manage.py check`` says of an account's configuration."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

__all__ = ["check_addresses", "check_ca_file", "check_secrecy"]


def check_ca_file(ca_file: str | os.PathLike[str]) -> Iterator[CheckMessage]:
    path = os.fspath(ca_file)
    if not path:
        return
    try:
        # Also of a file that holds none this makes an error.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:
        yield Error(
            f"The certificates of Kannel's authority cannot be read from {path}: {error}",
            hint="The option ca_file takes the path of a file in PEM format.",
            id="djsms_kannel.E001",
        )


def check_secrecy(url: str) -> Iterator[CheckMessage]:
    address = urlsplit(url)
    if address.scheme == "http" and not _is_loopback(address.hostname or ""):
        yield CheckWarning(
            f"Texts and Kannel's password travel unencrypted to {address.hostname}.",
            hint="Turn on sendsms-port-ssl in Kannel's configuration and use https:// in the "
            "option url; or silence this if the way there is protected otherwise.",
            id="djsms_kannel.W001",
        )


def check_addresses(callback_url: str) -> Iterator[CheckMessage]:
    if isinstance(_ip_number(urlsplit(callback_url).hostname or ""), IPv6Address):
        yield Error(
            "Kannel cannot call an address with an IPv6 number in it, so no status report or "
            "incoming text would arrive.",
            hint="Use a name or an IPv4 number in DJSMS_BASE_URL.",
            id="djsms_kannel.E002",
        )


def _is_loopback(host: str) -> bool:
    number = _ip_number(host)
    return host == "localhost" if number is None else number.is_loopback


def _ip_number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
