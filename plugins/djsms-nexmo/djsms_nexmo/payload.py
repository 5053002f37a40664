"""The parameters of a webhook of the SMS API, in each shape that an account can choose."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

from django.http import RawPostDataException, UnreadablePostError
from djsms.exceptions import InvalidWebhook
from djsms.http import json_object, parameter_bytes

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["fields", "is_json"]

# Those that Vonage documents, which are single values.
DOCUMENTED = frozenset(
    {
        *("api-key", "messageId", "msisdn", "to", "message-timestamp", "timestamp", "nonce", "sig"),
        *("status", "err-code", "price", "network-code", "scts", "client-ref"),
        *("text", "type", "keyword", "data", "udh"),
        *("concat", "concat-ref", "concat-total", "concat-part"),
    }
)


def is_json(request: HttpRequest) -> bool:
    """Return whether it is a POST of a JSON object, whatever its header says."""
    try:
        body = request.body if request.method == "POST" else b""
    except (RawPostDataException, UnreadablePostError):
        return False
    return body.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"


def fields(request: HttpRequest) -> dict[str, str]:
    """Return the parameters exactly as they came, as the signature needs them.

    Numbers in JSON keep their digits, booleans become ``true`` and ``false``, nulls are left out.
    Parameters that are not known here may be anything, so that a new one does no harm.
    Raises ``InvalidWebhook`` for repeated names that are known, and for anything unreadable.
    """
    return _of_object(request) if is_json(request) else _of_form(request)


def _of_form(request: HttpRequest) -> dict[str, str]:
    found = parameter_bytes(request)
    # Reading a known name refuses it if it came more than once; the others are taken as they are.
    try:
        known = {name: found[name].decode("utf-8") for name in found.keys() & DOCUMENTED}
    except UnicodeDecodeError as error:
        raise InvalidWebhook("A parameter is not UTF-8.") from error
    return {name: known[name] if name in known else _any(value) for name, value in found.items()}


def _any(value: bytes | list[bytes]) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps([one.decode("utf-8", "replace") for one in value], ensure_ascii=False)


def _of_object(request: HttpRequest) -> dict[str, str]:
    # The first reading refuses what is ambiguous, the second keeps the digits of numbers.
    found = json_object(request)
    digits = json.loads(request.body.decode("utf-8-sig"), parse_int=str, parse_float=str)
    return {
        name: _single(name, value if isinstance(value, dict | list) else digits[name])
        for name, value in found.items()
        if value is not None
    }


def _single(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if name in DOCUMENTED:
        raise InvalidWebhook(f"The value of {name} is not a single one.")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
