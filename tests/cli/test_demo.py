"""``djsms demo`` shows the whole way of a text to who has djsms and its console backend only."""

import io
import re
import time
from pathlib import Path

import pytest
from console import djsms
from django.core.management import call_command
from django.core.management.base import CommandError

from djsms.models import TextMessage


def steady(told: str) -> str:
    """What it printed, but for the references of the messages, which are random."""
    return re.sub("[0-9a-f]{32}", "REF", told)


def test_it_runs_anywhere_and_leaves_nothing_behind(tmp_path: Path) -> None:
    started = time.monotonic()
    runs = [djsms("demo", cwd=tmp_path) for _ in range(2)]
    assert time.monotonic() - started < 60
    for run in runs:
        assert run.returncode == 0, run.stderr
        assert run.stderr == ""
    assert steady(runs[0].stdout) == steady(runs[1].stdout)
    assert list(tmp_path.iterdir()) == []


def test_it_shows_three_texts_a_status_report_and_a_reply(tmp_path: Path) -> None:
    told = djsms("demo", cwd=tmp_path).stdout
    assert re.findall(r"^Text from .* \((.*)\)$", told, re.MULTILINE) == [
        "1 segment, gsm7",
        "1 segment, ucs2",
        "2 segments, gsm7",
    ]
    assert re.findall(r"^POST /djsms/(\w+)/default/\S+/$", told, re.MULTILINE) == [
        "callback",
        "incoming",
    ]
    assert re.findall(r"^(\d+) OK$", told, re.MULTILINE) == ["200", "200"]
    rows = [line for line in told.splitlines() if line.startswith(("→", "←"))]
    assert [row.split("  ")[-1].strip() for row in rows] == [
        "sent → delivered",
        "sent",
        "sent",
        "received",
    ]


def test_settings_in_the_environment_do_not_matter(tmp_path: Path) -> None:
    run = djsms("demo", cwd=tmp_path, environment={"DJANGO_SETTINGS_MODULE": "no.such"})
    assert run.returncode == 0, run.stderr


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    run = djsms("demo", "--force-color", cwd=tmp_path, environment={"COLUMNS": "100"})
    assert "│" in run.stdout
    rows = re.sub("\x1b.*?m", "", run.stdout).splitlines()
    assert max(len(row) for row in rows if row.startswith("│")) == 100


def test_without_the_console_backend_it_says_what_to_install(tmp_path: Path) -> None:
    hide_console_backend(tmp_path)
    run = djsms("demo", cwd=tmp_path, environment={"PYTHONPATH": str(tmp_path)})
    assert run.returncode == 1
    assert "pip install djsms-console" in run.stderr


@pytest.mark.parametrize(
    ("hooks", "reason"),
    [
        ("", "The webhook answered 404."),
        ("parse_callback = hookimpl(lambda self, request: [])", "Not everything is stored"),
    ],
)
def test_another_backend_of_that_name_does_not_pass_for_a_success(
    tmp_path: Path, hooks: str, reason: str
) -> None:
    base = "MemoryBackend" if hooks else "DummyBackend"
    (tmp_path / "other.py").write_text(
        "from djsms import hookimpl\n"
        "from djsms.backends import DummyBackend, MemoryBackend\n"
        f"class Backend({base}):\n"
        f"    {hooks or 'pass'}\n"
    )
    info = hide_console_backend(tmp_path)
    (info / "entry_points.txt").write_text("[djsms.backends]\nconsole = other:Backend\n")
    run = djsms("demo", cwd=tmp_path, environment={"PYTHONPATH": str(tmp_path)})
    assert run.returncode == 1
    assert reason in run.stderr


@pytest.mark.django_db
class TestUnderManagePy:
    def test_it_leaves_the_project_s_database_alone(self) -> None:
        out = io.StringIO()
        call_command("djsms", "demo", stdout=out)
        assert "sent → delivered" in out.getvalue()
        assert not TextMessage.objects.exists()

    def test_what_is_wrong_is_told_there_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hide_console_backend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(CommandError, match=r"^The demo .*pip install djsms-console"):
            call_command("djsms", "demo", "--force-color")


def hide_console_backend(folder: Path) -> Path:
    """Put a distribution before the real one that has its name and offers nothing."""
    info = folder / "djsms_console-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: djsms-console\nVersion: 0\n")
    return info
