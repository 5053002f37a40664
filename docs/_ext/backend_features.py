"""The directive ``backend-features``: what each installed backend implements, as a table.

Nobody keeps such a table up to date by hand: it is read off the classes.
"""

from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

from djsms.accounts import plugins
from djsms.backends import BaseBackend

HEADINGS = (
    "backend",
    "distribution",
    "sends",
    "status reports",
    "incoming texts",
    "can be asked",
    "balance",
    "proves webhooks",
    "chooses the originator",
    "system checks",
)
HOOKS = ("send", "parse_callback", "parse_incoming", "fetch_reports", "fetch_balance")


class BackendFeatures(Directive):
    def run(self) -> list[nodes.Node]:
        rows = [_cells(entry) for entry in plugins.installed()]
        table = nodes.table(classes=["colwidths-auto", "features"])
        group = nodes.tgroup(cols=len(HEADINGS))
        table += group
        group += [nodes.colspec(colwidth=14) for _ in HEADINGS]
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]
        head += _row(HEADINGS)
        body += [_row(row) for row in rows]
        return [table]


def _cells(entry: Any) -> list[str]:
    backend = plugins.import_from(entry)
    implemented = plugins.implemented_hooks(backend)
    distribution, version = plugins.distribution(entry)
    return [
        entry.name,
        f"{distribution} {version}",
        *(_mark(hook in implemented) for hook in HOOKS),
        _mark(_declares(backend, "verifies_webhooks")),
        _mark(_declares(backend, "chooses_originator")),
        _mark("check" in implemented),
    ]


def _declares(backend: Any, feature: str) -> bool:
    return getattr(backend, feature, None) is not getattr(BaseBackend, feature)


def _mark(has: bool) -> str:
    return "✓" if has else ""


def _row(cells: Any) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", nodes.paragraph(text=cell))
    return row


def setup(app: Any) -> dict[str, bool]:
    app.add_directive("backend-features", BackendFeatures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
