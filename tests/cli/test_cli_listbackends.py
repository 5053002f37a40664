"""``djsms listbackends`` shows what is installed, what it can do, who uses it and what is wrong."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributions
import pytest
from console import djsms
from django.core.management import call_command
from django.core.management.base import CommandError

from djsms.accounts import plugins

WORKING = """
    from djsms import SendResult, hookimpl

    class Backend:
        @hookimpl
        def check(self): ...

        @hookimpl(specname="parse_callback")
        def read(self, request): ...

        @hookimpl(wrapper=True)
        def parse_incoming(self, request):
            return (yield)

        @hookimpl
        def send(self, message):
            return SendResult.accepted("1")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[distributions.Folder]:
    with distributions.folder(tmp_path) as folder:
        yield folder


def install(folder: distributions.Folder, source: str, **values: Any) -> Path:
    return folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": source}, **values)


class Listing:
    """What the command printed as JSON, and whether it was content."""

    def __init__(self) -> None:
        out = io.StringIO()
        self.complaint = ""
        try:
            call_command("listbackends", json=True, stdout=out)
        except CommandError as error:
            self.complaint = str(error)
        self.values = json.loads(out.getvalue())
        self.backends = {backend["name"]: backend for backend in self.values["backends"]}
        self.acme = self.backends.get("acme", {})


class TestABackend:
    def test_is_listed_with_its_distribution_hooks_and_accounts(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        install(folder, WORKING, version="1.4")
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}, "codes": {"BACKEND": "memory"}}
        assert Listing().acme == {
            "name": "acme",
            "distribution": "djsms-acme",
            "version": "1.4",
            "path": "acme_sms:Backend",
            "hooks": ["send", "parse_callback", "check"],
            "accounts": ["default", "alerts"],
            "problem": "",
        }

    def test_is_not_made_for_it(self, folder: distributions.Folder) -> None:
        install(folder, f"{WORKING}\n        def __init__(self, token): 1 / 0\n")
        assert Listing().acme["problem"] == ""

    def test_may_be_made_by_a_function_whose_hooks_nobody_knows_beforehand(
        self, folder: distributions.Folder
    ) -> None:
        install(folder, "def Backend(): ...")
        assert (Listing().acme["hooks"], Listing().acme["problem"]) == ([], "")

    def test_is_listed_though_its_distribution_lost_its_metadata(
        self, folder: distributions.Folder
    ) -> None:
        (install(folder, WORKING) / "METADATA").unlink()
        acme = Listing().acme
        assert (acme["distribution"], acme["version"]) == ("", "")
        assert plugins.describe(plugins.find("acme")) == "module acme_sms"

    def test_can_print_what_it_likes_when_it_is_imported(
        self, folder: distributions.Folder
    ) -> None:
        install(folder, f"print('Welcome to Acme!')\n{WORKING}".replace("\n    ", "\n"))
        assert Listing().acme["problem"] == ""


class TestABrokenOne:
    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
            ("class Backend(:", "SyntaxError"),
            ("raise SystemExit('no licence')", "SystemExit: no licence"),
            ("from django.conf import settings; settings.ACME_TOKEN", "no attribute 'ACME_TOKEN'"),
            ("Backend = 5", "is of type int, not a class"),
            ("class Backend: ...", "implements no hook; are its methods marked @hookimpl?"),
            (WORKING.replace("def send", "def sned"), "'sned'. Did you mean 'send'?"),
            (WORKING.replace("def check", "def zebra"), "unknown hook, 'zebra'."),
        ],
    )
    def test_is_listed_with_the_reason_and_hurts_no_other(
        self, folder: distributions.Folder, source: str, reason: str
    ) -> None:
        install(folder, source)
        listing = Listing()
        assert reason in listing.acme["problem"]
        assert "djsms-acme 1.0" in listing.acme["problem"]
        assert listing.acme["hooks"] == []
        assert listing.backends["memory"]["hooks"] == ["send", "parse_callback", "parse_incoming"]
        assert listing.complaint == "", "as no account uses it"

    def test_is_an_error_as_soon_as_an_account_uses_it(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        install(folder, "import no_such_module")
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}}
        assert Listing().complaint == "The account 'alerts' cannot use its backend 'acme'."

    def test_is_shown_in_the_table_with_the_reason_below(
        self, folder: distributions.Folder
    ) -> None:
        install(folder, "import no_such_module")
        out = io.StringIO()
        call_command("listbackends", stdout=out)
        assert re.search(r"^acme +djsms-acme +1\.0 +broken$", out.getvalue(), re.MULTILINE)
        assert "No module named 'no_such_module'\n\nengine " in out.getvalue()


