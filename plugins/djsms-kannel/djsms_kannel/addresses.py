"""The addresses that Kannel calls, with the escapes that it fills in.

Kannel's user guide has the escapes under "SMSBox Configuration": those of ``get-url`` in the table
of parameters to the service, those of ``dlr-url`` under "Delivery Reports".
"""

from __future__ import annotations

from urllib.parse import urlencode

__all__ = ["dlr_url", "get_url"]

# No phone numbers: the address ends up in access logs, and the reference says whose report it is.
REPORT = "type=%d&answer=%A&id=%F&smsc=%i&time=%T"
# %b, not %a, which joins the words with single spaces.
INCOMING = "id=%I&from=%p&to=%P&time=%T&smsc=%i&coding=%c&charset=%C&udh=%u&text=%b"


def dlr_url(callback_url: str, ref: str, part: str = "") -> str:
    """Return where Kannel reports on the message with this reference, or on a part of it."""
    ours = {"ref": ref, "part": part} if part else {"ref": ref}
    return _with_query(callback_url, f"{_literal(urlencode(ours))}&{REPORT}")


def get_url(incoming_url: str) -> str:
    """Return the ``get-url`` of a service that hands incoming texts to us."""
    return _with_query(incoming_url, INCOMING)


def _with_query(url: str, query: str) -> str:
    return f"{_literal(url)}{'&' if '?' in url else '?'}{query}"


def _literal(text: str) -> str:
    # "%C3" would be read as the escape %C and a 3.
    return text.replace("%", "%%")
