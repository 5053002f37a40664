"""The page for contributors names the rooms and modules that there are, and forgets no room."""

import ast
import re
from pathlib import Path

import pytest

import djsms

ROOT = Path(__file__).parents[1]
HOUSE = Path(djsms.__file__).parent
PAGE = (ROOT / "docs" / "contributing.md").read_text()
DRAWING = (ROOT / "docs" / "drawings" / "way-of-a-text.dot").read_text()


def rooms_told() -> list[str]:
    """The rooms in the first cells of the page's table."""
    cells = re.findall(r"^\| (`\w+/`[^|]*)\|", PAGE, re.M)
    return [name for cell in cells for name in re.findall(r"`(\w+)/`", cell)]


def drawn() -> list[str]:
    """The modules in the drawing, each in its room."""
    found = []
    room = ""
    for line in DRAWING.splitlines():
        if cluster := re.match(r' +label="(\w+/)"', line):
            room = cluster[1]
        elif line == "    }":
            room = ""
        elif module := re.search(r'label="(\w+\.py)', line):
            found.append(room + module[1])
    return found


def test_every_room_is_in_the_table() -> None:
    folders = [path.name for path in HOUSE.iterdir() if path.is_dir()]
    assert sorted(rooms_told()) == sorted(set(folders) - {"__pycache__"})


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", PAGE))))
def test_what_it_names_is_there(path: str) -> None:
    assert (ROOT / path).exists() or (HOUSE / path.removeprefix("djsms/")).exists()


@pytest.mark.parametrize("path", drawn())
def test_what_is_drawn_is_there(path: str) -> None:
    assert (HOUSE / path).is_file()


def test_nothing_drawn_is_overlooked() -> None:
    assert {"models.py", "receiving/reports.py", "ledger/statuses.py"} <= set(drawn())


@pytest.mark.parametrize("path", re.findall(r'ARGS="([\w/.-]+/[\w/.-]+)', PAGE))
def test_its_commands_run_what_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(
    "module",
    [
        path
        for path in sorted(HOUSE.rglob("*.py"))
        if path.read_text().strip() and "migrations" not in path.parts
    ],
    ids=lambda path: str(path.relative_to(HOUSE)),
)
def test_every_module_says_what_it_is_for(module: Path) -> None:
    """The list of modules on the page is made of it."""
    assert ast.get_docstring(ast.parse(module.read_text()))
