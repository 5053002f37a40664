"""A project as it runs in production: nothing that its tests send may get out."""

SECRET_KEY = "for tests only"
INSTALLED_APPS = ["djsms", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True

DJSMS_BACKEND = "file"
DJSMS_OPTIONS = {"path": "/nowhere/at/all"}
DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "no-such-backend"}}
