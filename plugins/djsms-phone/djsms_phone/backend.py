"""A backend whose phones are played by a page: they show texts, report on them and answer them."""

from __future__ import annotations

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning
from djsms import OutgoingText, SendResult, hookimpl
from djsms.backends import LocalBackend
from djsms.exceptions import TemporarilyUnavailable

__all__ = ["PhoneBackend"]


class PhoneBackend(LocalBackend):
    """Hands each text to a phone that does not exist; how its network behaves is chosen there.

    Needs ``djsms_phone`` in ``INSTALLED_APPS``, and its tables.
    """

    @property
    def splits_texts(self) -> bool:
        """Each part of a long text is reported by itself, as most providers do."""
        return True

    @hookimpl
    def check(self) -> list[CheckMessage]:
        from django.apps import apps

        if apps.is_installed("djsms_phone"):
            return []
        return [
            CheckWarning(
                "djsms_phone is not in INSTALLED_APPS, so there is no phone, and no text goes out.",
                hint='Add "djsms_phone" to INSTALLED_APPS, include("djsms_phone.urls") to the '
                "project's urls.py, and migrate.",
                id="djsms_phone.W001",
            )
        ]

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        from django.apps import apps
        from django.db import OperationalError, ProgrammingError

        if not apps.is_installed("djsms_phone"):
            raise TemporarilyUnavailable('Add "djsms_phone" to INSTALLED_APPS: there is no phone.')
        from djsms_phone import network

        try:
            return network.submit(message)
        except (OperationalError, ProgrammingError) as error:
            raise TemporarilyUnavailable(
                f"The phones cannot be stored: {type(error).__name__}. Is the database migrated?"
            ) from error
