"""Settings of a worker's process: the test's database, and the account that the test asks for."""

import json
import os

import routers
from settings import *  # noqa: F403

routers.current = os.environ["DJSMS_TEST_DATABASE"]
if timeout := os.environ.get("DJSMS_TEST_SQLITE_TIMEOUT"):
    DATABASES["default"]["OPTIONS"]["timeout"] = float(timeout)  # noqa: F405
globals().update(json.loads(os.environ["DJSMS_TEST_SETTINGS"]))
LOGGING = {
    "version": 1,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"djsms": {"handlers": ["stderr"], "level": "INFO"}},
}
