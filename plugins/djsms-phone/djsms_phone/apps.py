"""The Django app: the phones, the page that plays them, and a check that it stays at home."""

from __future__ import annotations

from django.apps import AppConfig


class DjsmsPhoneConfig(AppConfig):
    name = "djsms_phone"
    verbose_name = "Phones that do not exist"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from djsms_phone import checks  # noqa: F401  (registers the system check)
