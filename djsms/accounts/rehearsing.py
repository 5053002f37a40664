"""Under a test runner nothing is sent for real, unless it was asked for: as Django's mail does it.

What is sent is accepted, and nobody is called. All else goes its way: extensions are called, rows
are stored, webhooks are read by the backend. Whoever wants to look at what was sent takes the
outbox of ``djsms.testing``.
"""

from __future__ import annotations

import logging
import sys
import uuid

from djsms import conf
from djsms.accounts import overrides
from djsms.backends import DummyBackend, LocalBackend
from djsms.hookspecs import hookimpl
from djsms.types import OutgoingText, SendResult

__all__ = ["Understudy", "is_rehearsal", "is_under_test"]

logger = logging.getLogger("djsms")

_was_under_test = False
_has_told = False


class Understudy:
    """Sends what was kept from the backend."""

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        _tell()
        return SendResult.accepted(f"test-{uuid.uuid4().hex}")


def is_rehearsal(alias: str, plugin: object) -> bool:
    """Return whether the provider of an account is not to be called."""
    return (
        is_under_test()
        # These reach nobody, and a test may want to look into them.
        and not isinstance(plugin, LocalBackend | DummyBackend)
        and not conf.send_in_tests()
        and not overrides.asks_for(alias)
    )


def is_under_test() -> bool:
    """Return whether Django's test environment is set up, by whichever runner, or once was.

    A thread may outlive the tests that began it, and must not send for real what they sent.
    """
    global _was_under_test
    # What it keeps until it is taken down again; an outbox of mail may be there in any process.
    state = getattr(sys.modules.get("django.test.utils"), "_TestState", None)
    _was_under_test = _was_under_test or hasattr(state, "saved_data")
    return _was_under_test


def _tell() -> None:
    global _has_told
    if not _has_told:
        _has_told = True
        logger.warning(
            "Under a test runner nothing is sent for real: texts are accepted, and no provider is "
            "called. To send all the same, set DJSMS_SEND_IN_TESTS, or override DJSMS_BACKEND or "
            "DJSMS_ACCOUNTS in a test."
        )
