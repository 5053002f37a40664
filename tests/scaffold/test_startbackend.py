"""From ``djsms startbackend`` to a backend that passes all tests, as an author goes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import metadata
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from django.core.management import CommandError, call_command

HERE = Path(__file__).parent
ACME = HERE / "acme"
CLOUD = HERE / "cloud"
KINDS = [(auth, webhooks) for auth in ("key", "basic", "token") for webhooks in ("token", "signed")]
FILES = """
    .github/workflows/ci.yml .gitignore CHANGELOG.md LICENSE README.md djsms_acme/__init__.py
    djsms_acme/py.typed pyproject.toml tests/test_acme_conformance.py
"""
DONE_FROM_THE_START = """
    test_answers_are_known test_constructor_needs_no_network test_distribution_says_what_it_needs
    test_features_are_yes_or_no
    test_hooks_are_annotated_as_specified test_hooks_are_known
    test_hooks_take_the_specified_arguments test_import_needs_no_settings
    test_limits_are_required test_log_holds_no_secret test_made_twice_from_the_same_options
    test_missing_option_is_refused test_one_distribution_has_the_name test_package_is_typed
    test_pickle_holds_no_secret test_raw_holds_no_secret test_repr_holds_no_secret
    test_unknown_option_is_refused test_verifies_webhooks_is_yes_or_no
"""
HOOKS = ["send", "parse_callback", "parse_incoming"]


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A distribution, just begun."""
    call_command("djsms", "startbackend", "acme", str(tmp_path))
    return tmp_path / "djsms-acme"


def test_writes_a_distribution(folder: Path) -> None:
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(FILES.split())


def test_leaves_no_placeholder(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"\$(?!\{\{)", text), path
            assert "${{ matrix.python }}" in text or path.name != "ci.yml"


def test_names_follow_from_the_argument(tmp_path: Path) -> None:
    call_command("djsms", "startbackend", "acme-cloud", str(tmp_path), verbosity=0)
    folder = tmp_path / "djsms-acme-cloud"
    metadata = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert metadata["name"] == "djsms-acme-cloud"
    assert metadata["entry-points"]["djsms.backends"] == {
        "acme-cloud": "djsms_acme_cloud:AcmeCloudBackend"
    }
    assert metadata["dependencies"] == ["django-simple-sms[http]>=2.0.0,<3"]
    assert "class AcmeCloudBackend(" in (folder / "djsms_acme_cloud/__init__.py").read_text()
    test = (folder / "tests/test_acme_cloud_conformance.py").read_text()
    assert "class TestAcmeCloud(BackendConformance)" in test
    assert (
        'ACME_CLOUD_API_KEY = os.environ["ACME_CLOUD_API_KEY"]'
        in (folder / "README.md").read_text()
    )


def test_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("djsms", "startbackend", "acme", str(tmp_path))
    printed = capsys.readouterr().out
    assert f"{tmp_path}/djsms-acme/pyproject.toml" in printed
    assert f"cd {tmp_path}/djsms-acme\n" in printed


def test_links_to_nobody_who_may_move(folder: Path) -> None:
    """A package index, for one, is the reader's own choice."""
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    hosts = {host for text in texts for host in re.findall(r"https?://([\w.-]+)", text)}
    assert hosts == {"api.example.com", "keepachangelog.com", "semver.org"}


def test_workflow_runs_the_kit_on_every_python_of_the_core(folder: Path) -> None:
    workflow = yaml.safe_load((folder / ".github/workflows/ci.yml").read_text())
    job = workflow["jobs"]["test"]
    pythons = [run["python"] for run in job["strategy"]["matrix"]["include"]]
    classifiers = metadata("django-simple-sms").get_all("Classifier") or []
    assert pythons == re.findall(r"Python :: (3\.\d+)", " ".join(classifiers))
    # YAML takes a bare 3.10 for 3.1, and a bare word "on" for true
    assert all(isinstance(python, str) for python in pythons)
    assert set(workflow[True]) == {"push", "pull_request"}
    installing, testing = job["steps"][-2:]
    assert "--group test -e ." in installing["run"]
    assert testing["run"] == "python -m pytest"
    paths = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    [conformance] = folder.glob(f"{paths['testpaths'][0]}/test_*_conformance.py")
    assert "BackendConformance" in conformance.read_text()


def test_half_a_distribution_does_not_stay(tmp_path: Path) -> None:
    """On a full disk, for instance: a file-size limit of the process stands for it."""
    script = (
        "import resource, signal, sys; from djsms.cli import main; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); "
        "main(['startbackend', 'acme', sys.argv[1]])"
    )
    done = run(tmp_path, "-c", script, str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["acme", "{tmp}"], "djsms-acme is there already"),
        (["memory", "{tmp}"], "a backend 'memory' already"),
        (["Acme", "{tmp}"], "Would 'acme' do?"),
        (["other", "{tmp}/nowhere"], "There is no folder"),
    ],
)
def test_refuses(tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "djsms-acme").mkdir()
    arguments = [argument.format(tmp=tmp_path) for argument in arguments]
    with pytest.raises(CommandError, match=re.escape(words)):
        call_command("djsms", "startbackend", *arguments)
    assert list(tmp_path.rglob("*")) == [tmp_path / "djsms-acme"]


def test_fixture_is_the_scaffold_filled_in(folder: Path) -> None:
    """What the tutorial shows is what an author gets, and not what one got once."""
    assert_filled_in(folder / "djsms_acme/__init__.py", ACME / "backend.py")
    assert_filled_in(folder / "tests/test_acme_conformance.py", ACME / "conformance.py")


