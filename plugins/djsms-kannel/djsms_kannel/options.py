"""What the options of an account must be; the settings they come from promise no types."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from djsms.exceptions import InvalidOptions

from djsms_kannel.sending import is_plain

__all__ = ["require_credential", "require_limit", "require_path", "require_url"]

EXAMPLE = "such as http://127.0.0.1:13013/cgi-bin/sendsms"
MAX_PARTS = 255
"""One octet counts the parts of a text (3GPP TS 23.040, 9.2.3.24.1)."""


def require_url(url: object) -> None:
    # The address itself is not repeated in an error: there may be a password in it.
    if not isinstance(url, str):
        raise InvalidOptions(f"url takes the address of sendsms, {EXAMPLE}.")
    try:
        address = urlsplit(url)
        well_formed = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:
        well_formed = False
    if not well_formed or not is_plain(url):
        raise InvalidOptions(f"url is not the address of sendsms, {EXAMPLE}.")
    if address.username is not None or address.query or address.fragment:
        raise InvalidOptions(
            f"url takes the address of sendsms alone, {EXAMPLE}. "
            "The credentials are the options username and password."
        )
    if address.path in ("", "/"):
        raise InvalidOptions(f"url lacks the path of sendsms, {EXAMPLE}.")


def require_credential(name: str, value: object) -> None:
    if not isinstance(value, str) or not value or not is_plain(value):
        raise InvalidOptions(
            f"{name} takes text, with neither control characters nor spaces at its ends."
        )


def require_limit(max_messages: object) -> None:
    # True is an int, too.
    if type(max_messages) is not int or not 1 <= max_messages <= MAX_PARTS:
        raise InvalidOptions(
            f"max_messages is {max_messages!r}; it takes a number from 1 to {MAX_PARTS}, the "
            "max-messages of this sendsms-user in Kannel's configuration."
        )


def require_path(name: str, value: object) -> None:
    if not isinstance(value, str | os.PathLike):
        raise InvalidOptions(f"{name} is {value!r}; it takes the path of a file.")
