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


PROVIDER = """
from dataclasses import dataclass
from pathlib import Path
from djsms import SendResult, Status, StatusReport, hookimpl

@dataclass(kw_only=True)
class Provider:
    token: str

    @hookimpl
    def send(self, message):
        Path("called").write_text(message.text)
        return SendResult.accepted("real")

    @hookimpl
    def fetch_balance(self):
        raise AssertionError("called")

    @hookimpl
    def fetch_reports(self, messages):
        raise AssertionError("called")

    @hookimpl
    def parse_callback(self, request):
        return [StatusReport(status=Status.DELIVERED, ref=request.GET["id"])]
"""

CAREFREE = """
from django.test import Client, TestCase, override_settings
from djsms import gateway, send_text
from djsms.accounts.addresses import token
from djsms.exceptions import TemporarilyUnavailable

class Tests(TestCase):
    def sent(self):
        return send_text("Hi", "Shop", "+447700900123", status_report=True)

    def test_what_is_sent_is_accepted(self):
        self.assertTrue(self.sent().provider_id.startswith("test-"))

    def test_webhooks_are_read_by_the_backend(self):
        message = self.sent()
        Client().get(f"/callback/default/{token('default')}/", {"id": message.ref})
        message.refresh_from_db()
        self.assertEqual(message.status, "delivered")

    def test_nobody_is_asked(self):
        self.assertEqual(gateway().fetch_reports([]), [])
        with self.assertRaises(TemporarilyUnavailable):
            gateway().fetch_balance()

    @override_settings(DJSMS_OPTIONS={})
    def test_credentials_may_be_missing(self):
        self.assertEqual(self.sent().status, "sending")
"""

OWN = """
DJSMS_LOCAL_BACKENDS = {"ours": "shop.provider.Provider"}
DJSMS_BACKEND, DJSMS_OPTIONS, DJSMS_ACCOUNTS = "ours", {"token": "secret"}, {}
ROOT_URLCONF = "djsms.urls"
ALLOWED_HOSTS = ["*"]
"""


@pytest.fixture
def carefree(project: Path) -> Path:
    """A project with a provider of its own, whose tests ask for no outbox."""
    (project / "shop" / "provider.py").write_text(PROVIDER)
    (project / "shop" / "tests.py").write_text(CAREFREE)
    with (project / "settings.py").open("a") as settings:
        settings.write(OWN)
    return project


RUNNERS = {
    "django": ("manage.py", "test"),
    "pytest": ("-m", "pytest", "--ds", "settings", "shop/tests.py"),
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_nothing_is_sent_for_real_in_tests(carefree: Path, runner: str) -> None:
    run(carefree, *RUNNERS[runner])
    assert not (carefree / "called").exists()


def test_that_is_told_once(carefree: Path) -> None:
    printed = run(carefree, "manage.py", "test")
    assert printed.count("Under a test runner nothing is sent for real") == 1


def test_a_thread_that_outlives_the_tests_sends_nothing_for_real(carefree: Path) -> None:
    code = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
from django.core.management import call_command
from django.test.utils import setup_test_environment, teardown_test_environment
call_command("migrate", verbosity=0)
from djsms import enqueue_text, queue
setup_test_environment()
enqueue_text("Hi", "Shop", "+447700900123")
teardown_test_environment()
print(queue.drain())
"""
    assert run(carefree, "-c", code).strip().endswith("1")
    assert not (carefree / "called").exists()


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("how", ["setting", "override"])
def test_it_is_if_it_was_asked_for(carefree: Path, runner: str, how: str) -> None:
    asked = {"setting": "pass", "override": '@override_settings(DJSMS_BACKEND="ours")'}[how]
    (carefree / "shop" / "tests.py").write_text(
        f"""
from django.test import TestCase, override_settings
from djsms import send_text

class Tests(TestCase):
    {asked}
    def test(self):
        self.assertEqual(send_text("Hi", "Shop", "+447700900123").provider_id, "real")
"""
    )
    if how == "setting":
        with (carefree / "settings.py").open("a") as settings:
            settings.write("DJSMS_SEND_IN_TESTS = True\n")
    run(carefree, *RUNNERS[runner])
    assert (carefree / "called").read_text() == "Hi"


def test_outside_of_tests_it_is_sent(carefree: Path) -> None:
    code = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
from django.core import mail
from django.core.management import call_command
call_command("migrate", verbosity=0)
from djsms import send_text
print(send_text("Hi", "Shop", "+447700900123").provider_id)
"""
    assert run(carefree, "-c", code).strip() == "real"


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
