"""The Django app: its system checks are registered once it is ready."""

from __future__ import annotations

from django.apps import AppConfig


class DjsmsConfig(AppConfig):
    name = "djsms"
    verbose_name = "Text messages"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from djsms import checks  # noqa: F401  (registers the system checks)
        from djsms.accounts import overrides  # noqa: F401  (counts from the first on)
