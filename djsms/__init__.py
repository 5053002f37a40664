"""Send, follow and receive text messages from Django, through any provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from djsms.hookspecs import hookimpl, hookspec
from djsms.types import (
    Balance,
    Encoding,
    IncomingText,
    OutgoingText,
    PartOf,
    SendResult,
    SentPart,
    SentText,
    Status,
    StatusReport,
)

if TYPE_CHECKING:
    from djsms.accounts.gateways import Gateway
    from djsms.accounts.gateways import get as gateway
    from djsms.numbers import international
    from djsms.receiving.reports import apply_reports
    from djsms.sending.again import resend_text
    from djsms.sending.many import asend_texts, send_texts
    from djsms.sending.now import asend_text, send_text
    from djsms.waiting.enqueuing import aenqueue_text, aenqueue_texts, enqueue_text, enqueue_texts
    from djsms.waiting.leaving import cancel_text

__all__ = [
    "Balance",
    "Encoding",
    "Gateway",
    "IncomingText",
    "OutgoingText",
    "PartOf",
    "SendResult",
    "SentPart",
    "SentText",
    "Status",
    "StatusReport",
    "aenqueue_text",
    "aenqueue_texts",
    "apply_reports",
    "asend_text",
    "asend_texts",
    "cancel_text",
    "enqueue_text",
    "enqueue_texts",
    "gateway",
    "hookimpl",
    "hookspec",
    "international",
    "resend_text",
    "send_text",
    "send_texts",
]

# Models can only be imported once Django is set up, and every backend imports this package first.
_LATE = {
    "Gateway": ("djsms.accounts.gateways", "Gateway"),
    "aenqueue_text": ("djsms.waiting.enqueuing", "aenqueue_text"),
    "aenqueue_texts": ("djsms.waiting.enqueuing", "aenqueue_texts"),
    "apply_reports": ("djsms.receiving.reports", "apply_reports"),
    "asend_text": ("djsms.sending.now", "asend_text"),
    "asend_texts": ("djsms.sending.many", "asend_texts"),
    "cancel_text": ("djsms.waiting.leaving", "cancel_text"),
    "enqueue_text": ("djsms.waiting.enqueuing", "enqueue_text"),
    "enqueue_texts": ("djsms.waiting.enqueuing", "enqueue_texts"),
    "gateway": ("djsms.accounts.gateways", "get"),
    "international": ("djsms.numbers", "international"),
    "resend_text": ("djsms.sending.again", "resend_text"),
    "send_text": ("djsms.sending.now", "send_text"),
    "send_texts": ("djsms.sending.many", "send_texts"),
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LATE[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
