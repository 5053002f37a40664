"""Django settings of the test suite.

SQLite is always there. PostgreSQL and MariaDB join as further databases where a server lets us in.
"""

import os
import tempfile
from importlib.util import find_spec

import servers

# two runs at the same time, on the same servers, must not share a database
RUN = f"djsms_test_{os.getpid()}"

SQLITE = os.path.join(tempfile.gettempdir(), f"{RUN}.sqlite3")  # noqa: PTH118
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        # never in memory: the threads of a live server would share its connection, and crash
        "NAME": os.environ.get("DJSMS_TEST_SQLITE_NAME", SQLITE),
        # threads and processes of one test wait for each other's writes
        "OPTIONS": {"timeout": 20},
        # a file: a database in memory could not be shared between processes
        "TEST": {"NAME": SQLITE},
    },
    **servers.databases(RUN),
}
DATABASE_ROUTERS = ["routers.CurrentDatabase"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "djsms",
    # the one plugin that is an app as well, where it is installed
    *(["djsms_phone"] if find_spec("djsms_phone") else []),
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "urls"
STATIC_URL = "static/"
SECRET_KEY = "a key for tests only"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "UTC"
# the default is slow by design, and nothing here is secret
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

DJSMS_BACKEND = "memory"
DJSMS_BASE_URL = "https://example.com"
# without it djsms_phone is a mistake where DEBUG is off
DJSMS_PHONE = True
# the suite has providers of its own, on the loopback
DJSMS_SEND_IN_TESTS = True
