"""``djsms X`` and ``manage.py djsms X`` are the same commands, with Django's conventions.

Exit codes: 0 for well, 1 for something wrong, 2 for a command line that is none; for what comes
from outside see ``test_cli_edges.py``.
"""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from console import djsms
from django.core.management import ManagementUtility, call_command, load_command_class
from django.core.management.base import BaseCommand, CommandError

from djsms import cli
from djsms.cli import tables
from djsms.management.commands.djsms import Command


class TestTheConsoleScript:
    def test_help_names_every_subcommand(self, tmp_path: Path) -> None:
        run = djsms("--help", cwd=tmp_path)
        assert run.returncode == 0
        assert re.findall(r"^  ([a-z]+)  +[A-Z]", run.stdout, re.MULTILINE)[1:] == list(
            cli.subcommands()
        )

    def test_help_does_not_wait_for_django(self) -> None:
        script = (
            "import sys; from djsms import cli\n"
            "try: cli.main(['--help'])\n"
            "except SystemExit: pass\n"
            "print([name for name in sys.modules if name.startswith(('django.', 'rich'))])"
        )
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
        heavy = {"django.core.management", "django.db", "rich"}
        assert not heavy & set(eval(run.stdout.splitlines()[-1]))

    def test_without_a_subcommand_it_shows_help_as_an_error(self, tmp_path: Path) -> None:
        run = djsms(cwd=tmp_path)
        assert run.returncode == 2
        assert "listbackends" in run.stderr

    def test_an_unknown_subcommand_is_a_wrong_command_line(self, tmp_path: Path) -> None:
        run = djsms("sned", cwd=tmp_path)
        assert run.returncode == 2
        assert "'sned'" in run.stderr

    def test_it_knows_its_version(self, tmp_path: Path) -> None:
        assert re.fullmatch(r"\d+\.\d+.*\n", djsms("--version", cwd=tmp_path).stdout)

    @pytest.mark.parametrize("subcommand", ["send", "tidy", "webhooks"])
    def test_what_needs_a_project_says_how_to_name_one(
        self, tmp_path: Path, subcommand: str
    ) -> None:
        arguments = {"send": ["+447700900123", "Hi", "--from", "Acme"]}.get(subcommand, [])
        run = djsms(subcommand, *arguments, cwd=tmp_path)
        assert run.returncode == 1
        assert "DJANGO_SETTINGS_MODULE" in run.stderr
        assert "manage.py djsms" in run.stderr
        assert "Traceback" not in run.stderr

    def test_help_of_a_subcommand_needs_no_project(self, tmp_path: Path) -> None:
        run = djsms("send", "--help", cwd=tmp_path)
        assert run.returncode == 0
        assert run.stdout.startswith("usage: djsms send ")

    def test_a_project_is_found_by_settings_and_path(self, tmp_path: Path) -> None:
        write_project(tmp_path, INSTALLED_APPS=["djsms"], DJSMS_BACKEND="memory")
        options = ["--settings", "project", "--pythonpath", str(tmp_path)]
        run = djsms("listbackends", *options, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        assert re.search(r"^memory .* default$", run.stdout, re.MULTILINE)

    def test_a_project_is_found_in_the_folder_where_it_runs(self, tmp_path: Path) -> None:
        write_project(tmp_path, INSTALLED_APPS=["djsms"], DJSMS_BACKEND="memory")
        named = {"DJANGO_SETTINGS_MODULE": "project"}
        run = djsms("listbackends", cwd=tmp_path, environment=named)
        assert run.returncode == 0, run.stderr
        assert re.search(r"^memory .* default$", run.stdout, re.MULTILINE)

    def test_a_project_on_a_path_that_is_given_comes_before_one_in_the_folder(
        self, tmp_path: Path
    ) -> None:
        here, there = tmp_path / "here", tmp_path / "there"
        for folder, backend in ((here, "dummy"), (there, "memory")):
            folder.mkdir()
            write_project(folder, INSTALLED_APPS=["djsms"], DJSMS_BACKEND=backend)
        options = ["--settings", "project", "--pythonpath", str(there)]
        run = djsms("listbackends", *options, cwd=here)
        assert re.search(r"^memory .* default$", run.stdout, re.MULTILINE), run.stderr

    def test_a_project_off_the_path_comes_with_a_hint(self, tmp_path: Path) -> None:
        run = djsms("tidy", "--settings", "project", cwd=tmp_path)
        assert run.returncode == 1
        assert "Run it in the project's folder" in run.stderr
        assert "No module named 'project'" in run.stderr
        assert "--pythonpath" in run.stderr

    def test_a_project_that_cannot_start_gives_its_reason(self, tmp_path: Path) -> None:
        write_project(tmp_path, INSTALLED_APPS=["djsms", "shop"])
        run = djsms("tidy", "--settings", "project", "--pythonpath", ".", cwd=tmp_path)
        assert run.returncode == 1
        assert "No module named 'shop'" in run.stderr
        assert "--pythonpath" not in run.stderr

    def test_a_project_without_djsms_is_told_to_add_it(self, tmp_path: Path) -> None:
        write_project(tmp_path, INSTALLED_APPS=[])
        run = djsms("tidy", "--settings", "project", "--pythonpath", ".", cwd=tmp_path)
        assert run.returncode == 1
        assert "INSTALLED_APPS" in run.stderr

    def test_it_runs_as_a_module_too(self, tmp_path: Path) -> None:
        run = subprocess.run(
            [sys.executable, "-m", "djsms.cli", "--version"], cwd=tmp_path, capture_output=True
        )
        assert run.returncode == 0

    def test_main_gives_the_exit_code(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["djsms", "listbackends", "-v0"])
        assert cli.main() == 0
        assert cli.main([]) == 2
        with pytest.raises(SystemExit) as end:
            cli.main(["--version"])
        assert end.value.code == 0


class TestManagePy:
    def test_runs_the_same_subcommands(self, capsys: pytest.CaptureFixture[str]) -> None:
        ManagementUtility(["manage.py", "djsms", "listbackends", "--json"]).execute()
        assert capsys.readouterr().out.startswith("{")

    def test_names_itself_in_the_usage(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as end:
            Command().run_from_argv(["./manage.py", "djsms", "send", "--nope"])
        assert end.value.code == 2
        assert capsys.readouterr().err.startswith("usage: manage.py djsms send ")

    def test_takes_common_options_before_the_subcommand(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Command().run_from_argv(["manage.py", "djsms", "--force-color", "listbackends"])
        assert "\x1b[" in capsys.readouterr().out

    def test_help_names_every_subcommand(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            Command().run_from_argv(["manage.py", "djsms", "--help"])
        assert cli.overview() in capsys.readouterr().out

    def test_alone_it_lists_the_subcommands_as_an_error(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as end:
            Command().run_from_argv(["manage.py", "djsms"])
        assert end.value.code == 2
        assert cli.overview() in capsys.readouterr().err

    def test_an_unknown_subcommand_is_a_wrong_command_line(self) -> None:
        with pytest.raises(SystemExit) as end:
            Command().run_from_argv(["manage.py", "djsms", "sned"])
        assert end.value.code == 2

    def test_call_command_works_for_code_and_tests(self) -> None:
        out = io.StringIO()
        call_command("djsms", "listbackends", "--json", stdout=out)
        assert '"memory"' in out.getvalue()

    def test_call_command_raises_what_is_wrong(self) -> None:
        with pytest.raises(CommandError, match="no account 'nope'"):
            call_command("djsms", "webhooks", "nope")

    def test_every_subcommand_is_a_django_command_with_help(self) -> None:
        for name, purpose in cli.SUBCOMMANDS.items():
            command = cli.command(name)
            assert isinstance(command, BaseCommand)
            assert purpose in command.help

    def test_listbackends_has_its_own_short_form(self) -> None:
        command = load_command_class("djsms", "listbackends")
        assert isinstance(command, type(cli.command("listbackends")))


class TestTables:
    ROWS = (("Acme", "a text"), ("x", tables.Styled("b\x1b[31m", "red")))

    def test_plain_ones_are_aligned_columns_and_nothing_else(self) -> None:
        lines = tables.render(["name", "what"], self.ROWS, colourful=False).splitlines()
        assert lines == ["name  what", "Acme  a text", r"x     b\x1b[31m"]

    def test_plain_ones_are_never_broken_into_lines(self) -> None:
        table = tables.render(["text"], [["long " * 500]], colourful=False)
        assert len(table.splitlines()) == 2

    def test_for_a_person_they_have_lines_and_colours(self) -> None:
        table = tables.render(["name", "what"], self.ROWS, colourful=True)
        assert "╭" in table
        assert "\x1b[31m" in table

    def test_nothing_in_them_can_command_the_terminal(self) -> None:
        table = tables.render(["name", "what"], self.ROWS, colourful=True)
        assert r"b\x1b[31m" in table
        assert tables.visible("a\nb\r\u202ec\ud800") == "a\nb\\r\\u202ec\\ud800"

    def test_where_the_encoding_has_no_lines_they_are_drawn_in_ascii(self) -> None:
        table = tables.render(["name", "what"], self.ROWS, colourful=True, ascii_only=True)
        assert table.isascii()


class TestOutput:
    @pytest.mark.parametrize(
        ("arguments", "environment"),
        [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {})],
        ids=["--no-color", "NO_COLOR", "not a terminal"],
    )
    def test_is_plain_when_asked_or_not_for_a_person(
        self, tmp_path: Path, arguments: list[str], environment: dict[str, str]
    ) -> None:
        run = djsms("listbackends", *arguments, cwd=tmp_path, environment=environment)
        assert not {"\x1b", "│"} & set(run.stdout)

    def test_no_color_holds_on_a_terminal_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        out = Terminal()
        call_command("listbackends", stdout=out)
        assert "\x1b" not in out.getvalue()

    def test_is_for_a_person_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        out = Terminal()
        call_command("listbackends", stdout=out)
        assert "│" in out.getvalue()

    def test_is_written_whatever_the_encoding_can_express(self, tmp_path: Path) -> None:
        run = djsms("demo", cwd=tmp_path, environment={"PYTHONIOENCODING": "ascii"})
        assert run.returncode == 0
        assert r"pr\xeate" in run.stdout

    def test_traceback_shows_where_an_error_came_from(self, tmp_path: Path) -> None:
        assert "Traceback" in djsms("tidy", "--traceback", cwd=tmp_path).stderr


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def write_project(folder: Path, **settings: object) -> None:
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    (folder / "project.py").write_text("\n".join(["SECRET_KEY = 'x'", "USE_TZ = True", *lines]))
