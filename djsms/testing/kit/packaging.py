"""Tests of the distribution: what ``pip install`` brings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from djsms.accounts.plugins import describe
from djsms.testing.kit import hooks
from djsms.testing.kit.base import Kit
from djsms.testing.kit.words import fail, require

__all__ = ["Packaging"]

CORE = "django-simple-sms"

# Loads the backend as Django would, but with no settings in sight.
BARE_IMPORT = """
import sys
from django.conf import settings
module, _, name = sys.argv[1].partition(":")
owner = __import__(module, fromlist=["_"])
for part in name.split("."):
    owner = getattr(owner, part)
if settings.configured:
    sys.exit("The import configured Django's settings.")
"""


class Packaging(Kit):
    """The backend as an installed distribution."""

    @pytest.fixture
    def entry(self, factory: Any) -> Any:
        """The entry point of the backend."""
        return hooks.entry_points(self.name)[0]

    def test_one_distribution_has_the_name(self, factory: Any) -> None:
        owners = [describe(entry) for entry in hooks.entry_points(self.name)]
        require(
            len(owners) == 1,
            f"The name {self.name!r} is claimed by {' and '.join(owners)}: choose another in "
            '[project.entry-points."djsms.backends"], or uninstall one.',
        )
        require(
            re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", self.name),
            f"The name {self.name!r} also begins the names of settings: make it of lower-case "
            "letters and digits, joined by - or _, beginning with a letter.",
        )
        require(callable(factory), "The entry point must name a class: package:Class.")

    def test_import_needs_no_settings(self, entry: Any) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        done = subprocess.run(
            [sys.executable, "-c", BARE_IMPORT, entry.value],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        reason = (done.stderr or done.stdout).strip()
        require(
            done.returncode == 0,
            f"{entry.module} cannot be imported without a Django project:\n{reason}\n"
            "Read settings, and import what needs them, within the methods.",
        )

    def test_package_is_typed(self, entry: Any) -> None:
        package = entry.module.partition(".")[0]
        spec = find_spec(package)
        folders = list((spec and spec.submodule_search_locations) or [])
        if not folders:
            fail(f"{package} is a single module; make it a package, with py.typed beside its code.")
        require(
            any((Path(folder) / "py.typed").is_file() for folder in folders),
            f"{package}/py.typed is missing: an empty file, by which type checkers take note of "
            "your annotations. See that the wheel holds it too.",
        )

    def test_distribution_says_what_it_needs(self, entry: Any) -> None:
        distribution = entry.dist
        if distribution is None:
            fail("The entry point belongs to no distribution: install it, pip install -e .")
        if _normal(distribution.name) == CORE:
            pytest.skip(f"{self.name} is part of {CORE}")
        require(distribution.version, "The distribution has no version: [project] version = …")
        needs = [line for line in distribution.requires or () if _normal(_project(line)) == CORE]
        require(
            needs and any(re.search(r"[<>=~]", line) for line in needs),
            f'Declare which versions of the core it works with: dependencies = ["{CORE}>=2,<3"]',
        )


def _project(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    return match.group() if match else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
