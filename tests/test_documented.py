"""What has a name that users meet is documented: found in the code, looked for in the docs."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

import djsms
from djsms import Status, cli, conf, exceptions, hookspecs
from djsms.accounts import plugins
from djsms.cli import results
from djsms.cli.streams import INTERRUPTED, OUTPUT_LOST, READER_GONE
from djsms.exceptions import SendError
from djsms.models import StatusEvent, TextMessage
from djsms.sending.outcomes import status_after

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
READMES = {readme.parent.name: readme for readme in (ROOT / "plugins").glob("*/README.md")}

OUR_BACKENDS = [
    entry
    for entry in plugins.installed()
    if entry.dist is not None and entry.dist.name in {"django-simple-sms", *READMES}
]


def page(name: str) -> str:
    return (DOCS / name).read_text()


def everything() -> str:
    return "\n".join(path.read_text() for path in [*DOCS.glob("**/*.md"), *READMES.values()])


def sources(package: Any) -> str:
    """The whole source of an installed package, wherever it is."""
    return "\n".join(path.read_text() for path in Path(package.__file__).parent.rglob("*.py"))


def rows(text: str) -> dict[str, list[str]]:
    """The further cells of each table row, by the names in its first cell."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("|"):
            first, *others = (cell.strip() for cell in line.strip("|").split("|"))
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", first), others)
    return found


def settings_read() -> list[str]:
    return sorted(set(re.findall(r"\bDJSMS_[A-Z_]+", inspect.getsource(conf))))


def check_ids(package: Any, prefix: str) -> list[str]:
    return sorted(set(re.findall(rf"\b{prefix}\.[CDEIW]\d{{3}}\b", sources(package))))


def packages() -> list[Any]:
    modules = {entry.module.partition(".")[0] for entry in OUR_BACKENDS}
    return [__import__(module) for module in sorted(modules | {"djsms"})]


def hooks() -> list[str]:
    return [name for name, value in vars(hookspecs).items() if hasattr(value, "djsms_spec")]


@pytest.mark.parametrize("name", settings_read())
def test_setting(name: str) -> None:
    assert re.search(rf"^`{name}`$", page("settings.md"), re.M)


@pytest.mark.parametrize("name", hooks())
def test_hook(name: str) -> None:
    assert f"`{name}`" in page("backends.md")


def test_no_hook_is_overlooked() -> None:
    assert {"send", "parse_callback", "parse_incoming", "check"} <= set(hooks())


@pytest.mark.parametrize("status", Status)
def test_status(status: Status) -> None:
    explanation, final = rows(page("status-reports.md"))[status.value]
    assert explanation == status.explanation
    assert final == ("yes" if status.is_final else "")


@pytest.mark.parametrize("name", exceptions.__all__)
def test_exception(name: str) -> None:
    """Each is explained in a table, and stands in the tree where it stands in the code."""
    errors = page("errors.md")
    abstract = ("TextMessageError", "SendError")
    assert name in rows(errors) or (name in abstract and f"`{name}`" in errors)
    parent = vars(exceptions)[name].__bases__[0]
    assert parents(errors)[name] == (None if parent is Exception else parent.__name__)


def parents(errors: str) -> dict[str, str | None]:
    """The tree of exceptions as it is drawn: by each name, the one above it."""
    found: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for margin, name in re.findall(r"^ {4}([ │├└─]*)(\w+)", errors.partition("\n## ")[0], re.M):
        above = [(column, other) for column, other in above if column < len(margin)]
        found[name] = above[-1][1] if above else None
        above.append((len(margin), name))
    return found


def test_the_tree_has_no_other_exceptions() -> None:
    assert set(parents(page("errors.md"))) == {*exceptions.__all__, ImproperlyConfigured.__name__}


@pytest.mark.parametrize(
    "error",
    [
        error
        for name in exceptions.__all__
        if issubclass(error := vars(exceptions)[name], SendError) and error is not SendError
    ],
)
def test_outcome(error: type[SendError]) -> None:
    status, *_ = rows(page("errors.md"))[error.__name__]
    assert status == f"`{status_after(error())}`"


@pytest.mark.parametrize("id", [i for p in packages() for i in check_ids(p, p.__name__)])
def test_system_check(id: str) -> None:
    assert id in rows(page("settings.md"))


@pytest.mark.parametrize("name", cli.SUBCOMMANDS)
def test_subcommand(name: str) -> None:
    assert re.search(rf"\bdjsms {name}\b", everything())


@pytest.mark.parametrize(
    ("readme", "option"),
    [
        pytest.param(READMES[entry.dist.name], option, id=f"{entry.name}-{option}")
        for entry in OUR_BACKENDS
        if entry.dist is not None and entry.dist.name in READMES
        for option in inspect.signature(entry.load()).parameters
    ],
)
def test_option(readme: Path, option: str) -> None:
    assert option in rows(readme.read_text())


@pytest.mark.parametrize("entry", OUR_BACKENDS, ids=lambda entry: entry.name)
def test_backend(entry: Any) -> None:
    assert entry.name in rows(page("backends.md"))
    assert entry.name in rows((ROOT / "README.md").read_text())


@pytest.mark.parametrize("model", [TextMessage, StatusEvent])
def test_model_fields(model: Any) -> None:
    section = page("api.md").partition(f"### {model.__name__}")[2].partition("\n#")[0]
    assert {field.name for field in model._meta.get_fields()} - {"id"} == set(rows(section))


@pytest.mark.parametrize("name", djsms.__all__)
def test_public_name(name: str) -> None:
    assert re.search(rf"\b{name}\b", everything())


@pytest.mark.parametrize("code", [0, 1, 2, OUTPUT_LOST, INTERRUPTED, READER_GONE])
def test_exit_code(code: int) -> None:
    assert re.search(rf"^\| {code} \|", page("commands.md"), re.M)


def test_columns_of_results() -> None:
    section = page("commands.md").partition("### To many")[2].partition("\n## ")[0]
    assert tuple(rows(section)) == results.COLUMNS
