"""What Vonage answers to a message: a result, or the exception that it amounts to.

It answers HTTP 200 to almost everything; only the ``status`` of each part tells.
"""

from __future__ import annotations

import json
import re
from typing import Any

from djsms import SendResult, SentPart, Status
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    Refused,
    SendError,
    Throttled,
)

from djsms_nexmo.codes import SEND_ERRORS
from djsms_nexmo.values import money

__all__ = ["CURRENCY", "read", "refusal"]

CURRENCY = "EUR"

# The limit counts requests a second.
DEFAULT_WAIT = 1.0

MAX_WORDS = 500

_WAIT = re.compile(r"please wait\s*\[\s*([0-9]{1,9})\s*\]", re.IGNORECASE)
_INTERVAL = re.compile(r"\bINTERVAL\s*\[\s*([0-9]{1,9})\s*\]")


def read(content: bytes) -> SendResult:
    """Return the result that the body of an answer gives, one entry a part.

    If no part was accepted and all for the same kind of reason, that exception is raised, with the
    code and the words of the first. ``OutcomeUnknown`` for a body that says nothing we understand.
    """
    answer = _object(content)
    entries = _entries(answer)
    if not entries:
        raise _other_shape(answer)
    parts = tuple(_part(entry) for entry in entries)
    kinds = {_kind(part) for part in parts}
    if len(kinds) == 1 and (kind := kinds.pop()):
        wait = max(_wait(part) for part in parts) if kind is Throttled else None
        raise kind(parts[0].error_text, code=parts[0].error_code, retry_after=wait)
    return SendResult(parts=parts, currency=CURRENCY, raw=answer)


def refusal(error: SendError, content: bytes) -> SendError:
    """Return what an answer of an HTTP status 4xx means, ``error`` being what the status says.

    A body in the usual shape says it better than the status. Of any other body only the words count
    that it has for people.
    """
    try:
        answer = _object(content)
    except OutcomeUnknown:
        return error
    if not _entries(answer):
        words = _words(answer) or error.text
        return type(error)(words, code=error.code, retry_after=error.retry_after)
    try:
        read(content)
    except SendError as told:
        if error.retry_after is not None:
            told.retry_after = error.retry_after
        return told
    return OutcomeUnknown(
        "The answer is an error, yet says that parts were taken.", code=error.code
    )


def _object(content: bytes) -> dict[str, Any]:
    # The charset that the header names has been wrong. Numbers stay as they are written.
    try:
        answer = json.loads(_decoded(content), parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise OutcomeUnknown("The answer is not JSON.") from error
    if not isinstance(answer, dict):
        raise OutcomeUnknown("The answer is not a JSON object.")
    return answer


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _entries(answer: dict[str, Any]) -> list[Any]:
    entries = answer.get("messages")
    return entries if isinstance(entries, list) else []


def _part(entry: object) -> SentPart:
    fields = entry if isinstance(entry, dict) else {}
    code = _text(fields, "status")
    if code == "0":
        return SentPart(
            provider_id=_text(fields, "message-id"), price=money(_text(fields, "message-price"))
        )
    if not code:
        return SentPart(
            status=Status.UNKNOWN, error_text="The answer does not say what became of this part."
        )
    known = SEND_ERRORS.get(code)
    return SentPart(
        # A refused part is not charged, whatever price stands beside it.
        status=Status.UNKNOWN if known and known.error is OutcomeUnknown else Status.REFUSED,
        provider_id=_text(fields, "message-id"),
        error_code=code,
        error_text=_sentence(fields, "error-text") or (known.meaning if known else "refused"),
    )


def _kind(part: SentPart) -> type[SendError] | None:
    if part.status == Status.SENDING:
        return None
    if not part.error_code:
        return OutcomeUnknown
    return SEND_ERRORS[part.error_code].error if part.error_code in SEND_ERRORS else Refused


def _wait(part: SentPart) -> float:
    if found := _WAIT.search(part.error_text):
        return int(found[1]) / 1000
    # This wording dumps counters and names no wait; a whole interval is always enough.
    if found := _INTERVAL.search(part.error_text):
        return int(found[1]) / 1000
    return DEFAULT_WAIT


def _other_shape(answer: dict[str, Any]) -> SendError:
    text = _words(answer)
    code = _text(answer, "error-code")
    if not code and _text(answer, "title"):
        code = _text(answer, "status")
    elif not code:
        return OutcomeUnknown(text or "The answer tells of no message.")
    if code in SEND_ERRORS:
        return SEND_ERRORS[code].error(text or SEND_ERRORS[code].meaning, code=code)
    # Both shapes come from Vonage's other APIs, whose codes are those of HTTP.
    kinds: dict[str, type[SendError]] = {
        "401": AuthenticationFailed,
        "402": InsufficientFunds,
        "403": AuthenticationFailed,
        "429": Throttled,
    }
    clear = Refused if not re.fullmatch(r"0|[25][0-9]{2}", code) else OutcomeUnknown
    return kinds.get(code, clear)(text, code=code)


def _words(answer: dict[str, Any]) -> str:
    problem = (_sentence(answer, "title"), _sentence(answer, "detail"))
    return _sentence(answer, "error-code-label") or ": ".join(filter(None, problem))


def _sentence(fields: dict[str, Any], name: str) -> str:
    # It ends up in logs and on terminals.
    return "".join(char if char.isprintable() else " " for char in _text(fields, name))


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip()[:MAX_WORDS] if isinstance(value, str) else ""
