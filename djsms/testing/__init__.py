"""For those who test: projects that send texts, and authors of backends.

A project's tests: ``from djsms.testing import outbox``, or pytest's fixture ``sms_outbox``.
A backend's: inherit from ``BackendConformance``, which needs pytest; an engine's: from
``EngineConformance``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from djsms.testing.conformance import BackendConformance
    from djsms.testing.engine_conformance import EngineConformance
    from djsms.testing.outboxes import Outbox
    from djsms.testing.process_outbox import outbox
    from djsms.testing.provider import NEW_ID, Answer, Provider, Received
    from djsms.testing.recorded import Recorded
    from djsms.testing.sent import Sent, SentTexts

__all__ = [
    "NEW_ID",
    "Answer",
    "BackendConformance",
    "EngineConformance",
    "Outbox",
    "Provider",
    "Received",
    "Recorded",
    "Sent",
    "SentTexts",
    "outbox",
]

# Importing the outbox installs it, and the kit needs pytest: each only for who asks for it.
_LATE = {
    "Answer": "djsms.testing.provider",
    "BackendConformance": "djsms.testing.conformance",
    "EngineConformance": "djsms.testing.engine_conformance",
    "NEW_ID": "djsms.testing.provider",
    "Outbox": "djsms.testing.outboxes",
    "Provider": "djsms.testing.provider",
    "Received": "djsms.testing.provider",
    "Recorded": "djsms.testing.recorded",
    "Sent": "djsms.testing.sent",
    "SentTexts": "djsms.testing.sent",
    "outbox": "djsms.testing.process_outbox",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
