"""Whatever surrounds a command, it ends in a line on standard error and an exit code.

Both entries, the console script and ``manage.py``, in processes of their own.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shop import Shop

from djsms import cli
from djsms.cli import errors

ENTRIES = ["djsms", "python manage.py djsms"]
SEND = "send +447700900123 Hello --from Acme"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture(params=ENTRIES)
def djsms(request: pytest.FixtureRequest) -> str:
    entry: str = request.param
    return entry


def complaint(run: subprocess.CompletedProcess[str]) -> str:
    """The one line that the command left with."""
    assert "Traceback" not in run.stderr
    [line] = run.stderr.splitlines()
    return line


class TestStandardOutput:
    @pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
    @pytest.mark.parametrize("arguments", ["listbackends --json", "demo"])
    def test_on_a_full_disk_is_an_error_of_its_own(
        self, shop: Shop, djsms: str, arguments: str, buffered: str
    ) -> None:
        run = shop.shell(f"{djsms} {arguments} > /dev/full", PYTHONUNBUFFERED=buffered)
        assert run.returncode == 3
        assert complaint(run) == "Standard output cannot be written: No space left on device."

    @pytest.mark.parametrize("arguments", ["--help", "--version", "tidy --help"])
    def test_on_a_full_disk_fails_those_who_ask_for_help(
        self, shop: Shop, djsms: str, arguments: str
    ) -> None:
        run = shop.shell(f"{djsms} {arguments} > /dev/full", PYTHONUNBUFFERED="")
        assert run.returncode == 3
        assert "No space left" in complaint(run)

    def test_closed_is_an_error_of_its_own(self, shop: Shop, djsms: str) -> None:
        run = shop.shell(f"{djsms} listbackends >&-")
        assert run.returncode == 3
        assert complaint(run) == "Standard output cannot be written: it is closed."

    def test_closed_does_not_matter_to_what_says_nothing(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        run = shop.shell(f"{djsms} tidy -v0 >&-")
        assert (run.returncode, run.stderr) == (0, "")

    def test_lost_after_a_text_went_out_does_not_pass_for_a_text_not_taken(
        self, shop: Shop, djsms: str
    ) -> None:
        shop.migrate()
        assert shop.shell(f"{djsms} {SEND} > /dev/full").returncode == 3
        [file] = shop.texts.iterdir()
        assert len(file.read_text().splitlines()) == 1

    @pytest.mark.parametrize("arguments", ["listbackends", "demo"])
    @pytest.mark.parametrize("buffered", ["", "1"], ids=["buffered", "unbuffered"])
    def test_without_a_reader_ends_the_command_silently(
        self, shop: Shop, djsms: str, arguments: str, buffered: str
    ) -> None:
        # the reader is surely gone before the first line
        run = shop.shell(
            f"mkfifo gone; ( {djsms} {arguments}; echo $? > code ) > gone & exec 9< gone; "
            f"exec 9<&-; wait",
            PYTHONUNBUFFERED=buffered,
        )
        assert (shop.folder / "code").read_text() == "141\n"
        assert run.stderr == ""

    def test_is_lost_together_with_standard_error(self, shop: Shop, djsms: str) -> None:
        assert shop.shell(f"{djsms} listbackends > /dev/full 2>&-").returncode == 3

    def test_closed_standard_error_leaves_the_exit_code(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        assert shop.shell(f"{djsms} send nobody Hello --from Acme 2>&-").returncode == 1

    def test_in_ascii_shows_what_it_cannot_express(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        run = shop.shell(
            f"{djsms} send +447700900123 'Voilà 🎉' --from Acme",
            LC_ALL="C",
            PYTHONUTF8="0",
            PYTHONCOERCECLOCALE="0",
        )
        assert run.returncode == 0, run.stderr
        assert r"ucs2, because of \U0001f389" in run.stdout
        [file] = shop.texts.iterdir()
        assert json.loads(file.read_text())["text"] == "Voilà 🎉"

    def test_is_readable_on_a_narrow_terminal(self, shop: Shop, djsms: str) -> None:
        run = shop.shell(f"{djsms} listbackends --force-color", COLUMNS="40")
        assert run.returncode == 0
        lines = re.sub("\x1b.*?m", "", run.stdout).splitlines()
        assert {len(line) for line in lines if line} == {40}


class TestStandardInput:
    def test_closed_is_told(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        run = shop.shell(f"{djsms} send +447700900123 - --from Acme <&-")
        assert run.returncode == 1
        assert "standard input, which is closed" in complaint(run)

    def test_in_another_encoding_is_told(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        run = shop.shell(rf"printf 'Voil\xe0' | {djsms} send +447700900123 - --from Acme")
        assert run.returncode == 1
        assert "utf-8" in complaint(run).lower()


class TestTheKeyboard:
    def test_ctrl_c_is_one_line(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        process = shop.start(
            f"{djsms} send +447700900123 - --from Acme",
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        wait_until_it_reads(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (130, "Interrupted.\n")


class TestTheProject:
    """Under manage.py, Django itself reads the settings before it can know of our commands."""

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("raise RuntimeError('first\\nsecond')", "RuntimeError: first second."),
            ("import sys; sys.exit('Set SHOP_ENV.')", "SystemExit: Set SHOP_ENV."),
            ("import sys; sys.exit()", "SystemExit"),
            ("x = = 1", "SyntaxError: invalid syntax (broken.py, line 1)."),
            ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'."),
            ("import os; os.environ['SHOP_KEY']", "KeyError: 'SHOP_KEY'."),
            ("INSTALLED_APPS = ['djsms']", "settings.DATABASES"),
        ],
    )
    def test_whose_settings_fail_is_one_line(self, shop: Shop, source: str, reason: str) -> None:
        (shop.folder / "broken.py").write_text(source)
        run = shop.shell("djsms tidy", DJANGO_SETTINGS_MODULE="broken")
        assert run.returncode == 1
        assert reason in complaint(run)

    def test_whose_settings_are_not_there_is_one_line(self, shop: Shop) -> None:
        run = shop.shell("djsms tidy", DJANGO_SETTINGS_MODULE="no.such")
        assert run.returncode == 1
        assert "No module named 'no'" in complaint(run)

    def test_with_settings_that_djsms_cannot_use_is_one_line(self, shop: Shop, djsms: str) -> None:
        shop.configure(DJSMS_BACKEND="nosuch")
        run = shop.shell(f"{djsms} {SEND}")
        assert run.returncode == 1
        assert "'nosuch'" in complaint(run)


class TestTheDatabase:
    @pytest.mark.parametrize("arguments", ["tidy", SEND])
    def test_not_migrated_is_told_to_migrate(self, shop: Shop, djsms: str, arguments: str) -> None:
        run = shop.shell(f"{djsms} {arguments}")
        assert run.returncode == 1
        assert re.search(r"no such table.* Run manage\.py migrate\.$", complaint(run))

    @pytest.mark.parametrize("arguments", ["export", "work --once", "queue --json"])
    def test_not_migrated_is_found_before_anything_is_printed(
        self, shop: Shop, djsms: str, arguments: str
    ) -> None:
        run = shop.shell(f"{djsms} {arguments}")
        assert (run.returncode, run.stdout) == (1, "")
        assert complaint(run).endswith("Run manage.py migrate.")

    def test_not_migrated_leaves_the_file_that_was_there(self, shop: Shop, djsms: str) -> None:
        before = shop.folder / "texts.csv"
        before.write_text("of last month")
        assert shop.shell(f"{djsms} export --output texts.csv").returncode == 1
        assert before.read_text() == "of last month"

    @pytest.mark.parametrize("arguments", ["tidy", SEND])
    def test_out_of_reach_is_not_told_to_migrate(
        self, shop: Shop, djsms: str, arguments: str
    ) -> None:
        nobody_there = {"ENGINE": "django.db.backends.postgresql", "NAME": "shop", "PORT": "1"}
        shop.configure(DATABASES={"default": nobody_there | {"HOST": "127.0.0.1"}})
        run = shop.shell(f"{djsms} {arguments}")
        assert run.returncode == 1
        assert complaint(run).startswith("CommandError: The database cannot be used: ")
        assert "migrate" not in run.stderr

    def test_that_may_not_be_written_is_not_told_to_migrate(self, shop: Shop, djsms: str) -> None:
        shop.migrate()
        uri = {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:shop.sqlite3?mode=ro"}
        shop.configure(DATABASES={"default": uri | {"OPTIONS": {"uri": True}}})
        run = shop.shell(f"{djsms} {SEND}")
        assert run.returncode == 1
        assert complaint(run).endswith("attempt to write a readonly database.")


class TestWhatOthersSay:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ("no such table", "no such table."),
            ("It is full.", "It is full."),
            (
                "Connection refused\n\tIs the server running?\n",
                "Connection refused. Is the server running?",
            ),
            ("near line 3:\n  Hello", "near line 3: Hello."),
            ("a row\nof words", "a row of words."),
        ],
    )
    def test_becomes_sentences_in_one_line(self, words: str, sentence: str) -> None:
        assert errors.sentence(words) == sentence


def options_with_a_type() -> list[Any]:
    return [
        pytest.param(name, action.option_strings[-1], id=f"{name}{action.option_strings[-1]}")
        for name in cli.SUBCOMMANDS
        for action in cli.command(name).create_parser("djsms", name)._actions
        if action.type not in (None, int, Path) and action.option_strings
    ]


@pytest.mark.parametrize(("name", "option"), options_with_a_type())
@pytest.mark.parametrize("value", ["no such", "", "nan", "-1"])
def test_a_value_that_an_option_does_not_take_is_told_in_words(
    name: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(SystemExit):
        cli.command(name).run_from_argv(["djsms", name, f"{option}={value}"])
        pytest.fail("It was taken.")
    told = capsys.readouterr().err
    assert "invalid" not in told
    assert re.search(rf"{option}: say .*, not '{value}'$", told, re.M)


def wait_until_it_reads(process: int) -> None:
    """Wait until a process has nothing to do but to read its standard input, a pipe."""
    # where the kernel does not tell, the shell's own prompt would be the sign
    state = Path(f"/proc/{process}/wchan")
    if not state.exists():
        pytest.skip("the kernel does not tell what a process waits for")
    for _ in range(2_000):
        if "pipe" in state.read_text():
            return
        os.sched_yield()
        signal.sigtimedwait([], 0.01)
    pytest.fail("it never came to read")
