"""The examples of the documentation, run as they stand.

The Python blocks of a page are one story, run from top to bottom in one namespace. What a block is
its first line says: ``# settings.py`` is applied, and every account in it has to come about;
``# urls.py`` becomes the root URLconf; ``# shop/models.py`` becomes an installed app with its
tables; ``# shop/apps.py`` is ready at once; ``# shop/anything.py`` becomes that module; a Django
template becomes the file that its first line names; all else just runs. Settings that name
``DJSMS_BACKEND`` take the place of those before them. A line such as ``message.status  # "sent"``
claims the value. Backends that a TOML
block declares are found. Nothing gets out: what would call a provider is accepted here.

With the comment ``% examples: shown only`` the Python blocks of a page must compile, and no more.
"""

import ast
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.core.cache import cache
from django.db import connection
from django.db.models import Model
from django.db.models.signals import post_save

from djsms import SendResult, conf, exceptions, hookimpl, send_text
from djsms.accounts import gateways, plugins
from djsms.accounts.addresses import webhook_url
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable
from djsms.http import HTTPBackend
from djsms.models import TextMessage

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    *sorted(DOCS.glob("*.md")),
    *sorted((DOCS / "recipes").glob("*.md")),
]
FENCE = re.compile(
    r"^(?P<indent> *)(?P<mark>```+)(?P<info>[\w.+-]*)[^\n`]*\n(?P<code>.*?)^ *(?P=mark)$",
    re.M | re.S,
)
SHOWN_ONLY = "% examples: shown only"
CLAIM = re.compile(r"^(?P<expression>\S.*?)  # (?P<value>.+)$")
PLACE = re.compile(r"# ((?:\w+/)*\w+\.py)\n")
TEMPLATE = re.compile(r"\{# ((?:\w+/)*\w+\.\w+) #\}")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    info: str
    code: str

    @property
    def place(self) -> str:
        """The file that the block belongs into, if it says so."""
        found = PLACE.match(self.code)
        return found[1] if found else ""

    def compiled(self, mode: str = "exec", source: ast.AST | None = None) -> types.CodeType:
        tree = source or self.tree()
        return compile(
            tree, str(self.page), mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
        )

    def tree(self) -> ast.Module:
        # tracebacks then point to the page's own lines
        source = "\n" * (self.line - 1) + self.code
        return compile(
            source, str(self.page), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )


def blocks_of(page: Path) -> list[Block]:
    source = page.read_text()
    return [
        Block(
            page=page,
            line=source.count("\n", 0, found.start("code")) + 1,
            info=found["info"],
            code=inspect.cleandoc(found["code"]) + "\n" if found["indent"] else found["code"],
        )
        for found in FENCE.finditer(source)
    ]


def pages_with(info: str, needle: str = "") -> list[Any]:
    return [
        pytest.param(page, id=str(page.relative_to(ROOT).with_suffix("")))
        for page in PAGES
        if any(block.info == info and needle in block.code for block in blocks_of(page))
    ]


