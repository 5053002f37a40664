"""What is released: what a tag names, and what sdists and wheels have to hold."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
PROJECTS = {
    path.parent: tomllib.loads(path.read_text())["project"]
    for path in [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
}
CORE, *PLUGINS = PROJECTS.values()
ABOUT = "Metadata-Version: 2.4\nName: acme\nVersion: 1.2.0\n\n# acme\n"


def run(program: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(cwd / ".ci" / program), *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """This one's metadata, with every version released."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for folder, project in PROJECTS.items():
        place = tmp_path / folder.relative_to(ROOT)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "pyproject.toml", place)
        heading = f"## [{project['version']}] - 2026-11-30"
        changes = (folder / "CHANGELOG.md").read_text()
        (place / "CHANGELOG.md").write_text(changes.replace("## [Unreleased]", heading))
    return tmp_path


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: PROJECTS[folder]["name"])
def test_each_distribution_is_released_by_its_tag(repository: Path, folder: Path) -> None:
    project = PROJECTS[folder]
    told = run("release", f"{project['name']}-{project['version']}", cwd=repository)
    assert told.stdout.split() == [
        f"name={project['name']}",
        f"folder={folder.relative_to(ROOT)}",
    ]


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("djsms-nexmo-9.9.9", "pyproject.toml has the version"),
        ("djsms-nobody-1.0.0", "no distribution is called 'djsms-nobody'"),
    ],
)
def test_a_tag_that_does_not_fit_is_refused(repository: Path, tag: str, said: str) -> None:
    told = run("release", tag, cwd=repository)
    assert (told.returncode, told.stdout) == (1, "")
    assert said in told.stderr


def test_what_the_changelog_has_not_dated_is_refused(repository: Path) -> None:
    changes = repository / "CHANGELOG.md"
    changes.write_text(changes.read_text().replace(" - 2026-11-30", ""))
    told = run("release", f"{CORE['name']}-{CORE['version']}", cwd=repository)
    assert "CHANGELOG.md has no heading" in told.stderr


def test_changes_that_would_be_forgotten_are_refused(repository: Path) -> None:
    changes = repository / "CHANGELOG.md"
    changes.write_text(f"## [Unreleased]\n\n- One more.\n\n{changes.read_text()}")
    told = run("release", f"{CORE['name']}-{CORE['version']}", cwd=repository)
    assert "still has changes under [Unreleased]" in told.stderr


