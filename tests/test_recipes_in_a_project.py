"""Recipes with receivers, models or addresses, followed step by step in a new project.

What a page does not tell its reader to do is not done: nothing is imported, installed or migrated
here but by the page's own blocks and commands.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_docs import CLAIM, DOCS, Block, blocks_of, literal

COMMAND = "$ python manage.py "
BEGUN = """
INSTALLED_APPS = [*INSTALLED_APPS, "djsms"]
DJSMS_BACKEND = "console"
DJSMS_BASE_URL = "http://localhost:8000"
"""
NEEDS_A_PROJECT = ("@receiver(", "models.Model)", "# urls.py")


def recipes() -> list[Path]:
    pages = sorted((DOCS / "recipes").glob("*.md"))
    return [page for page in pages if any(words in page.read_text() for words in NEEDS_A_PROJECT)]


class Newcomer:
    """Somebody with a new project, an empty app in it, and djsms as its first pages say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.call("-m", "django", "startproject", "project", ".")
        self.manage("startapp", "shop")
        self.add_settings(BEGUN)
        self.manage("migrate")

    def follow(self, block: Block) -> None:
        if block.info == "console":
            for line in block.code.splitlines():
                if line.startswith(COMMAND):
                    self.manage(*line.removeprefix(COMMAND).split())
        elif block.place == "settings.py":
            self.add_settings(block.code.replace("[...,", "[*INSTALLED_APPS,"))
        elif block.place == "urls.py":
            (self.folder / "project" / "urls.py").write_text(block.code)
        elif block.place:
            (self.folder / block.place).write_text(block.code)
        elif block.info == "python":
            self.type(block)

    def add_settings(self, code: str) -> None:
        with (self.folder / "project" / "settings.py").open("a") as settings:
            settings.write(f"\n{code}\nINSTALLED_APPS = list(dict.fromkeys(INSTALLED_APPS))\n")

    def type(self, block: Block) -> None:
        """Type a block into the project's shell, and see that it prints what the page claims."""
        lines = block.code.splitlines()
        typed = []
        for statement in ast.parse(block.code).body:
            source = ast.unparse(statement)
            claimed = CLAIM.match(lines[(statement.end_lineno or 1) - 1])
            if claimed and isinstance(statement, ast.Expr):
                value = literal(claimed["value"])
                if value is not None:
                    source = f"assert ({source}) == {value[0]!r}, {source!r}"
            typed.append(source)
        self.manage("shell", "-c", "\n".join(typed))

    def manage(self, *words: str) -> None:
        self.call("manage.py", *words)

    def call(self, *words: str) -> None:
        own = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        ran = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=own,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, f"{' '.join(words)}\n{ran.stdout}\n{ran.stderr}"


@pytest.mark.parametrize("page", recipes(), ids=lambda page: page.stem)
def test_recipe_works_for_whoever_does_what_it_says_and_no_more(page: Path, tmp_path: Path) -> None:
    newcomer = Newcomer(tmp_path)
    for block in blocks_of(page):
        newcomer.follow(block)
