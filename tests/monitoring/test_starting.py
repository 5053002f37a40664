"""Nothing of monitoring is imported unless the settings ask for it, and then it works."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from djsms.checks import check_settings
from djsms.monitoring import starting

SETTINGS = """
SECRET_KEY = "for tests only"
INSTALLED_APPS = ["djsms"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
USE_TZ = True
DJSMS_BACKEND = "dummy"
"""


def project(folder: Path, *settings: str) -> Path:
    (folder / "settings.py").write_text("\n".join([SETTINGS, *settings]))
    return folder


def run(folder: Path, code: str) -> str:
    start = "import os, sys, django\nos.environ['DJANGO_SETTINGS_MODULE'] = 'settings'\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{start}django.setup()\n{textwrap.dedent(code)}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_when_off_nothing_is_imported(tmp_path: Path) -> None:
    code = """
        import djsms, djsms.health, djsms.sending.attempts, djsms.receiving.views
        print([name for name in sys.modules if name.startswith(("prometheus", "opentelemetry"))])
    """
    assert run(project(tmp_path), code).strip() == "[]"


def test_when_on_calls_are_counted_and_nothing_is_asked_of_a_database(tmp_path: Path) -> None:
    code = """
        from django.db import connection
        assert connection.connection is None
        from django.core.management import call_command
        call_command("migrate", verbosity=0)
        from djsms import send_text
        send_text("Hi", "Acme", "+447700900123")
        from djsms.monitoring import exposition
        print(exposition.text().decode())
    """
    on = project(tmp_path, "DJSMS_PROMETHEUS = True", "DJSMS_OPENTELEMETRY = True")
    read = run(on, code)
    assert 'djsms_attempts_total{account="default",backend="dummy",outcome="sending"} 1.0' in read
    assert 'djsms_queue_open{account="default"} 1.0' in read


def test_apps_that_are_ready_once_more_change_nothing(tmp_path: Path) -> None:
    code = """
        from django.core.management import call_command
        from django.test import override_settings
        call_command("migrate", verbosity=0)
        from djsms import send_text
        with override_settings(INSTALLED_APPS=["djsms", "django.contrib.contenttypes"]):
            send_text("Hi", "Acme", "+447700900123")
        send_text("Hi", "Acme", "+447700900123")
        from djsms.monitoring import exposition
        print(exposition.text().decode())
    """
    read = run(project(tmp_path, "DJSMS_PROMETHEUS = True"), code)
    assert 'djsms_attempts_total{account="default",backend="dummy",outcome="sending"} 2.0' in read


def test_a_package_that_is_missing_is_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DJSMS_PROMETHEUS = True
    monkeypatch.setitem(starting.PACKAGES, "DJSMS_PROMETHEUS", ("no_such_module", "prometheus"))
    [told] = [message for message in check_settings() if message.id == "djsms.E008"]
    assert "no_such_module is not installed" in told.msg
    assert "django-simple-sms[prometheus]" in (told.hint or "")
    starting.start()


@pytest.mark.live
def test_a_worker_tells_its_own_figures(tmp_path: Path) -> None:
    folder = project(tmp_path, "DJSMS_PROMETHEUS = True")
    run(
        folder,
        """
        from django.core.management import call_command
        call_command("migrate", verbosity=0)
        from djsms import enqueue_text
        enqueue_text("Hi", "Acme", "+447700900123")
        """,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "djsms.cli", "work", "--settings", "settings"]
    worker = subprocess.Popen(
        [*command, "--pythonpath", ".", "--metrics", str(port)], cwd=folder, text=True
    )
    try:
        assert re.search(
            r"djsms_claimed_total\{.*\} 1\.0", read_until(port, "djsms_claimed_total{")
        )
    finally:
        worker.terminate()
        assert worker.wait(30) == 0


def read_until(port: int, words: str) -> str:
    read = ""
    for _ in range(100):
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                read = answer.read().decode()
        except OSError:
            continue
        if words in read:
            break
    return read
