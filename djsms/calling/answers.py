"""Reading a provider's answer: no more than there should be, and what it says to people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from djsms.calling.call import Call

if TYPE_CHECKING:
    import requests

__all__ = ["MAX_ANSWER", "read", "retry_after", "words"]

MAX_ANSWER = 1024 * 1024
# So little that even what is packed a thousand times smaller does not fill the memory.
PIECE = 4 * 1024
LONGEST_WAIT = 24 * 60 * 60


def read(response: requests.Response, call: Call) -> None:
    """Read the whole body into ``response.content``; raise ``ConnectionError`` if it is too large.

    The limit holds for what it becomes when it is unpacked.
    """
    content = bytearray()
    try:
        for piece in response.iter_content(PIECE):
            content += piece
            if len(content) > MAX_ANSWER:
                call.is_too_large = True
                raise ConnectionError("The answer is too large.")
            # Connections of ours have looked already.
            call.patience()
    except BaseException:
        response.close()
        raise
    # requests would read without a limit, and has no other way to be told.
    response._content = bytes(content)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, given as a number or a date; else None.

    At most a day: who is told to wait for years should rather ask again.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_WAIT)


def words(response: requests.Response) -> str:
    """Return the beginning of an answer, fit for logs, terminals and the database."""
    text = response.content[:1000].decode("utf-8", "replace")
    plain = "".join(c if c.isprintable() else " " for c in text).split()
    return " ".join(plain)[:200] or str(response.reason)
