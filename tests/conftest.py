"""Fixtures for running one test on every database, and manners of the whole suite."""

import os
import signal

import hypothesis
import pytest
import routers
import servers
from django.db import connections

# In the background SIGINT is ignored, and what a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# a slow moment of a busy machine is no finding
hypothesis.settings.register_profile("djsms", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("djsms")

pytest_plugins = ["scripted"]

ALIASES = {"sqlite": "default", "postgresql": "postgresql", "mariadb": "mariadb"}


@pytest.fixture(params=ALIASES)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The alias of each database in turn; all queries of the test go there.

    The test says with ``django_db(databases="__all__")`` that it may.
    """
    alias = ALIASES[request.param]
    reason = servers.UNAVAILABLE.get(alias)
    if reason and os.environ.get("DJSMS_TEST_REQUIRE_DATABASES"):
        pytest.fail(f"{alias} is required, but: {reason}", pytrace=False)
    if reason:
        pytest.skip(f"no {alias}: {reason}")
    monkeypatch.setattr(routers, "current", alias)
    return alias


@pytest.fixture
def child_environment(django_db_setup: None) -> dict[str, str]:
    """Environment for a child process that is to see the test's own databases."""
    names = {
        f"DJSMS_TEST_{name.upper()}_NAME": str(connections[alias].settings_dict["NAME"])
        for name, alias in ALIASES.items()
        if alias in connections.settings
    }
    return {**os.environ, **names}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = getattr(item, "callspec", None)
        alias = parameters.params.get("database") if parameters else None
        # Processes of their own take long: three times over only where there is time.
        if alias not in (None, "sqlite") and "child_environment" in item.fixturenames:
            item.add_marker(pytest.mark.live)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    used = [name for name, alias in ALIASES.items() if alias not in servers.UNAVAILABLE]
    terminalreporter.write_line(f"databases: {', '.join(used)}")
    for alias, reason in servers.UNAVAILABLE.items():
        terminalreporter.write_line(f"skipped on {alias}: {reason}", yellow=True)
