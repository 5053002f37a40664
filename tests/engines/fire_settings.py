"""Settings of the processes under fire: the test's database, provider and engine."""

import os

import routers
from settings import *  # noqa: F403
from settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks_db", "djsms_celery"]
routers.current = os.environ["DJSMS_TEST_DATABASE"]
DJSMS_BACKEND = "acme"
DJSMS_OPTIONS = {"port": int(os.environ["DJSMS_TEST_PORT"])}
DJSMS_ENGINE = os.environ["DJSMS_TEST_ENGINE"]
TASKS = {"default": {"BACKEND": os.environ["DJSMS_TEST_TASKS"]}}
if os.environ["DJSMS_TEST_TASKS"].startswith("django_tasks_rq"):
    INSTALLED_APPS += ["django_rq", "django_tasks_rq"]
    RQ_QUEUES = {"default": {"URL": os.environ["DJSMS_TEST_BROKER"]}}
LOGGING = {
    "version": 1,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"djsms": {"handlers": ["stderr"], "level": "WARNING"}},
}
