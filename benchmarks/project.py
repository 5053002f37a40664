"""A throwaway project on SQLite or PostgreSQL for the benchmarks to run in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def project(kind: str, *apps: str, **more: Any) -> Iterator[None]:
    """Set Django up with the core, the memory backend and an empty migrated database.

    With further apps and settings, if they are given.
    """
    import django
    from django.conf import settings
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    with tempfile.TemporaryDirectory() as folder:
        settings.configure(
            DATABASES={"default": DATABASES[kind](Path(folder))},
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djsms", *apps],
            ROOT_URLCONF="project",
            SECRET_KEY="for benchmarks only",
            USE_TZ=True,
            DJSMS_BACKEND="memory",
            DJSMS_BASE_URL="https://example.com",
            **more,
        )
        django.setup()
        config = setup_databases(verbosity=0, interactive=False)
        try:
            if kind == "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA journal_mode=WAL")
                    cursor.execute("PRAGMA synchronous=NORMAL")
            yield
        finally:
            teardown_databases(config, verbosity=0)


def _sqlite(folder: Path) -> dict[str, Any]:
    name = str(folder / "bench.sqlite3")
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "TEST": {"NAME": name}}


def _postgresql(folder: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("DJSMS_TEST_POSTGRESQL_HOST", "127.0.0.1"),
        "PORT": os.environ.get("DJSMS_TEST_POSTGRESQL_PORT", "5432"),
        "USER": os.environ.get("DJSMS_TEST_POSTGRESQL_USER", "postgres"),
        "PASSWORD": os.environ.get("DJSMS_TEST_POSTGRESQL_PASSWORD", ""),
        "NAME": "postgres",
        "TEST": {"NAME": f"djsms_bench_{os.getpid()}"},
    }


DATABASES = {"sqlite": _sqlite, "postgresql": _postgresql}


def __getattr__(name: str) -> Any:
    # The module is the project's URLconf as well, which can be read only after the set-up.
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.apps import apps
    from django.urls import include, path

    paths: list[Any] = [path("djsms/", include("djsms.urls"))]
    if apps.is_installed("django.contrib.admin"):
        from django.contrib import admin

        paths.append(path("admin/", admin.site.urls))
    return paths
