"""Certificates of a provider that is not who it says: made for these tests, and trusted nowhere."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["KINDS", "context", "trusted"]

KINDS = ("untrusted", "misnamed")
"""By nobody that anybody knows; and for another host than the one that is called."""

TRUSTING = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def context(kind: str) -> ssl.SSLContext:
    """Return what a server needs to show such a certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(_file(kind))
    return made


@contextmanager
def trusted(kind: str) -> Iterator[None]:
    """Trust the one whose only fault is its name, and nobody whom this machine trusts besides."""
    with pytest.MonkeyPatch.context() as patch:
        for name in TRUSTING:
            # Set, they have some libraries look at a certificate that they were told not to.
            patch.delenv(name, raising=False)
            if kind == "misnamed":
                patch.setenv(name, str(_file(kind)))
        yield


def _file(kind: str) -> Path:
    return Path(__file__).with_name(f"{kind}.pem")
