"""The directive ``rooms``: the modules of each room of djsms, each with what it says of itself."""

import ast
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

import djsms

HOUSE = Path(djsms.__file__).parent


class Rooms(Directive):
    def run(self) -> list[nodes.Node]:
        rooms = [HOUSE, *sorted(init.parent for init in HOUSE.glob("*/__init__.py"))]
        found: list[nodes.Node] = []
        for room in rooms:
            modules = [
                (path.name, _said(path))
                for path in sorted(room.glob("*.py"))
                if path.name != "__init__.py"
            ]
            if modules:
                found += [_heading(room), _list(modules)]
        return found


def _said(path: Path) -> str:
    """The first sentence of a module's docstring."""
    paragraph = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).partition(". ")[0].rstrip(".").replace("``", "")


def _heading(room: Path) -> nodes.Node:
    name = "djsms/" if room == HOUSE else f"djsms/{room.name}/"
    return nodes.paragraph("", "", nodes.literal(text=name))


def _list(modules: list[tuple[str, str]]) -> nodes.Node:
    items = [
        nodes.list_item(
            "", nodes.paragraph("", "", nodes.literal(text=name), nodes.Text(f": {purpose}"))
        )
        for name, purpose in modules
    ]
    return nodes.bullet_list("", *items)


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("rooms", Rooms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
