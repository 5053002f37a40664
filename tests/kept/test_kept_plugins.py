"""Plugins that were built for the first release of this major version work on the core of today."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from djsms.testing import NEW_ID, Answer, Provider

HERE = Path(__file__).parent
CONSOLE = HERE / "djsms_console-1.0.0-py3-none-any.whl"
ACME = HERE / "djsms_acme-0.1.0-py3-none-any.whl"

PROLOGUE = """
import json, sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "djsms"], SECRET_KEY="for tests only",
    ROOT_URLCONF="djsms.urls", USE_TZ=True, DATABASES={}, **json.loads(sys.argv[1]),
)
import django
django.setup()
import djsms
from djsms.testing import Recorded
gateway = djsms.gateway("default")
message = djsms.OutgoingText(ref="0" * 32, text="Hello", frm="Bistro", to="+447700900001")
"""
CONSOLE_SCRIPT = """
import djsms_console
assert ".whl" in djsms_console.__file__, djsms_console.__file__
result = gateway.send(message)
assert result.parts[0].status == djsms.Status.SENT
[report] = gateway.parse_callback(
    Recorded.json({"ref": "0" * 32, "status": "delivered"}).request())
assert report.status == djsms.Status.DELIVERED
[text] = gateway.parse_incoming(
    Recorded.json({"frm": "+447700900001", "to": "+447700900000", "text": "Hi"}).request())
assert text.text == "Hi"
"""
ACME_SCRIPT = """
import djsms_acme
from djsms.exceptions import Refused, Throttled
assert ".whl" in djsms_acme.__file__, djsms_acme.__file__
assert gateway.send(message).parts[0].provider_id
for kind in (Refused, Throttled):
    try:
        gateway.send(message)
    except kind as error:
        told = error
    assert type(told) is kind, told
[report] = gateway.parse_callback(Recorded.json(
    {"id": "1", "reference": "2", "status": "delivered", "time": 1774742400}).request())
assert report.status == djsms.Status.DELIVERED
[text] = gateway.parse_incoming(Recorded.json(
    {"id": "1", "from": "+447700900001", "to": "60777", "text": "Hi", "time": 1774742400}
).request())
assert text.text == "Hi"
"""


def run(wheel: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with a wheel before everything else that is installed."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**others, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_console_sends_and_reads() -> None:
    settings = json.dumps({"DJSMS_BACKEND": "console"})
    done = run(CONSOLE, "-c", PROLOGUE + CONSOLE_SCRIPT, settings)
    assert done.returncode == 0, done.stderr
    assert "| Hello" in done.stdout


def test_backend_of_the_scaffold_sends_and_reads() -> None:
    answers = iter(
        (
            Answer(202, {"id": NEW_ID, "price": "0.04"}),
            Answer(400, {"error": "no such number"}),
            Answer(429, {"error": "slow down"}, {"Retry-After": "3"}),
        )
    )
    with Provider() as provider:
        provider.respond(lambda request: next(answers))
        options = {"api_key": "no-key-of-anybody", "url": provider.url}
        settings = json.dumps({"DJSMS_BACKEND": "acme", "DJSMS_OPTIONS": options})
        done = run(ACME, "-c", PROLOGUE + ACME_SCRIPT, settings)
    assert done.returncode == 0, done.stderr
    [first, *_] = provider.requests
    assert first.json()["text"] == "Hello"
    assert first.headers["authorization"] == "Bearer no-key-of-anybody"


@pytest.mark.parametrize(("wheel", "name"), [(CONSOLE, "console"), (ACME, "acme")])
def test_listbackends_finds_no_problem(wheel: Path, name: str) -> None:
    done = run(wheel, "-m", "djsms.cli", "listbackends", "--json")
    assert done.returncode == 0, done.stderr
    [row] = [row for row in json.loads(done.stdout)["backends"] if row["name"] == name]
    assert row["problem"] == ""
    assert {"send", "parse_callback", "parse_incoming"} <= {*row["hooks"]}
