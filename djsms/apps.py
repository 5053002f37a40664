"""The Django app: its system checks are registered once it is ready."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

MONITORING = ("DJSMS_PROMETHEUS", "DJSMS_OPENTELEMETRY")


class DjsmsConfig(AppConfig):
    name = "djsms"
    verbose_name = _("Text messages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from djsms import checks  # noqa: F401  (registers the system checks)
        from djsms.accounts import overrides  # noqa: F401  (counts from the first on)

        # Asked here, so that nothing is imported for who wants none of it.
        if any(getattr(settings, name, False) is True for name in MONITORING):
            from djsms.monitoring.starting import start

            start()
