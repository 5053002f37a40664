"""System checks.

- ``djsms_phone.E001`` the app is installed where nobody may see its page
- ``djsms_phone.W001`` an account has phones, and the app is not installed; told by the backend
- ``djsms_phone.W002`` an account has phones that cannot report and answer, for want of addresses
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import mail
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as CheckWarning
from django.urls import NoReverseMatch
from djsms import gateway

from djsms_phone.access import is_open
from djsms_phone.accounts import phone_accounts

__all__ = ["check_addresses", "check_place"]


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


@register("djsms")
def check_addresses(**kwargs: Any) -> list[CheckMessage]:
    """Check that what the phones report and answer has somewhere to go."""
    for alias in phone_accounts():
        try:
            gateway(alias).webhook_path("callback")
        except NoReverseMatch:
            return [
                CheckWarning(
                    f"The project's ROOT_URLCONF ({settings.ROOT_URLCONF}) does not include "
                    "djsms.urls, so the phones can neither report nor answer.",
                    hint='Add path("djsms/", include("djsms.urls")) to the urlpatterns there.',
                    id="djsms_phone.W002",
                )
            ]
        except Exception:
            # What else is wrong with the settings, others tell.
            continue
    return []
