"""System checks.

- ``djsms_phone.E001`` the app is installed where nobody may see its page
"""

from __future__ import annotations

from typing import Any

from django.core import mail
from django.core.checks import CheckMessage, Error, register

from djsms_phone.access import is_open

__all__ = ["check_place"]


@register("djsms")
def check_place(**kwargs: Any) -> list[CheckMessage]:
    """Check that the phones are meant to be where they are."""
    # Test runners turn DEBUG off, and nobody is served then.
    if is_open() or hasattr(mail, "outbox"):
        return []
    return [
        Error(
            "djsms_phone is installed, and neither DEBUG nor DJSMS_PHONE is on.",
            hint="Leave it out of INSTALLED_APPS in production: its texts reach nobody. Where "
            "people try it on a server, set DJSMS_PHONE = True; it is then for staff who may view "
            "texts.",
            id="djsms_phone.E001",
        )
    ]