def assert_filled_in(begun: Path, filled_in: Path) -> None:
    kept = filled_in.read_text().splitlines()
    for line in begun.read_text().splitlines():
        is_a_task = re.search(r"NotImplementedError|samples|Answer\(|# (What|Replace)", line)
        is_an_import = line.startswith("from ")
        assert is_a_task or is_an_import or line in kept


def require_good_format(folder: Path) -> None:
    ruff = shutil.which("ruff", path=Path(sys.executable).parent)
    if ruff is None:
        pytest.skip("ruff is not installed")
    for command in (["format", "--check"], ["check", "--select", "E,F,I,UP"]):
        # within the folder, or ruff takes djsms for a package of the author's own
        options = ["--isolated", "--line-length", "100"]
        subprocess.run([ruff, *command, *options], cwd=folder, check=True)


def test_to_do_list_and_its_end(folder: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(folder, site)
    [row] = [row for row in backends(site) if row["name"] == "acme"]
    assert (row["distribution"], row["version"], row["problem"]) == ("djsms-acme", "0.1.0", "")
    assert row["hooks"] == HOOKS

    failed, skipped, passed = outcome(folder, site)
    assert failed == Counter({"test_hook_is_written": 3})
    assert {"test_sends", "test_samples_are_read_as_expected"} <= skipped.keys()
    assert passed.keys() == {*DONE_FROM_THE_START.split()}

    shutil.copy(ACME / "backend.py", folder / "djsms_acme" / "__init__.py")
    shutil.copy(ACME / "conformance.py", folder / "tests" / "test_acme_conformance.py")
    shutil.copy(ACME / "conformance.py", folder / "tests" / "acme_conformance.py")
    shutil.copy(ACME / "own.py", folder / "tests" / "own.py")
    install(folder, site)
    done = run(site, "-m", "pytest", "tests/own.py", "-k", "unharmed", cwd=folder)
    assert "1 passed" in done.stdout
    failed, skipped, passed = outcome(folder, site)
    assert not failed
    # What is of signatures, tokens and questions, and all of hooks that are not there.
    assert {"test_sign_is_written", "test_token_is_kept", "test_check"} <= skipped.keys()
    assert set(passed) >= {"test_sends", "test_samples_are_read_as_expected", "test_cut_off"}


@pytest.mark.parametrize(("auth", "webhooks"), KINDS)
def test_each_kind_is_well_formatted(tmp_path: Path, auth: str, webhooks: str) -> None:
    begin_cloud(tmp_path, auth, webhooks)
    require_good_format(tmp_path / "djsms-acme-cloud")


@pytest.mark.parametrize(("auth", "webhooks"), [("basic", "token"), ("token", "signed")])
def test_each_kind_has_its_hooks_left_to_do(tmp_path: Path, auth: str, webhooks: str) -> None:
    begin_cloud(tmp_path, auth, webhooks)
    folder, site = tmp_path / "djsms-acme-cloud", tmp_path / "site"
    install(folder, site)
    failed, _, passed = outcome(folder, site)
    assert failed == Counter({"test_hook_is_written": 3})
    assert passed.keys() >= {*DONE_FROM_THE_START.split()}


def test_second_tutorial_is_the_scaffold_filled_in(tmp_path: Path) -> None:
    begin_cloud(tmp_path, "token", "signed")
    folder, site = tmp_path / "djsms-acme-cloud", tmp_path / "site"
    module = folder / "djsms_acme_cloud" / "__init__.py"
    conformance = folder / "tests" / "test_acme_cloud_conformance.py"
    for begun, filled_in in ((module, "backend.py"), (conformance, "conformance.py")):
        assert_filled_in(begun, CLOUD / filled_in)
    shutil.copy(CLOUD / "backend.py", module)
    shutil.copy(CLOUD / "conformance.py", conformance)
    install(folder, site)
    failed, _, passed = outcome(folder, site)
    assert not failed
    assert passed.keys() >= {
        "test_all_in_a_list_are_read",
        "test_answer_is_read",
        "test_each_key_will_do",
        "test_refused_token_is_renewed",
        "test_signed_time_is_looked_at",
    }


def begin_cloud(tmp_path: Path, auth: str, webhooks: str) -> None:
    arguments = ["acme-cloud", str(tmp_path), "--auth", auth, "--webhooks", webhooks]
    call_command("djsms", "startbackend", *arguments)


def install(folder: Path, site: Path) -> None:
    """Install a distribution into a folder, without what it depends on."""
    # Without hatchling at hand pip fetches it, which needs the network.
    ready = ["--no-build-isolation", "--no-index"] if find_spec("hatchling") else []
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command = [*pip, *ready, "--no-deps", "--upgrade", "--target", site, folder]
    subprocess.run(command, check=True, timeout=120)


def run(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with the installed distribution, as in an environment without a project."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**environment, "PYTHONPATH": str(site)},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def backends(site: Path) -> list[dict[str, object]]:
    done = run(site, "-m", "djsms.cli", "listbackends", "--json", cwd=site)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, object]] = json.loads(done.stdout)["backends"]
    return rows


def outcome(folder: Path, site: Path) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Run the distribution's own tests; return how often each failed, was skipped, passed."""
    done = run(site, "-m", "pytest", "-q", "--junitxml=outcome.xml", cwd=folder)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    failed, skipped, passed = Counter[str](), Counter[str](), Counter[str]()
    for case in ElementTree.parse(folder / "outcome.xml").iter("testcase"):
        name = case.attrib["name"].partition("[")[0]
        if case.find("failure") is not None or case.find("error") is not None:
            failed[name] += 1
        elif case.find("skipped") is not None:
            skipped[name] += 1
        else:
            passed[name] += 1
    return failed, skipped, passed
