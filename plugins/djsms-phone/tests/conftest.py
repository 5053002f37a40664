"""What the tests of djsms-phone have in common."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import routers
import servers

# In the background SIGINT is ignored, and what a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# with --import-mode=importlib the folder of a test is not on the path
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def project(settings: Any) -> None:
    """A project with phones behind its account, and their page."""
    settings.ROOT_URLCONF = "phone_urls"
    settings.DJSMS_BACKEND = "phone"


@pytest.fixture(params=["default", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The alias of each database in turn; all queries of the test go there."""
    if reason := servers.UNAVAILABLE.get(request.param):
        pytest.skip(f"no {request.param}: {reason}")
    monkeypatch.setattr(routers, "current", request.param)
    return str(request.param)
