"""For those who test: projects that send texts, and authors of backends.

A project's tests: ``from djsms.testing import outbox``, or pytest's fixture ``sms_outbox``. A
backend's: inherit from ``BackendConformance``, which needs pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from djsms.testing.conformance import BackendConformance
    from djsms.testing.provider import NEW_ID, Answer, Provider, Received
    from djsms.testing.recorded import Recorded

__all__ = ["NEW_ID", "Answer", "BackendConformance", "Provider", "Received", "Recorded"]

# Nobody pays for what he does not use: the kit imports pytest, which a project may not have.
_LATE = {
    "Answer": "djsms.testing.provider",
    "BackendConformance": "djsms.testing.conformance",
    "NEW_ID": "djsms.testing.provider",
    "Provider": "djsms.testing.provider",
    "Received": "djsms.testing.provider",
    "Recorded": "djsms.testing.recorded",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
