"""Send, follow and receive text messages from Django, through any provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from djsms.hookspecs import hookimpl, hookspec
from djsms.types import (
    Encoding,
    IncomingText,
    OutgoingText,
    PartOf,
    SendResult,
    SentPart,
    Status,
    StatusReport,
)

if TYPE_CHECKING:
    from djsms.numbers import international
    from djsms.sending import asend_text, send_text, send_texts

__all__ = [
    "Encoding",
    "IncomingText",
    "OutgoingText",
    "PartOf",
    "SendResult",
    "SentPart",
    "Status",
    "StatusReport",
    "asend_text",
    "hookimpl",
    "hookspec",
    "international",
    "send_text",
    "send_texts",
]

# Models can only be imported once Django is set up, and every backend imports this package first.
_LATE = {
    "asend_text": "djsms.sending",
    "international": "djsms.numbers",
    "send_text": "djsms.sending",
    "send_texts": "djsms.sending",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
