"""The outbox of the process, under the runners of Django and pytest, in a project of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ("pytester",)

PROJECT = Path(__file__).parent / "project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


def run(project: Path, *arguments: str) -> str:
    """Run Python in the project, expect success, and return what it printed."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=project,
        env=keep,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("arguments", [[], ["--parallel", "2"], ["--shuffle"]])
def test_under_djangos_runner(project: Path, arguments: list[str]) -> None:
    assert "Ran 14 tests" in run(project, "manage.py", "test", *arguments)


def test_under_pytest(project: Path) -> None:
    printed = run(project, "-m", "pytest", "--ds", "settings", "shop/tests.py", "shop/functions.py")
    assert "20 passed" in printed


def test_examples_of_the_documentation(project: Path) -> None:
    assert "Ran 2 tests" in run(project, "manage.py", "test", "shop.examples_django")
    files = [f"shop/examples_{name}.py" for name in ("django", "pytest", "recipe")]
    assert "9 passed" in run(project, "-m", "pytest", "--ds", "settings", *files)


def test_fixture_for_all_tests_of_the_documentation(project: Path) -> None:
    (project / "shop" / "test_all.py").write_text(
        """
import pytest
from djsms.models import TextMessage
from shop.texts import welcome

pytestmark = pytest.mark.django_db

def test_that_does_not_ask():
    welcome("+447700900123")
    assert TextMessage.objects.get().status == "sending"

def test_that_asks(sms_outbox):
    welcome("+447700900123")
    assert len(sms_outbox) == 1
"""
    )
    shutil.copy(project / "shop" / "autouse_conftest.py", project / "conftest.py")
    printed = run(project, "-m", "pytest", "--ds", "settings", "shop/test_all.py")
    assert "2 passed" in printed


def test_changes_nothing_for_who_does_not_import_it(project: Path) -> None:
    (project / "shop" / "tests.py").write_text(
        """
import sys
from django.test import SimpleTestCase, TestCase
from djsms.accounts import gateways

class Tests(TestCase):
    def test_settings_hold(self):
        self.assertEqual(gateways.get().backend, "dummy")
        self.assertNotIn("djsms.testing.process_outbox", sys.modules)
        self.assertFalse(hasattr(SimpleTestCase.__call__, "__wrapped__"))
"""
    )
    with (project / "settings.py").open("a") as settings:
        settings.write('DJSMS_BACKEND, DJSMS_OPTIONS, DJSMS_ACCOUNTS = "dummy", {}, {}\n')
    run(project, "manage.py", "test")
    run(project, "-m", "pytest", "--ds", "settings", "shop/tests.py")


def test_outside_of_tests_the_settings_hold(project: Path) -> None:
    code = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
from djsms.accounts import gateways
from djsms.testing import outbox
print(gateways.get().backend)
"""
    assert run(project, "-c", code).strip() == "file"


def test_pytest_without_django_is_left_alone(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_django_is_there():
            assert "django.conf" not in sys.modules

        def test_the_fixture_says_what_it_lacks(sms_outbox):
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:django", "-p", "no:randomly")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*sms_outbox needs Django's settings*"])
