"""Backends are found by name among the installed distributions, and only the chosen one is loaded.

The distributions are real ones, as an installer leaves them, in a folder on the path.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import distributions
import pytest

from djsms import hookimpl
from djsms.accounts import plugins
from djsms.backends import DummyBackend
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound

WORKING = "class AcmeBackend: pass\n"
BROKEN = {
    "a missing module": ("import no_such_module", "ModuleNotFoundError: No module named"),
    "a syntax error": ("class AcmeBackend(:", "SyntaxError: "),
    "an error of its own": ("1 / 0", "ZeroDivisionError: division by zero"),
    "an end of the process": ("raise SystemExit(3)", "SystemExit: 3"),
    "no such class": ("class AcmaBackend: pass", "AttributeError: "),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[distributions.Folder]:
    with distributions.folder(tmp_path) as folder:
        yield folder


def install_working(folder: distributions.Folder, name: str = "acme", **values: str) -> Path:
    module = f"{name}_sms"
    return folder.install(
        {name: f"{module}:AcmeBackend"}, {module: WORKING}, name=f"djsms-{name}", **values
    )


class TestFinding:
    def test_an_installed_backend_is_found_by_its_name(self, folder: distributions.Folder) -> None:
        install_working(folder)
        assert plugins.find("acme").value == "acme_sms:AcmeBackend"

    def test_a_backend_installed_while_the_process_runs_is_found(
        self, folder: distributions.Folder
    ) -> None:
        with pytest.raises(BackendNotFound):
            plugins.find("acme")
        install_working(folder)
        assert plugins.find("acme").name == "acme"

    def test_an_unknown_name_is_told_with_the_names_that_are_installed(
        self, folder: distributions.Folder
    ) -> None:
        install_working(folder)
        with pytest.raises(BackendNotFound, match=r"named 'carrier-pigeon' \(.*'acme', .*'dummy'"):
            plugins.find("carrier-pigeon")

    def test_a_misspelt_name_is_told_with_the_one_that_was_meant(
        self, folder: distributions.Folder
    ) -> None:
        install_working(folder)
        with pytest.raises(BackendNotFound, match=r"Did you mean 'acme'\?$"):
            plugins.find("amce")

    def test_a_name_like_no_other_may_be_that_of_a_distribution(self) -> None:
        with pytest.raises(BackendNotFound, match="pip install djsms-carrier-pigeon, if there is"):
            plugins.find("carrier-pigeon")

    @pytest.mark.parametrize("name", ["Carrier Pigeon", "pigeon; rm", "-pigeon", "pigeon/", ""])
    def test_a_name_that_no_distribution_has_comes_without_a_guess(self, name: str) -> None:
        with pytest.raises(BackendNotFound, match=r"\)\.$"):
            plugins.find(name)

    def test_a_dotted_path_is_told_with_the_name_of_what_is_there(self) -> None:
        with pytest.raises(BackendNotFound, match=r"not a dotted path. Did you mean 'dummy'\?$"):
            plugins.find("djsms.backends.DummyBackend")

    def test_any_other_dotted_path_is_told_that_a_name_is_wanted(self) -> None:
        with pytest.raises(BackendNotFound, match="takes the name of a backend, not a dotted path"):
            plugins.find("shop.sms.Backend")

    def test_names_are_told_apart_to_the_letter(self, folder: distributions.Folder) -> None:
        install_working(folder)
        with pytest.raises(BackendNotFound, match="Did you mean 'acme'"):
            plugins.find("Acme")

    def test_entry_points_of_other_groups_do_not_count(self) -> None:
        # pytest itself is installed and has entry points
        with pytest.raises(BackendNotFound):
            plugins.find("pytest")


class TestConflict:
    def test_two_distributions_claiming_one_name_are_both_named_with_their_versions(
        self, folder: distributions.Folder
    ) -> None:
        install_working(folder, name="acme")
        folder.install({"acme": "other:Backend"}, name="sms-acme", version="3.1")
        with pytest.raises(
            BackendConflict, match=r"'acme' is claimed by djsms-acme 1\.0 and sms-acme 3\.1;"
        ):
            plugins.find("acme")

    def test_it_hurts_only_who_wants_that_name(self, folder: distributions.Folder) -> None:
        install_working(folder, name="acme")
        folder.install({"acme": "other:Backend"}, name="sms-acme", version="3.1")
        assert plugins.load("dummy") is DummyBackend

    def test_the_first_of_two_versions_on_the_path_is_the_installed_one(
        self, folder: distributions.Folder
    ) -> None:
        install_working(folder, version="1.0")
        install_working(folder, version="2.0")
        assert plugins.describe(plugins.find("acme")) == "djsms-acme 2.0"


def leave(folder: distributions.Folder, info: Path, name: str, version: str = "1.0") -> Path:
    """What is left of a distribution beside it, under another name of its folder."""
    rest = info.with_name(f"{name}-{version}.dist-info")
    rest.mkdir()
    (rest / "METADATA").write_text(f"Metadata-Version: 2.1\nName: djsms-acme\nVersion: {version}\n")
    (rest / "entry_points.txt").write_text("[djsms.backends]\nacme = gone:Backend\n")
    importlib.invalidate_caches()
    return rest


class TestADamagedInstallation:
    @pytest.mark.parametrize("name", ["~jsms_acme", "~~sms_acme", "-jsms_acme"])
    def test_what_an_interrupted_pip_leaves_is_no_second_claim(
        self, folder: distributions.Folder, name: str
    ) -> None:
        info = install_working(folder)
        rest = leave(folder, info, name)
        (rest / "entry_points.txt").write_bytes((info / "entry_points.txt").read_bytes())
        assert plugins.load("acme").__name__ == "AcmeBackend"

    def test_an_older_version_that_is_being_removed_is_not_the_installed_one(
        self, folder: distributions.Folder
    ) -> None:
        leave(folder, install_working(folder), "~jsms_acme", "0.9")
        assert plugins.load("acme").__name__ == "AcmeBackend"

    def test_what_is_left_without_metadata_gives_way_to_what_has_it(
        self, folder: distributions.Folder
    ) -> None:
        info = install_working(folder)
        for version in ("0.9", "1.1"):
            (leave(folder, info, "djsms_acme", version) / "METADATA").unlink()
        assert plugins.describe(plugins.find("acme")) == "djsms-acme 1.0"

    def test_a_line_that_is_there_twice_is_one_claim(self, folder: distributions.Folder) -> None:
        entries = install_working(folder) / "entry_points.txt"
        entries.write_text(entries.read_text() + "acme = acme_sms:AcmeBackend\n")
        assert plugins.load("acme").__name__ == "AcmeBackend"

    @pytest.mark.parametrize(
        "content",
        [
            b"[djsms.backends]\nacme\n",
            b"\xff\xfe[djsms.backends]\n",
            b"acme = acme_sms:AcmeBackend",
            b"[djsms.backends\n= = =\n",
            b"[djsms.backends]\n = x\n",
            b"\0" * 512,
        ],
        ids=["no value", "not UTF-8", "no section", "no bracket", "no name", "zeros"],
    )
    def test_entry_points_that_cannot_be_read_hurt_nobody_else(
        self, folder: distributions.Folder, content: bytes
    ) -> None:
        other = folder.install({}, name="other")
        (other / "entry_points.txt").write_bytes(content)
        install_working(folder)
        assert plugins.load("acme").__name__ == "AcmeBackend"
        assert "acme" in [entry.name for entry in plugins.installed()]

    @pytest.mark.parametrize(
        "content",
        [b"", b"\xff\xfe", b"\0" * 512, b"Name\n", b"Name: \n\n", b"Metadata-Version: 9\n"],
        ids=["empty", "not UTF-8", "zeros", "no value", "no name", "no such version"],
    )
    def test_metadata_that_cannot_be_read_hurts_nobody(
        self, folder: distributions.Folder, content: bytes
    ) -> None:
        info = install_working(folder, name="other")
        (info / "METADATA").write_bytes(content)
        install_working(folder)
        assert plugins.load("acme").__name__ == "AcmeBackend"
        assert plugins.load("other").__name__ == "AcmeBackend"

    def test_a_backend_that_cannot_be_found_comes_with_what_cannot_be_read(
        self, folder: distributions.Folder
    ) -> None:
        (install_working(folder) / "entry_points.txt").write_bytes(b"\xff")
        with pytest.raises(BackendNotFound, match="entry points of djsms_acme cannot be read"):
            plugins.find("acme")

    def test_files_in_the_place_of_folders_are_passed_over(
        self, folder: distributions.Folder
    ) -> None:
        info = install_working(folder)
        info.with_name("stray-1.0.dist-info").write_text("")
        info.with_name("loop-1.0.dist-info").symlink_to("loop-1.0.dist-info")
        importlib.invalidate_caches()
        assert plugins.load("acme").__name__ == "AcmeBackend"


class TestLoading:
    def test_gives_the_class(self, folder: distributions.Folder) -> None:
        install_working(folder)
        assert plugins.load("acme").__module__ == "acme_sms"

    @pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
    def test_a_broken_backend_is_told_with_its_distribution_and_the_reason(
        self, folder: distributions.Folder, source: str, reason: str
    ) -> None:
        folder.install({"acme": "acme_sms:AcmeBackend"}, {"acme_sms": source}, version="4.2")
        with pytest.raises(BackendBroken) as caught:
            plugins.load("acme")
        assert "The backend 'acme' (djsms-acme 4.2) cannot be imported: " + reason in str(
            caught.value
        )

    def test_the_reason_is_kept_for_the_traceback(self, folder: distributions.Folder) -> None:
        folder.install({"acme": "acme_sms:AcmeBackend"}, {"acme_sms": "1 / 0"})
        with pytest.raises(BackendBroken) as caught:
            plugins.load("acme")
        assert isinstance(caught.value.__cause__, ZeroDivisionError)

    @pytest.mark.parametrize("source", [source for source, _ in BROKEN.values()], ids=BROKEN)
    def test_a_broken_backend_hurts_nobody_else(
        self, folder: distributions.Folder, source: str
    ) -> None:
        folder.install({"bad": "bad_sms:AcmeBackend"}, {"bad_sms": source}, name="djsms-bad")
        install_working(folder)
        assert plugins.load("acme").__name__ == "AcmeBackend"

    def test_a_module_is_handed_on_as_it_is(self, folder: distributions.Folder) -> None:
        # to be told apart where it is to be called
        folder.install({"acme": "acme_sms"}, {"acme_sms": WORKING})
        assert plugins.load("acme") is sys.modules["acme_sms"]


class Everything(DummyBackend):
    @hookimpl
    def check(self) -> None: ...

    @hookimpl(specname="parse_callback")
    def read(self) -> None: ...

    @hookimpl
    def a_misspelt_one(self) -> None: ...

    @hookimpl(wrapper=True)
    def parse_incoming(self) -> Generator[None, Any, Any]:
        return (yield)

    def webhook_addresses(self) -> None: ...

    @property
    def session(self) -> object:
        raise AssertionError("evaluated")


class TestImplementedHooks:
    def test_are_known_of_a_class_in_the_order_of_the_specification(self) -> None:
        hooks = plugins.implemented_hooks(Everything)
        assert hooks == ("send", "parse_callback", "check", "a_misspelt_one")

    def test_are_none_of_a_class_that_marks_no_method(self) -> None:
        assert plugins.implemented_hooks(object) == ()

    def test_are_not_known_of_anything_else(self) -> None:
        assert plugins.implemented_hooks(lambda: Everything()) == ()


class TestListing:
    def test_names_every_installed_backend_in_order(self, folder: distributions.Folder) -> None:
        install_working(folder, name="aardvark")
        names = [entry.name for entry in plugins.installed()]
        assert names[0] == "aardvark"
        assert names == sorted(names)
        assert {"dummy", "memory"} <= set(names)

    def test_names_both_sides_of_a_conflict(self, folder: distributions.Folder) -> None:
        install_working(folder, name="acme")
        folder.install({"acme": "other:Backend"}, name="sms-acme", version="3.1")
        owners = [plugins.describe(entry) for entry in plugins.installed() if entry.name == "acme"]
        assert owners == ["djsms-acme 1.0", "sms-acme 3.1"]

    def test_names_a_broken_backend_too(self, folder: distributions.Folder) -> None:
        folder.install({"acme": "acme_sms:AcmeBackend"}, {"acme_sms": "1 / 0"})
        assert "acme" in [entry.name for entry in plugins.installed()]

    def test_copes_with_a_distribution_that_lost_its_metadata(
        self, folder: distributions.Folder
    ) -> None:
        # what an interrupted uninstallation leaves behind
        info = install_working(folder)
        (info / "METADATA").unlink()
        (entry,) = [entry for entry in plugins.installed() if entry.name == "acme"]
        assert plugins.describe(entry) == "module acme_sms"

    def test_names_the_module_of_what_belongs_to_no_distribution(self) -> None:
        alone = plugins.EntryPoint("acme", "acme_sms:AcmeBackend", plugins.GROUP)
        assert plugins.describe(alone) == "module acme_sms"

    def test_imports_no_backend_and_finding_only_the_one_asked_for(
        self, folder: distributions.Folder
    ) -> None:
        install_working(folder, name="acme")
        install_working(folder, name="other")
        folder.install({"bad": "bad_sms:X"}, {"bad_sms": "1 / 0"}, name="djsms-bad")
        script = """
            import json, sys
            from djsms.accounts import plugins
            def seen():
                return sorted({"acme_sms", "other_sms", "bad_sms", "requests"} & set(sys.modules))
            names = [entry.name for entry in plugins.installed()]
            listed = seen()
            plugins.load("acme")
            print(json.dumps([sorted({"acme", "bad", "other"} & set(names)), listed, seen()]))
        """
        assert json.loads(run(script, folder)) == [
            ["acme", "bad", "other"],
            [],
            ["acme_sms"],
        ]


def run(script: str, folder: distributions.Folder) -> str:
    """Run a script in a process of its own, where the same distributions are installed."""
    path = os.pathsep.join(map(str, folder.paths))
    source = "if True:\n" + script
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