class TestAConflict:
    def test_lists_both_and_says_what_to_do(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        install(folder, WORKING)
        folder.install({"acme": "twin:Backend"}, {"twin": WORKING}, name="djsms-twin")
        settings.DJSMS_BACKEND = "acme"
        listing = Listing()
        twins = [backend for backend in listing.values["backends"] if backend["name"] == "acme"]
        assert [twin["distribution"] for twin in twins] == ["djsms-acme", "djsms-twin"]
        assert {twin["problem"] for twin in twins} == {
            "The backend name 'acme' is claimed by djsms-acme 1.0 and djsms-twin 1.0; "
            "uninstall one."
        }
        assert "cannot use its backend" in listing.complaint


class TestSettings:
    def test_an_account_of_a_backend_that_is_not_installed_is_an_error(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memroy"}}
        assert "'alerts': No installed backend is named 'memroy'" in Listing().complaint

    def test_a_malformed_account_is_an_error_and_hides_no_other(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": 5, "codes": {"BACKEND": "memory"}}
        listing = Listing()
        assert "'alerts'" in listing.complaint
        assert listing.backends["memory"]["accounts"] == ["default", "codes"]

    def test_malformed_settings_are_an_error_and_all_is_listed(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = 5
        listing = Listing()
        assert "DJSMS_ACCOUNTS" in listing.complaint
        assert "memory" in listing.backends

    def test_none_are_needed(self, tmp_path: Path) -> None:
        run = djsms("listbackends", cwd=tmp_path)
        assert run.returncode == 0
        assert "No DJANGO_SETTINGS_MODULE" in run.stderr
        assert re.search("^memory ", run.stdout, re.MULTILINE)

    def test_that_none_are_there_need_not_be_said(self, tmp_path: Path) -> None:
        assert djsms("listbackends", "-v0", cwd=tmp_path).stderr == ""

    def test_that_cannot_be_imported_are_an_error_and_all_is_listed(self, tmp_path: Path) -> None:
        run = djsms("listbackends", "--json", "--settings", "nix", cwd=tmp_path)
        assert run.returncode == 1
        assert "'nix'" in run.stderr
        assert "memory" in [backend["name"] for backend in json.loads(run.stdout)["backends"]]
        assert "Traceback" not in run.stderr


def test_more_words_show_the_class_too() -> None:
    out = io.StringIO()
    call_command("listbackends", verbosity=2, stdout=out)
    assert "djsms.backends:MemoryBackend" in out.getvalue()


class TestEngines:
    ENGINE = """
        class Engine:
            def wake(self, account): ...
    """

    def install(self, folder: distributions.Folder, source: str) -> None:
        folder.install(
            {"acme": "acme_engine:Engine"}, {"acme_engine": source}, group="djsms.engines"
        )

    def test_are_listed_with_the_one_in_use(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        self.install(folder, self.ENGINE)
        settings.DJSMS_ENGINE = "acme"
        engines = {row["name"]: row["is_used"] for row in Listing().values["engines"]}
        assert engines["acme"]
        assert not engines["worker"]
        assert not engines["tasks"]

    def test_one_that_is_broken_keeps_no_other_from_being_listed(
        self, folder: distributions.Folder
    ) -> None:
        self.install(folder, "1 / 0")
        problems = {row["name"]: row["problem"] for row in Listing().values["engines"]}
        assert "ZeroDivisionError" in problems["acme"]
        assert problems["worker"] == ""

    def test_one_in_use_that_is_not_there_is_complained_of(self, settings: Any) -> None:
        settings.DJSMS_ENGINE = "carrier-pigeon"
        assert "No installed engine is named 'carrier-pigeon'" in Listing().complaint
