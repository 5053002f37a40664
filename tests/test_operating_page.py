"""What the page on operating has for systemd and for containers, started as they would start it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from console import djsms
from test_docs import DOCS, blocks_of

BLOCKS = {block.info: block.code for block in blocks_of(DOCS / "operating.md")}
SETTINGS = """
SECRET_KEY = "an-example"
USE_TZ = True
INSTALLED_APPS = ["djsms"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "texts.sqlite3"}}
DJSMS_BACKEND = "dummy"
"""


Start = tuple[list[str], dict[str, str], str]


def by_systemd() -> Start:
    lines = dict(line.split("=", 1) for line in BLOCKS["ini"].splitlines() if "=" in line)
    name, _, value = lines["Environment"].partition("=")
    return lines["ExecStart"].split(), {name: value}, lines["WorkingDirectory"]


def by_docker() -> Start:
    words = dict(line.split(" ", 1) for line in BLOCKS["dockerfile"].splitlines())
    name, _, value = words["ENV"].partition("=")
    return json.loads(words["CMD"]), {name: value}, words["WORKDIR"]


@pytest.mark.parametrize("start", [by_systemd, by_docker])
def test_worker_starts_in_the_projects_folder(start: Callable[[], Start], tmp_path: Path) -> None:
    words, environment, folder = start()
    assert (Path(words[0]).name, folder) == ("djsms", "/srv/shop")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "settings.py").write_text(SETTINGS)

    subprocess.run(
        [sys.executable, "-m", "django", "migrate"],
        cwd=tmp_path,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    worked = djsms(*words[1:], "--once", cwd=tmp_path, environment=environment)
    assert worked.returncode == 0, worked.stderr
