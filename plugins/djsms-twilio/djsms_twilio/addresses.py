"""Our own webhook addresses as Twilio is given them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

__all__ = ["REPEAT", "problem", "ref_in", "repeated", "status_callback"]

REPEAT = "#rc=5&rp=ct,rt,5xx"
"""Asks Twilio to repeat a webhook up to five times: after no connection, no answer, an error here.

By itself it tries once more, and only if there is no connection. It keeps the fragment to itself.
"""

_REF = re.compile(r"(?:^|&)ref=([0-9a-f]{32})(?=&|$)")


def repeated(url: str) -> str:
    """Return the address with the wish that Twilio repeats what fails; empty stays empty."""
    return f"{url}{REPEAT}" if url else ""


def status_callback(url: str, ref: str) -> str:
    """Return the address for the reports of one message.

    Twilio echoes no reference, so the message's own stands in the query, which is signed.
    """
    return repeated(f"{url}{'&' if '?' in url else '?'}ref={ref}")


def ref_in(query: str) -> str:
    """Return our reference in the query of a status callback; empty if there is no such one."""
    found = set(_REF.findall(query))
    return found.pop() if len(found) == 1 else ""


def problem(url: str) -> str:
    """Return why Twilio cannot call an address; empty if it can, as far as one can see."""
    try:
        parts = urlsplit(url)
        # A port that is no number shows when it is asked for.
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not host or port == 0:
        return "does not begin with https:// and a host"
    if "@" in parts.netloc:
        return "has a user's name or a password in it"
    if "_" in host:
        return "has an underscore in its host"
    return "leads to this machine alone" if _is_here(host) else ""


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
