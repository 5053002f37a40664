"""Plugins bring subcommands of their own, by the entry points of a group."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from distributions import Folder, folder
from django.core.management import call_command
from django.core.management.base import CommandError

from djsms import cli
from djsms.accounts import plugins

GREETS = """
    from django.core.management.base import BaseCommand

    class Command(BaseCommand):
        def add_arguments(self, parser):
            parser.add_argument("whom")

        def handle(self, *, whom, **options):
            self.stdout.write(f"Hello {whom}")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Folder]:
    with folder(tmp_path) as made:
        yield made


def install(installed: Folder, source: str = GREETS) -> None:
    installed.install(
        {"greet": "acme_greeting:Command"}, {"acme_greeting": source}, group=plugins.COMMANDS
    )


# its system checks ask each database which version it is
@pytest.mark.django_db(databases="__all__")
def test_one_runs_under_the_console_script(
    installed: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    install(installed)
    assert cli.main(["greet", "Sam"]) == 0
    assert capsys.readouterr().out == "Hello Sam\n"


def test_one_runs_under_manage_py(installed: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    install(installed)
    call_command("djsms", "greet", "Sam")
    assert capsys.readouterr().out == "Hello Sam\n"


def test_help_names_it_and_where_it_is_from_without_importing_it(installed: Folder) -> None:
    install(installed, "raise RuntimeError")
    assert "From djsms-acme 1.0." in cli.overview()


def test_help_says_what_its_distribution_says_of_itself(installed: Folder) -> None:
    info = installed.install(
        {"greet": "acme_greeting:Command"}, {"acme_greeting": GREETS}, group=plugins.COMMANDS
    )
    with (info / "METADATA").open("a") as metadata:
        metadata.write("Summary: Greets people\n")
    assert "  greet         Greets people (djsms-acme 1.0)" in cli.overview()


def test_one_that_cannot_be_imported_says_so(installed: Folder) -> None:
    install(installed, "import not_there_at_all")
    with pytest.raises(CommandError, match=r"'greet'.*djsms-acme 1\.0.*not_there_at_all"):
        cli.command("greet")


def test_none_takes_the_place_of_ours(
    installed: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.install({"demo": "acme_greeting:Command"}, group=plugins.COMMANDS)
    assert cli.command("demo").__module__ == "djsms.cli.demo"
    assert cli.subcommands()["demo"] == cli.SUBCOMMANDS["demo"]
