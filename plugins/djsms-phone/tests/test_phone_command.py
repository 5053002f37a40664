"""``djsms phone``: in processes of their own, as people run it."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from djsms import send_text
from djsms_phone import calls

COMMAND = [sys.executable, "-m", "djsms.cli", "phone"]
get = build_opener(ProxyHandler({})).open


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``djsms phone`` as it runs, and the address that it tells."""
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    environment |= {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, "--no-open", "--port=0"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        told = process.stdout.readline()
        [address] = re.findall(r"http://127\.0\.0\.1:\d+/phone/", told)
        yield process, address
    finally:
        process.kill()
        process.communicate()
        watchdog.cancel()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_phones_with_texts_and_leaves_nothing(
    phones: tuple[subprocess.Popen[str], str], tmp_path: Path, end: signal.Signals
) -> None:
    process, address = phones
    with get(address) as answer:
        page = answer.read().decode()
    assert "+447700900123" in page
    with get(address.replace("phone/", "static/djsms_phone/phone.js")) as answer:
        assert answer.status == 200
    process.send_signal(end)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []


def test_headless_needs_a_project(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    run = subprocess.run(
        [*COMMAND, "--headless"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert "DJANGO_SETTINGS_MODULE" in run.stderr


@pytest.mark.django_db(transaction=True)
def test_headless_says_what_it_must_know(settings: Any) -> None:
    del settings.DJSMS_BASE_URL
    with pytest.raises(CommandError, match="--url"):
        call_command("djsms", "phone", "--headless", "--once")


@pytest.mark.django_db(transaction=True)
def test_headless_plays_the_network_of_a_project_that_is_served(
    django_db_setup: None, live_server: Any
) -> None:
    message = send_text("Hi", "+447700900100", "+447700900123", status_report=True)
    call_command("djsms", "phone", "--headless", "--once", f"--url={live_server.url}")
    message.refresh_from_db()
    assert message.status == "delivered"


class TestHeadlessTellsOfCallsThatFail:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture(autouse=True)
    def one_try(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(calls, "MAX_TRIES", 0)

    def told(self, url: str) -> list[str]:
        for text in ("One", "Two"):
            send_text(text, "+447700900100", "+447700900123", status_report=True)
        told = io.StringIO()
        call_command("djsms", "phone", "--headless", "--once", f"--url={url}", stderr=told)
        return told.getvalue().splitlines()

    def test_by_nobody_answering(self, django_db_setup: None) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            [line] = self.told(f"http://127.0.0.1:{nobody.getsockname()[1]}")
        assert line.startswith("A status report to the account 'default' had no answer: URLError")
        assert re.search(r"\w>?\. Is the project served there\?$", line)

    def test_by_what_they_are_answered(self, live_server: Any, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["example.com"]
        [line] = self.told(live_server.url)
        assert line == "A status report to the account 'default' was answered with 400."

    def test_by_a_project_without_our_urls(self, live_server: Any, settings: Any) -> None:
        settings.ROOT_URLCONF = "django.contrib.auth.urls"
        [line] = self.told(live_server.url)
        assert re.search(r"\w'?\. Add path\(\"djsms/\", include\(\"djsms.urls\"\)\)", line)
