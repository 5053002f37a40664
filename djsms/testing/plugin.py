"""What pytest loads by itself wherever djsms is installed.

It is imported before anything else, so it imports nothing of Django or djsms by itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from djsms.testing.outboxes import Outbox


@pytest.fixture
def sms_outbox() -> Iterator[Outbox]:
    """The texts that the test sends, in order; no account reaches a provider."""
    from django.conf import settings

    if not settings.configured:
        pytest.fail("The fixture sms_outbox needs Django's settings; is pytest-django installed?")
    from djsms.accounts import gateways
    from djsms.testing.outboxes import Outbox

    outbox = Outbox()
    with gateways.replaced(outbox.stand_in):
        yield outbox


@pytest.fixture(autouse=True)
def _empty_djsms_outbox() -> None:
    """Empty ``djsms.testing.outbox`` before each test, if anything has imported it."""
    module = sys.modules.get("djsms.testing.process_outbox")
    if module is not None:
        module.outbox.clear()
