"""A project that is set up as the page of djsms-celery prints it, with a broker and processes."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import brokers  # noqa: E402

sys.path.remove(str(HERE))

pytestmark = pytest.mark.skipif(brokers.PROGRAM is None, reason="no redis-server")

README = (HERE.parents[1] / "plugins" / "djsms-celery" / "README.md").read_text()
PRINTED_BROKER = "redis://127.0.0.1:6379/0"
PATIENCE = 90  # seconds; the sweep is each half minute

ELSEWHERE_IN_SETTINGS = """
SECRET_KEY = "a test's"
USE_TZ = True
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": "shop.sqlite3", "OPTIONS": {"timeout": 20},
}}
DJSMS_BACKEND = "console"
"""
MANAGE = """
import os, sys
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
"""
ENQUEUE = """
from datetime import timedelta
from djsms import enqueue_text

enqueue_text("Later", "Shop", "+447700900123", False, run_after=timedelta(seconds=2))
"""
STATUS = """
from djsms.models import TextMessage

print("status:", TextMessage.objects.get().status)
"""


def printed_file(place: str) -> str:
    [code] = re.findall(rf"^```python\n# {re.escape(place)}\n(.*?)^```$", README, re.M | re.S)
    return str(code)


def printed_commands() -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"^\$ (celery .*)$", README, re.M)]


class Project:
    """What a newcomer makes of the page: its files as they stand, and its commands."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder = folder
        package = folder / "shop"
        package.mkdir()
        settings = printed_file("settings.py").replace("...", '"django.contrib.contenttypes"')
        assert PRINTED_BROKER in settings
        settings = settings.replace(PRINTED_BROKER, broker)
        (package / "settings.py").write_text(settings + ELSEWHERE_IN_SETTINGS)
        (package / "__init__.py").write_text(printed_file("shop/__init__.py"))
        (package / "celery.py").write_text(printed_file("shop/celery.py"))
        (folder / "manage.py").write_text(MANAGE)
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")
        }

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def runs(self, program: str, *arguments: str) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "-m", program, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with closing(brokers.Redis(tmp_path)) as redis:
        made = Project(tmp_path, f"redis://127.0.0.1:{redis.port}/0")
        made.manage("migrate", "-v0")
        yield made


def test_the_printed_files_are_a_project_that_the_checks_find_nothing_wrong_with(
    project: Project,
) -> None:
    project.manage("check", "--fail-level", "WARNING")


@pytest.mark.live
def test_with_the_printed_commands_a_text_for_later_goes(project: Project) -> None:
    with ExitStack() as processes:
        for command in printed_commands():
            processes.enter_context(project.runs(*command))
        project.manage("shell", "-v0", "-c", ENQUEUE)
        end = time.monotonic() + PATIENCE
        while "status: sent" not in (said := project.manage("shell", "-v0", "-c", STATUS)):
            assert time.monotonic() < end, said
            time.sleep(2)
