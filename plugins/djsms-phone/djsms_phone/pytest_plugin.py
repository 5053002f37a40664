"""The fixture ``phone_network``, wherever djsms-phone is installed; imports nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from djsms_phone.playground import Playground


@pytest.fixture
def phone_network(db: None, settings: Any) -> Playground:
    """Phones behind every account, and a network that the test plays: see ``Playground``."""
    from djsms_phone import accounts
    from djsms_phone.playground import Playground

    accounts.point_to_phones(settings)
    return Playground()