class Reader:
    """Somebody who types a page's examples into a project."""

    def __init__(self, settings: Any, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.settings = settings
        self.monkeypatch = monkeypatch
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "page"}
        self.configured: set[str] = set()
        self.models: list[type[Model]] = []

    def follow(self, block: Block) -> None:
        if block.info == "toml":
            self.install(tomllib.loads(block.code))
        elif block.place.endswith("settings.py"):
            self.configure(self.run(block, {"BASE_DIR": self.folder}))
        elif block.place.endswith("urls.py"):
            self.module("page_urls", block)
            self.settings.ROOT_URLCONF = "page_urls"
        elif block.place == "shop/models.py":
            self.app("shop", block)
        elif block.place == "shop/apps.py":
            self.module("shop.apps", block)
            sys.modules["shop.apps"].ShopConfig.ready(None)
        elif block.info == "django":
            self.template(block)
        elif block.place:
            self.module(block.place.removesuffix(".py").replace("/", "."), block)
        else:
            self.run(block, self.names)

    def run(self, block: Block, names: dict[str, Any]) -> dict[str, Any]:
        for name in re.findall(r'os\.environ\["(\w+)"\]', block.code):
            self.monkeypatch.setenv(name, "an-example")
        lines = dict(enumerate(block.code.splitlines(), start=block.line))
        for statement in block.tree().body:
            claimed = CLAIM.match(lines[statement.end_lineno or 0])
            if (
                isinstance(statement, ast.Expr)
                and claimed
                and (value := literal(claimed["value"])) is not None
            ):
                code = block.compiled("eval", ast.Expression(statement.value))
                assert evaluated(code, names) == value[0], f"{block.page.name}:{statement.lineno}"
            else:
                evaluated(block.compiled(source=ast.Module([statement], [])), names)
        return names

    def configure(self, names: dict[str, Any]) -> None:
        # who names the backend anew begins anew
        if "DJSMS_BACKEND" in names:
            for name in self.configured:
                delattr(self.settings, name)
            self.configured.clear()
        for name, value in names.items():
            if name == "INSTALLED_APPS":
                assert "djsms" in value
            elif name.isupper() and name != "BASE_DIR":
                if isinstance(value, list) and ... in value:
                    value = [*getattr(self.settings, name), *value[1:]]
                setattr(self.settings, name, value)
                self.configured.add(name)
        for alias in conf.accounts():
            gateways.get(alias)

    def module(self, name: str, block: Block) -> None:
        parent, _, child = name.rpartition(".")
        if parent and parent not in sys.modules:
            self.monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
        module = types.ModuleType(name)
        self.monkeypatch.setitem(sys.modules, name, module)
        if parent:
            self.monkeypatch.setattr(sys.modules[parent], child, module, raising=False)
        self.run(block, module.__dict__)

    def app(self, name: str, block: Block) -> None:
        """Install an app with these models, and make their tables."""
        folder = self.folder / name
        folder.mkdir()
        (folder / "models.py").write_text(block.code)
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        self.monkeypatch.setitem(sys.modules, name, package)
        importlib.invalidate_caches()
        self.settings.INSTALLED_APPS = [*self.settings.INSTALLED_APPS, name]
        self.models = list(apps.get_app_config(name).get_models())
        with connection.schema_editor() as editor:
            for model in self.models:
                editor.create_model(model)

    def close(self) -> None:
        if not self.models:
            return
        with connection.schema_editor() as editor:
            for model in reversed(self.models):
                editor.delete_model(model)
        # what apps keep for good, and Python
        for label in {model._meta.app_label for model in self.models}:
            del apps.all_models[label]
            del sys.modules[f"{label}.models"]

    def template(self, block: Block) -> None:
        place = TEMPLATE.match(block.code)
        assert place, f"{block.page.name}:{block.line} does not say which file it is"
        file = self.folder / "templates" / place[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.code.partition("\n")[2])

    def install(self, metadata: dict[str, Any]) -> None:
        """Install what a ``pyproject.toml`` declares, as far as finding its backends goes."""
        groups = metadata.get("project", {}).get("entry-points", {})
        if not groups:
            return
        info = self.folder / "page-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: page\nVersion: 1.0\n")
        lines = [
            line
            for group, entries in groups.items()
            for line in [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
        ]
        (info / "entry_points.txt").write_text("\n".join(lines))
        self.monkeypatch.syspath_prepend(self.folder)
        importlib.invalidate_caches()


def literal(value: str) -> tuple[Any] | None:
    try:
        return (ast.literal_eval(value),)
    except (SyntaxError, ValueError):
        return None


def evaluated(code: types.CodeType, names: dict[str, Any]) -> Any:
    value = eval(code, names)
    if code.co_flags & inspect.CO_COROUTINE:

        async def finished() -> Any:
            return await value

        return async_to_sync(finished)()
    return value


@pytest.fixture
def reader(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Reader]:
    @hookimpl
    def send(self: object, message: object) -> SendResult:
        return SendResult.accepted("example")

    for entry in plugins.installed():
        backend = entry.load()
        if isinstance(backend, type) and issubclass(backend, HTTPBackend):
            monkeypatch.setattr(backend, "send", send)
    receivers = list(post_save.receivers)
    if django.VERSION < (6, 0):
        # what the page on tasks says of it
        monkeypatch.setitem(sys.modules, "django.tasks", importlib.import_module("django_tasks"))
    reader = Reader(settings, monkeypatch, tmp_path)
    yield reader
    reader.close()
    cache.clear()
    post_save.receivers[:] = receivers
    post_save.sender_receivers_cache.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", pages_with("python"))
def test_examples_run(page: Path, reader: Reader) -> None:
    shown_only = SHOWN_ONLY in page.read_text()
    for block in blocks_of(page):
        if block.info == "python" and shown_only:
            block.compiled()
        elif block.info in ("python", "toml", "django"):
            reader.follow(block)


@pytest.mark.django_db(transaction=True)
def test_receivers_hear(reader: Reader, client: Any) -> None:
    for block in blocks_of(ROOT / "docs" / "status-reports.md"):
        if block.info == "python":
            reader.follow(block)
    message = send_text("Ready.", "+447700900000", "+447700900123", status_report=True)
    for kind, values in {
        "callback": {"ref": message.ref, "status": "delivered"},
        "incoming": {"frm": "+447700900123", "to": "+447700900000", "text": "Coming!"},
    }.items():
        path = webhook_url("default", kind).removeprefix("https://example.com")
        assert client.post(path, values, content_type="application/json").status_code == 200
    assert sys.modules["shop.receivers"].done == [
        f"{message.ref} arrived",
        "+447700900123 wrote 'Coming!'",
    ]
    answer = TextMessage.objects.latest("pk")
    assert (answer.text, answer.to) == ("Thank you!", "+447700900123")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("error", "account", "status"),
    [(TemporarilyUnavailable, "kannel", "sending"), (OutcomeUnknown, "nexmo", "unknown")],
)
def test_failover(
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    account: str,
    status: str,
) -> None:
    for block in blocks_of(ROOT / "docs" / "backends.md"):
        if block.info in ("python", "toml"):
            reader.follow(block)
    asked = []

    @hookimpl
    def fail(self: object, message: object) -> SendResult:
        asked.append("nexmo")
        raise error("Down for the day.")

    @hookimpl
    def accept(self: object, message: object) -> SendResult:
        asked.append("kannel")
        return SendResult.accepted("example")

    monkeypatch.setattr(plugins.load("nexmo"), "send", fail)
    monkeypatch.setattr(plugins.load("kannel"), "send", accept)
    gateways.clear()
    assert send_text("Ready.", "Bistro", "+447700900123").status == status
    assert asked[-1] == account


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("page", pages_with("sh", "curl "))
def test_curl_commands_work(page: Path, live_server: Any, settings: Any, tmp_path: Path) -> None:
    """Each command prints what the comment under it says, against a running project."""
    if not (shutil.which("curl") and shutil.which("bash")):
        pytest.skip("no curl, or no bash")
    settings.DJSMS_BACKEND = "console"
    settings.DJSMS_BASE_URL = live_server.url
    message = send_text(
        "Your table is ready.", "+447700900000", "+447700900123", status_report=True
    )
    written = "\n".join(
        b.code
        for b in blocks_of(page)
        if b.info == "sh" and ("curl " in b.code or "CALLBACK=" in b.code)
    )
    script = re.sub(r"(?m)^CALLBACK=.*$", f"CALLBACK={webhook_url('default', 'callback')}", written)
    script = re.sub(r"(?m)^INCOMING=.*$", f"INCOMING={webhook_url('default', 'incoming')}", script)
    script = re.sub(r"(?m)^REF=.*$", f"REF={message.ref}", script)
    script = script.replace("http://localhost:8000", live_server.url)
    ran = subprocess.run(
        ["bash", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == re.findall(r"(?m)^# (\d{3})\b", written)
    message.refresh_from_db()
    assert message.status == "delivered"
    assert TextMessage.objects.filter(direction="incoming").count() == 1


def test_alerts_watch_figures_that_there_are() -> None:
    [rules] = [
        block.code
        for block in blocks_of(DOCS / "recipes" / "monitoring.md")
        if block.info == "yaml"
    ]
    known = set(re.findall(r"`(djsms_\w+)`", (DOCS / "operating.md").read_text()))
    assert set(re.findall(r"\bdjsms_\w+", rules)) <= known
    assert set(re.findall(r'outcome="(\w+)"', rules)) <= set(exceptions.__all__)


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.stem)
def test_what_the_repositorys_own_pages_lead_to_is_there(page: Path) -> None:
    """Sphinx looks after those in docs/."""
    source = page.read_text()
    links = re.findall(r"\]\(([^)#]+)", source) + re.findall(r'(?:src|srcset)="([^"]+)"', source)
    assert [link for link in links if ":" not in link and not (ROOT / link).exists()] == []
