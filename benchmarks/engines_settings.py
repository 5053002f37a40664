"""Settings of the processes of ``bench_engines``: its database, engine, and a provider's pace."""

import os
from pathlib import Path

from project import DATABASES as KINDS

DATABASES = {"default": {**KINDS["postgresql"](Path()), "NAME": os.environ["BENCH_DATABASE"]}}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "djsms",
    "djsms_celery",
    "django_tasks_db",
]
ROOT_URLCONF = "project"
SECRET_KEY = "for benchmarks only"
USE_TZ = True
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
DJSMS_BACKEND = "dummy"
DJSMS_EXTENSIONS = ["engines_tasks.Pace"]
DJSMS_BASE_URL = "https://example.com"
DJSMS_ENGINE = os.environ.get("BENCH_ENGINE", "worker")
