"""The conformance kit passes what is good, and fails what is bad by the test that says why."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterable
from pathlib import Path

import pytest
import requests.exceptions
from conformance.rich_sins import RICH_SINS
from conformance.sins import SINS as GOOD_SINS
from conformance.sins import Sin

import djsms.http
import djsms.testing.conformance

pytest_plugins = ("pytester",)

# What is loaded here is not loaded anew by each of the runs within this process.
LOADED = (djsms.http, djsms.testing.conformance, requests.exceptions)

# Tests that most sins leave alone: what they do besides must be well done.
ALWAYS = {"test_accepted", "test_hooks_are_known", "test_samples_are_read_as_expected"}

SINS = {**GOOD_SINS, **RICH_SINS}

HERE = Path(__file__).parent
GOOD = HERE / "good"


@pytest.fixture(autouse=True)
def lone(monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester) -> None:
    """Let the runs within the run load no plugins, and find the good backends."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.syspathinsert(GOOD)
    pytester.syspathinsert()


def advertise(
    folder: Path, distribution: str, name: str, value: str, needs: str = "django-simple-sms>=2,<3"
) -> None:
    """Write what an installed distribution leaves behind."""
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nRequires-Dist: {needs}\n"
    )
    (info / "entry_points.txt").write_text(f"[djsms.backends]\n{name} = {value}\n")


def run(
    pytester: pytest.Pytester, *plugins: object, base: str = "good", **attributes: object
) -> tuple[set[str], set[str]]:
    """Run the conformance test; return the names of the tests that failed and that passed."""
    conformance(pytester, base=base, **attributes)
    # Who sins may leave a socket open, also in a thread that hangs. Whoever runs when it is
    # collected is not to blame.
    lenient = ("-W", "ignore::ResourceWarning") if plugins else ()
    with warnings.catch_warnings():
        if plugins:
            warnings.simplefilter("ignore", ResourceWarning)
        result = pytester.inline_run("-W", "error", *lenient, "-q", plugins=plugins)
        gc.collect()
    passed, _, failed = result.listoutcomes()
    return names(failed), names(passed)


def conformance(pytester: pytest.Pytester, *, base: str = "good", **attributes: object) -> Path:
    """Write the conformance test of a backend that is said to be otherwise than a good one."""
    lines = (HERE / f"{base}_conformance.py").read_text().splitlines()
    lines += [f"    {name} = {value}" for name, value in attributes.items()]
    return pytester.makepyfile(test_backend="\n".join(lines))


def names(reports: Iterable[pytest.TestReport]) -> set[str]:
    return {bare(report.nodeid) for report in reports}


def bare(nodeid: str) -> str:
    """Return the name of a test without its parameters."""
    return nodeid.partition("::")[2].rpartition("::")[2].partition("[")[0]


class Sample:
    """Leaves out what cannot fail with a sin, or only again: many dozens of runs take their time.

    That the good backends pass is the proof that the other tests find no fault where there is none.
    """

    def __init__(self, sin: Sin) -> None:
        self.sin = sin
        self.failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if bare(item.nodeid) in {*self.sin.fails, *ALWAYS}]

    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        return True if bare(item.nodeid) in self.failed else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(bare(report.nodeid))


def test_good_backend_passes(pytester: pytest.Pytester) -> None:
    advertise(pytester.path, "djsms-good", "good", "djsms_good:GoodBackend")
    failed, passed = run(pytester)
    assert not failed
    assert len(passed) == 64


def test_backend_with_tokens_and_questions_passes(pytester: pytest.Pytester) -> None:
    advertise(pytester.path, "djsms-rich", "rich", "djsms_rich:RichBackend")
    failed, passed = run(pytester, base="rich")
    assert not failed
    assert len(passed) == 79


def test_backend_without_any_library_passes(pytester: pytest.Pytester) -> None:
    advertise(pytester.path, "djsms-plain", "plain", "djsms_plain:PlainBackend")
    failed, passed = run(pytester, name="'plain'", forged_callbacks=())
    assert not failed
    assert {"test_answer", "test_cut_off", "test_nothing_is_sent_twice"} <= passed


def test_hooks_that_are_not_there_are_named(pytester: pytest.Pytester) -> None:
    advertise(pytester.path, "djsms-plain", "plain", "djsms_plain:PlainBackend")
    result = pytester.runpytest_inprocess("-rs", conformance(pytester, name="'plain'"))
    for hook in ("parse_callback", "parse_incoming", "webhook_addresses", "check"):
        result.stdout.fnmatch_lines([f"SKIPPED*plain does not implement {hook}()"])


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"name": "''"}, "*Set name = * to the backend's name.*"),
        ({"name": "'missing'"}, "*No installed distribution has a backend named 'missing'.*"),
        ({"secrets": ["tokn"]}, "*secrets names 'tokn', which the fixture options lacks.*"),
        ({"answers": "{}"}, "*The backend sends over HTTP, but answers is empty.*"),
        ({"answers": "{'refused': Answer(400)}"}, '*answers lacks "accepted"*'),
        ({"answers": "{'accepted': Answer(202, {'id': NEW_ID})}"}, '*answers lacks "refused"*'),
        (
            {"answers": "{'accepted': lambda request: request.nothing, 'refused': Answer(400)}"},
            "*making one failed*",
        ),
        (
            {"answers": "{'accepted': Answer(202, {'id': '1'})}"},
            "*gives each message the same id*NEW_ID*",
        ),
        ({"answers": "{'accpted': Answer(202)}"}, "*answers has accpted; it takes accepted, *"),
        ({"sign": "BackendConformance.sign"}, "*the test has no sign()*"),
        ({"sign": "lambda self, request: request"}, "*sign() adds neither a header*"),
        ({"callback_samples": "()"}, "*callback_samples is empty: record what*"),
    ],
)
def test_what_is_missing_is_said(
    pytester: pytest.Pytester, attributes: dict[str, object], words: str
) -> None:
    advertise(pytester.path, "djsms-good", "good", "djsms_good:GoodBackend")
    result = pytester.runpytest_inprocess(
        "-k",
        "repr or accepted or answer or distinct or samples or sign",
        conformance(pytester, **attributes),
    )
    result.stdout.fnmatch_lines([words])


# a run of pytest for each: minutes in all
@pytest.mark.live
@pytest.mark.parametrize("name", SINS)
def test_sin_is_found(pytester: pytest.Pytester, name: str) -> None:
    sin = SINS[name]
    package = pytester.mkpydir("djsms_bad")
    (package / "__init__.py").write_text(sin.module)
    if sin.typed:
        (package / "py.typed").touch()
    for distribution in sin.advertised:
        advertise(pytester.path, distribution, "bad", "djsms_bad:BadBackend", sin.needs)
    failed, _ = run(pytester, Sample(sin), base=sin.base, name="'bad'", **sin.conformance)
    assert failed == sin.fails
