"""The settings of the project that ``djsms phone`` runs."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

__all__ = ["settings"]


def settings(folder: Path, base_url: str) -> dict[str, Any]:
    """Return the settings of the project, whose database lies in a folder."""
    return {
        "DEBUG": True,
        "INSTALLED_APPS": ["django.contrib.staticfiles", "djsms", "djsms_phone"],
        "MIDDLEWARE": [
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "phone.sqlite3",
                # threads wait for each other's writes
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        "ROOT_URLCONF": "djsms_phone.project_urls",
        "STATIC_URL": "/static/",
        "SECRET_KEY": secrets.token_urlsafe(),
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
        "USE_TZ": True,
        "DJSMS_BACKEND": "phone",
        "DJSMS_BASE_URL": base_url,
        "DJSMS_FROM": "+447700900100",
    }
