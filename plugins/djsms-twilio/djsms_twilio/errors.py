"""What an answer that is no success says of the message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from djsms.exceptions import (
    AuthenticationFailed,
    OutcomeUnknown,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.http import retry_after

from djsms_twilio import values
from djsms_twilio.codes import ERRORS

if TYPE_CHECKING:
    import requests

__all__ = ["of_answer", "told"]

# Statuses that a proxy gives of its own accord, whatever it had passed on before.
PROVING_NOTHING = frozenset({408, 425, 429, 499})

_CLIENT_ERROR = re.compile(r"4[0-9]{2}")


def told(response: requests.Response) -> SendError | None:
    """Return what an answer means; None if its HTTP status alone says it as well.

    Only an answer in Twilio's own words proves that a message was not taken.
    """
    status: int = response.status_code
    if status < 400:
        return None
    answer = values.json_object(response.content) or {}
    code, words = values.code(answer, "code"), values.text(answer, "message")
    if status >= 500:
        # Twilio says of these that a request that is repeated may send twice.
        return OutcomeUnknown(words or f"HTTP {status}", code=code or str(status))
    if not code:
        if status in PROVING_NOTHING:
            return OutcomeUnknown(words or f"HTTP {status}", code=str(status))
        return None
    return _of_code(code, words, status, retry_after(response.headers))


def of_answer(answer: Mapping[str, Any]) -> SendError:
    """Return what an answer without a message in it means, although its status is a success."""
    code, words = values.code(answer, "code"), values.text(answer, "message")
    status = values.text(answer, "status")
    if code and _CLIENT_ERROR.fullmatch(status):
        return _of_code(code, words, int(status), None)
    return OutcomeUnknown(words or "The answer tells of no message.", code=code)


def _of_code(code: str, words: str, status: int, wait: float | None) -> SendError:
    known = ERRORS.get(code)
    kind = known.error if known else _of_status(status)
    words = words or (known.meaning if known else f"HTTP {status}")
    may_wait = issubclass(kind, TemporarilyUnavailable)
    return kind(words, code=code, retry_after=wait if may_wait else None)


def _of_status(status: int) -> type[SendError]:
    if status in (401, 403):
        return AuthenticationFailed
    return Throttled if status == 429 else Refused