@pytest.mark.parametrize("project", PLUGINS, ids=lambda project: project["name"])
def test_each_plugin_takes_the_core_of_today(project: Any) -> None:
    needed = [Requirement(text) for text in project["dependencies"]]
    [core] = [one for one in needed if one.name == CORE["name"]]
    assert core.specifier.contains(CORE["version"])


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: PROJECTS[folder]["name"])
def test_changelogs_have_the_shape_that_they_say(folder: Path) -> None:
    """Keep a Changelog: versions, each with kinds of changes, each with a list."""
    changes = (folder / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", changes, re.M)
    assert versions
    assert all(re.fullmatch(r"\[(Unreleased|[\d.]+\] - [\d-]{10})\]?", one) for one in versions)
    kinds = set(re.findall(r"^### (.+)$", changes, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_only_a_pushed_tag_publishes() -> None:
    publish = WORKFLOW["jobs"]["publish"]
    # "on" is how YAML 1.1 spells true
    assert set(WORKFLOW[True]["push"]) == {"tags"}
    assert publish["if"] == "github.event_name == 'push'"
    assert publish["needs"] == "build"


def test_only_the_job_that_publishes_can_prove_who_it_is() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["publish"]["permissions"] == {"id-token": "write"}
    assert "permissions" not in WORKFLOW["jobs"]["build"]


@pytest.mark.parametrize("project", PROJECTS.values(), ids=lambda project: project["name"])
def test_the_workflow_starts_with_the_tag_of_each(project: Any) -> None:
    tag = f"{project['name']}-{project['version']}"
    globs = WORKFLOW[True]["push"]["tags"]
    # of what a glob can have, these have a star and a set of characters
    patterns = [glob.replace("*", "[^/]*") for glob in globs]
    assert any(re.fullmatch(pattern, tag) for pattern in patterns)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What git knows of this repository, released, with its tools installed."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode or not (ROOT / ".venv" / ".dev").exists():
        pytest.skip("not a checkout with the tools of make dev")
    place = tmp_path / "checkout"
    for name in listed.stdout.splitlines():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    for changes in [place / "CHANGELOG.md", *place.glob("plugins/*/CHANGELOG.md")]:
        version = PROJECTS[ROOT / changes.parent.relative_to(place)]["version"]
        heading = f"## [{version}] - 2026-11-30"
        changes.write_text(changes.read_text().replace("## [Unreleased]", heading))
    subprocess.run(["git", "init", "-q"], cwd=place, check=True)
    subprocess.run(["git", "add", "."], cwd=place, check=True)
    (place / ".venv").mkdir()
    for part in (ROOT / ".venv").iterdir():
        if part.name.startswith("."):
            # what remembers that all is installed, and is newer than what was copied
            (place / ".venv" / part.name).touch()
        else:
            (place / ".venv" / part.name).symlink_to(part)
    return place


@pytest.mark.live
@pytest.mark.parametrize("name", ["django-simple-sms", "djsms-console"])
def test_the_workflow_builds_what_the_tag_names(checkout: Path, name: str) -> None:
    """Its own commands, in its order, as its shell runs them: all but publishing."""
    [version] = [project["version"] for project in PROJECTS.values() if project["name"] == name]
    outputs = checkout / "outputs"
    told: dict[str, str] = {}
    for step in WORKFLOW["jobs"]["build"]["steps"]:
        if "run" not in step:
            continue
        wanted = {
            variable: told[re.findall(r"outputs\.(\w+)", value)[0]]
            for variable, value in step.get("env", {}).items()
        }
        given = {"TAG": f"{name}-{version}", "GITHUB_OUTPUT": str(outputs)}
        ran = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=checkout,
            env={**os.environ, **given, **wanted},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        told |= dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    stem = f"{name.replace('-', '_')}-{version}"
    built = {path.name for path in (checkout / "dist").iterdir()}
    assert built == {f"{stem}-py3-none-any.whl", f"{stem}.tar.gz"}


GOOD_WHEEL = {
    "acme/__init__.py": "",
    "acme/py.typed": "",
    "acme/templates/acme.html": "",
    "acme-1.2.0.dist-info/METADATA": ABOUT,
    "acme-1.2.0.dist-info/licenses/LICENSE": "MIT",
}
PACKAGE = ("acme/__init__.py", "acme/py.typed", "acme/templates/acme.html")
BESIDE = ("CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml")
GOOD_SDIST = dict.fromkeys([*PACKAGE, *BESIDE, "tests/test_acme.py"], "")


def without(files: dict[str, str], name: str) -> dict[str, str]:
    return {other: text for other, text in files.items() if other != name}


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A repository of one distribution."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "acme"\nversion = "1.2.0"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["acme"]\n'
    )
    for name in GOOD_WHEEL:
        if name.startswith("acme/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "acme"], cwd=tmp_path, check=True)
    return tmp_path


def contents(place: Path, wheel: dict[str, str], sdist: dict[str, str]) -> str:
    dist = place / "dist"
    dist.mkdir()
    with zipfile.ZipFile(dist / "acme-1.2.0-py3-none-any.whl", "w") as archive:
        for name, text in wheel.items():
            archive.writestr(name, text)
    with tarfile.open(dist / "acme-1.2.0.tar.gz", "w:gz") as archive:
        for name in sdist:
            archive.addfile(tarfile.TarInfo(f"acme-1.2.0/{name}"), io.BytesIO())
    return run("contents", cwd=place).stdout


def test_good_contents_are_good(acme: Path) -> None:
    said = contents(acme, GOOD_WHEEL, GOOD_SDIST)
    assert said == "Every sdist and wheel holds what it should.\n"


@pytest.mark.parametrize(
    ("wheel", "said"),
    [
        (without(GOOD_WHEEL, "acme/templates/acme.html"), "lacks acme/templates/acme.html"),
        (without(GOOD_WHEEL, "acme/py.typed"), "acme is not marked as typed"),
        (without(GOOD_WHEEL, "acme-1.2.0.dist-info/licenses/LICENSE"), "has no licence"),
        (GOOD_WHEEL | {"tests/test_acme.py": ""}, "holds tests/test_acme.py"),
        (
            GOOD_WHEEL | {"acme-1.2.0.dist-info/METADATA": ABOUT.replace("1.2.0", "1.1.0")},
            "calls itself acme 1.1.0",
        ),
    ],
    ids=["template", "marker", "licence", "tests", "version"],
)
def test_a_wheel_is_held_to(acme: Path, wheel: dict[str, str], said: str) -> None:
    assert said in contents(acme, wheel, GOOD_SDIST)


@pytest.mark.parametrize("name", ["LICENSE", "acme/__init__.py"])
def test_an_sdist_lacks_nothing(acme: Path, name: str) -> None:
    said = contents(acme, GOOD_WHEEL, without(GOOD_SDIST, name))
    assert f"the sdist lacks {name}" in said


def test_an_sdist_holds_nothing_else(acme: Path) -> None:
    assert "holds notes.txt" in contents(acme, GOOD_WHEEL, GOOD_SDIST | {"notes.txt": ""})


def test_what_was_not_built_is_told(acme: Path) -> None:
    assert "acme-1.2.0-py3-none-any.whl was not built" in run("contents", cwd=acme).stdout


@pytest.mark.parametrize("form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")))
def test_issue_forms_are_forms(form: Path) -> None:
    """As GitHub wants them: a name, a description, and questions each with an id and a label."""
    told = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= set(told)
    questions = [part for part in told["body"] if part["type"] != "markdown"]
    ids = [part["id"] for part in questions]
    assert len(ids) == len(set(ids))
    assert all(part["attributes"]["label"] for part in questions)
    options = [o for part in questions for o in part["attributes"].get("options", [])]
    # an unquoted yes or no would be a truth value
    assert all(isinstance(option, str) for option in options)
