"""A gateway is one account ready for use: its options, its backend, the extensions around it.

Backends are found through real distributions; their classes are those below.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import distributions
import pytest
from django.core.checks import CheckMessage
from django.core.checks import Warning as Concern
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import override_settings
from pytest_django import Settings

from djsms import (
    Balance,
    IncomingText,
    OutgoingText,
    SendResult,
    SentPart,
    SentText,
    Status,
    StatusReport,
    hookimpl,
)
from djsms.accounts import gateways
from djsms.backends import BaseBackend, DummyBackend, MemoryBackend
from djsms.exceptions import (
    AccountNotFound,
    BackendBroken,
    BackendConflict,
    BackendNotFound,
    InvalidOptions,
    NotSupported,
    Refused,
)

MESSAGE = OutgoingText(ref="0" * 32, text="Hi", frm="Example", to="+447700900001")
REQUEST = HttpRequest()
SENT = SentText(
    ref="0" * 32,
    to="+447700900001",
    frm="Example",
    attempted_on=datetime(2026, 3, 29, 12, tzinfo=UTC),
    provider_ids=("1",),
)
URLS = {"callback_url": "https://example.com/c/", "incoming_url": "https://example.com/i/"}
SECRET = "s3cr3t-of-the-account"

heard: list[str] = []
"""Who was called, in order."""


@pytest.fixture(autouse=True)
def fresh_start() -> Iterator[None]:
    heard.clear()
    gateways.clear()
    yield
    gateways.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[distributions.Folder]:
    with distributions.folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def acme(folder: distributions.Folder, settings: Settings) -> distributions.Folder:
    """The backend acme is installed, and is the default account's."""
    folder.install({"acme": AcmeBackend})
    settings.DJSMS_BACKEND = "acme"
    return folder


def use(folder: distributions.Folder, settings: Settings, backend: type | str) -> gateways.Gateway:
    """The gateway of an account with this backend."""
    folder.install({"probe": backend}, name="djsms-probe")
    settings.DJSMS_BACKEND = "probe"
    return gateways.get()


@dataclass(frozen=True, kw_only=True)
class AcmeBackend(BaseBackend):
    token: str = field(repr=False)
    timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise InvalidOptions(f"timeout is {self.timeout}; it takes seconds.")
        if " " in self.token:
            raise ValueError(f"{self.token!r} is no token")

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        heard.append("backend")
        return SendResult.accepted("acme-1")


def options_of(alias: str = "default") -> AcmeBackend:
    plugin = gateways.get(alias).plugin
    assert isinstance(plugin, AcmeBackend)
    return plugin


class TestOptions:
    def test_come_from_the_options_setting(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_OPTIONS = {"token": SECRET, "timeout": 3}
        assert options_of() == AcmeBackend(token=SECRET, timeout=3)

    def test_or_from_flat_settings(self, acme: Any, settings: Settings) -> None:
        settings.ACME_TOKEN = SECRET
        settings.ACME_TIMEOUT = 3
        assert options_of() == AcmeBackend(token=SECRET, timeout=3)

    def test_the_options_setting_wins(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_OPTIONS = {"token": SECRET}
        settings.ACME_TOKEN = "another"
        assert options_of().token == SECRET

    def test_both_may_be_mixed(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_OPTIONS = {"timeout": 3}
        settings.ACME_TOKEN = SECRET
        assert options_of() == AcmeBackend(token=SECRET, timeout=3)

    def test_left_out_take_the_backends_default(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_OPTIONS = {"token": SECRET}
        assert options_of().timeout == 10

    def test_flat_settings_hold_for_every_account_of_the_backend(
        self, acme: Any, settings: Settings
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme", "OPTIONS": {"timeout": 3}}}
        settings.ACME_TOKEN = SECRET
        assert (options_of().timeout, options_of("alerts").timeout) == (10, 3)
        assert options_of("alerts").token == SECRET

    def test_dashes_in_the_backends_name_are_underscores_in_flat_settings(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        folder.install({"acme-two": AcmeBackend})
        settings.DJSMS_BACKEND = "acme-two"
        settings.ACME_TWO_TOKEN = SECRET
        assert options_of().token == SECRET

    def test_unknown_is_an_error_with_a_hint(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_OPTIONS = {"tokn": SECRET}
        with pytest.raises(
            InvalidOptions,
            match=r"'acme' of the account 'default' has no option 'tokn' "
            r"\(it has: 'token', 'timeout'\)\. Did you mean 'token'\?",
        ):
            gateways.get()

    def test_unknown_like_no_other_comes_without_a_hint(
        self, acme: Any, settings: Settings
    ) -> None:
        settings.DJSMS_OPTIONS = {"colour": "red"}
        with pytest.raises(InvalidOptions, match=r"no option 'colour' .*\)\.$"):
            gateways.get()

    def test_for_a_backend_that_takes_none_say_so(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "dummy"
        settings.DJSMS_OPTIONS = {"token": SECRET}
        with pytest.raises(InvalidOptions, match=r"no option 'token' \(it has: none\)"):
            gateways.get()

    def test_missing_name_the_settings_to_set(self, acme: Any) -> None:
        with pytest.raises(
            InvalidOptions,
            match=r"'acme' of the account 'default' lacks 'token': .* or set ACME_TOKEN",
        ):
            gateways.get()

    def test_any_are_taken_by_a_backend_with_keyword_arguments(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        settings.DJSMS_OPTIONS = {"anything": 1}
        plugin = use(folder, settings, TakesAnything).plugin
        assert isinstance(plugin, TakesAnything)
        assert plugin.options == {"anything": 1}

    def test_a_factory_may_make_the_backend(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        settings.DJSMS_OPTIONS = {"token": SECRET}
        gateway = use(folder, settings, f"{__name__}:make_acme")
        assert gateway.plugin == AcmeBackend(token=SECRET, timeout=5)

    @pytest.mark.parametrize(
        ("options", "reason"),
        {
            "refused": ({"token": SECRET, "timeout": 0}, "timeout is 0; it takes seconds."),
            "of a wrong type": ({"token": SECRET, "timeout": "3"}, "not supported between"),
        }.values(),
    )
    def test_wrong_are_an_error_with_account_backend_and_reason(
        self, acme: Any, settings: Settings, options: Any, reason: str
    ) -> None:
        settings.DJSMS_OPTIONS = options
        with pytest.raises(InvalidOptions) as caught:
            gateways.get()
        assert "'acme' of the account 'default' does not take its options: " in str(caught.value)
        assert reason in str(caught.value)

    def test_wrong_never_show_the_value_of_a_secret(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_OPTIONS = {"token": f"{SECRET} "}
        with pytest.raises(InvalidOptions, match=r"'\*\*\*' is no token") as caught:
            gateways.get()
        # what a traceback prints, with all that led to it
        assert caught.value.__suppress_context__
        assert caught.value.__cause__ is None

    def test_djangos_own_error_of_configuration_names_the_account_too(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        with pytest.raises(
            InvalidOptions, match=r"'probe' of the account 'default' .*: no CA file"
        ):
            use(folder, settings, NotConfigured)

    def test_an_error_in_the_account_that_a_backend_needs_names_that_one(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        with pytest.raises(AccountNotFound, match=r"^There is no account 'second'"):
            use(folder, settings, NeedsAnother)

    def test_an_unforeseen_error_is_named_without_its_words(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        with pytest.raises(BackendBroken, match=r"account 'default' cannot be made: KeyError$"):
            use(folder, settings, Unforeseen)


class TakesAnything(DummyBackend):
    def __init__(self, **options: Any) -> None:
        self.options = options


def make_acme(token: str) -> AcmeBackend:
    return AcmeBackend(token=token, timeout=5)


class NotConfigured(DummyBackend):
    def __init__(self) -> None:
        raise ImproperlyConfigured("no CA file")


class NeedsAnother(DummyBackend):
    def __init__(self) -> None:
        gateways.get("second")


class Unforeseen(DummyBackend):
    def __init__(self) -> None:
        raise KeyError(SECRET)


class TestErrorsOfConfiguration:
    def test_unknown_account(self) -> None:
        with pytest.raises(AccountNotFound, match="no account 'alerts'"):
            gateways.get("alerts")

    def test_unknown_backend(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "dumy"
        with pytest.raises(BackendNotFound, match="Did you mean 'dummy'"):
            gateways.get()

    def test_conflicting_backend(self, acme: distributions.Folder) -> None:
        acme.install({"acme": AcmeBackend}, name="sms-acme")
        with pytest.raises(BackendConflict):
            gateways.get()

    def test_wrong_base_url_shows_before_a_message_is_on_its_way(self, settings: Settings) -> None:
        settings.DJSMS_BASE_URL = "example.com"
        with pytest.raises(InvalidOptions, match="DJSMS_BASE_URL"):
            gateways.get()

    def test_are_not_remembered(self, settings: Settings, acme: Any) -> None:
        with pytest.raises(InvalidOptions):
            gateways.get()
        settings.ACME_TOKEN = SECRET
        assert options_of().token == SECRET

    def test_of_one_account_hurt_no_other(self, acme: Any, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "dummy"}}
        with pytest.raises(InvalidOptions):
            gateways.get()
        assert gateways.get("alerts").backend == "dummy"

    @pytest.mark.parametrize(
        ("backend", "problem"),
        {
            "misspelt hook": (
                "MisspeltHook",
                r"implements an unknown hook, 'sent'\. Did you mean 'send'\?",
            ),
            "unknown hook": ("UnknownHook", r"implements an unknown hook, 'teleport'\.$"),
            "no hook": ("NoHook", "implements no hook; are its methods marked @hookimpl?"),
            "another argument": ("OtherArgument", r"does not fit the hooks: .*'send'.*'text'"),
        }.values(),
    )
    def test_backend_that_does_not_fit_the_hooks(
        self, folder: distributions.Folder, settings: Settings, backend: str, problem: str
    ) -> None:
        with pytest.raises(BackendBroken, match=f"The backend 'probe' {problem}"):
            use(folder, settings, f"{__name__}:{backend}")

    def test_backend_that_does_not_fit_keeps_its_options_to_itself(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        settings.DJSMS_OPTIONS = {"token": SECRET}
        with pytest.raises(BackendBroken) as caught:
            use(folder, settings, OtherArgument)
        assert SECRET not in str(caught.value)

    def test_module_in_the_place_of_a_class(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        with pytest.raises(BackendBroken, match="module; its entry point must name a class"):
            use(folder, settings, "djsms.backends")

    def test_class_that_hides_its_arguments(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        with pytest.raises(BackendBroken, match="account 'default': its options cannot be read"):
            use(folder, settings, Unreadable)

    def test_instance_in_the_place_of_a_class(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        with pytest.raises(
            BackendBroken, match="is of type DummyBackend; its entry point must name a"
        ):
            use(folder, settings, f"{__name__}:INSTANCE")


INSTANCE = DummyBackend()


class MisspeltHook(BaseBackend):
    @hookimpl
    def sent(self, message: OutgoingText) -> SendResult:
        raise NotImplementedError


class UnknownHook(BaseBackend):
    @hookimpl
    def teleport(self) -> None:
        raise NotImplementedError


class Unreadable(DummyBackend):
    __signature__ = "nonsense"


class NoHook(BaseBackend):
    def send(self, message: OutgoingText) -> SendResult:
        raise NotImplementedError


@dataclass
class OtherArgument:
    token: str = ""

    @hookimpl
    def send(self, text: str) -> SendResult:
        raise NotImplementedError


class Outer:
    @hookimpl
    def send(self) -> None:
        heard.append("outer")


class Inner:
    @hookimpl
    def send(self) -> None:
        heard.append("inner")


class Vetoing:
    @hookimpl
    def send(self, message: OutgoingText) -> None:
        raise Refused(f"{message.to} opted out")


class Answering:
    @hookimpl
    def send(self) -> SendResult:
        return SendResult.accepted("answered")


class Observing:
    @hookimpl(wrapper=True)
    def send(self, message: OutgoingText) -> Generator[None, SendResult, SendResult]:
        heard.append(f"before {message.text}")
        try:
            result = yield
        except Refused as error:
            heard.append(f"refused: {error}")
            raise
        heard.append(f"after {result.parts[0].provider_id}")
        return result


class Reading:
    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return []


class WrappingOnly:
    @hookimpl(wrapper=True)
    def parse_callback(self) -> Generator[None, Any, Any]:
        return (yield)


class Worrying:
    @hookimpl
    def check(self) -> list[CheckMessage]:
        return [Concern("list is empty")]


class CannotBeMade:
    def __init__(self) -> None:
        raise RuntimeError("no list")


OUTER = Outer()


def shared() -> Outer:
    return OUTER


def shared_too() -> Outer:
    return OUTER


class WithoutHooks:
    def send(self, message: OutgoingText) -> None:
        raise Refused("never called")


class ExtensionWithMisspeltHook:
    @hookimpl
    def snd(self) -> None:
        raise NotImplementedError


class TestExtensions:
    @pytest.fixture(autouse=True)
    def default_account(self, acme: Any, settings: Settings) -> None:
        settings.ACME_TOKEN = SECRET

    def test_come_before_the_backend_the_first_one_listed_outermost(
        self, settings: Settings
    ) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Outer", f"{__name__}.Inner"]
        gateways.get().send(MESSAGE)
        assert heard == ["outer", "inner", "backend"]

    def test_can_veto_before_the_backend_is_called(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Vetoing"]
        with pytest.raises(Refused, match="opted out"):
            gateways.get().send(MESSAGE)
        assert heard == []

    def test_can_answer_in_the_place_of_the_backend(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Answering"]
        assert gateways.get().send(MESSAGE) == SendResult.accepted("answered")
        assert heard == []

    def test_can_observe_what_the_backend_answers(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Observing"]
        gateways.get().send(MESSAGE)
        assert heard == ["before Hi", "backend", "after acme-1"]

    def test_can_observe_a_veto_wherever_they_stand(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Vetoing", f"{__name__}.Observing"]
        with pytest.raises(Refused):
            gateways.get().send(MESSAGE)
        assert heard == ["before Hi", "refused: +447700900001 opted out"]

    def test_can_answer_what_the_backend_cannot(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Reading"]
        assert gateways.get().parse_callback(REQUEST) == []

    def test_that_only_wrap_a_hook_do_not_make_it_supported(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.WrappingOnly"]
        assert not gateways.get().supports("parse_callback")

    def test_can_report_problems_of_the_configuration(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Worrying"]
        assert gateways.get().check(**URLS) == [Concern("list is empty")]

    def test_are_around_every_account(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Vetoing"]
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "dummy"}}
        with pytest.raises(Refused):
            gateways.get("alerts").send(MESSAGE)

    @pytest.mark.parametrize(
        ("path", "problem"),
        {
            "no such module": ("no_such_module.A", "cannot be made: ModuleNotFoundError"),
            "no such class": (f"{__name__}.Missing", "cannot be made: ImportError"),
            "no path": ("missing", "cannot be made: ImportError"),
            "breaks": (f"{__name__}.CannotBeMade", "cannot be made: RuntimeError: no list"),
            "no hook": (f"{__name__}.WithoutHooks", "implements no hook"),
            "misspelt hook": (
                f"{__name__}.ExtensionWithMisspeltHook",
                "implements an unknown hook, 'snd'. Did you mean 'send'?",
            ),
        }.values(),
    )
    def test_broken_are_an_error_that_names_the_extension(
        self, settings: Settings, path: str, problem: str
    ) -> None:
        settings.DJSMS_EXTENSIONS = [path]
        with pytest.raises(BackendBroken) as caught:
            gateways.get()
        assert f"The extension {path!r} {problem}" in str(caught.value)

    def test_that_are_one_object_under_two_names_are_an_error(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.shared", f"{__name__}.shared_too"]
        with pytest.raises(BackendBroken, match=r"shared' is there twice"):
            gateways.get()

    def test_listed_twice_are_an_error(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Outer", f"{__name__}.Outer"]
        with pytest.raises(InvalidOptions, match="Outer' twice"):
            gateways.get()


class TestOneGatewayPerAccount:
    def test_is_the_same_at_every_call(self) -> None:
        assert gateways.get() is gateways.get("default")

    def test_is_another_for_another_account(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        assert gateways.get("alerts").plugin is not gateways.get().plugin

    def test_knows_its_account_and_backend(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        gateway = gateways.get("alerts")
        assert (gateway.alias, gateway.backend) == ("alerts", "memory")

    def test_is_built_once_however_many_threads_ask_at_once(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        folder.install({"slow": SlowToMake})
        settings.DJSMS_BACKEND = "slow"
        start = threading.Barrier(20)
        got: list[gateways.Gateway] = []

        def get() -> None:
            start.wait()
            got.append(gateways.get())

        threads = [threading.Thread(target=get) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert heard == ["made"]
        assert len(got) == 20
        assert set(map(id, got)) == {id(got[0])}

    def test_is_built_anew_when_a_test_changes_our_settings(self, settings: Settings) -> None:
        before = gateways.get()
        settings.DJSMS_BACKEND = "dummy"
        assert gateways.get().backend == "dummy"
        assert before.backend == "memory"

    def test_is_back_when_the_test_is_over(self) -> None:
        with override_settings(DJSMS_BACKEND="dummy"):
            gateways.get()
        assert gateways.get().backend == "memory"

    def test_is_built_anew_when_a_test_changes_flat_settings(
        self, acme: Any, settings: Settings
    ) -> None:
        settings.ACME_TOKEN = "first"
        gateways.get()
        settings.ACME_TOKEN = "second"
        assert options_of().token == "second"

    def test_stays_when_a_test_changes_settings_of_others(self, settings: Settings) -> None:
        before = gateways.get()
        settings.LANGUAGE_CODE = "de"
        assert gateways.get() is before

    def test_does_not_look_into_properties(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        # a session that is opened when it is needed must not be opened before
        gateway = use(folder, settings, LazySession)
        assert gateway.hooks == ("send",)
        assert "session" not in vars(gateway.plugin)


class SlowToMake(DummyBackend):
    def __init__(self) -> None:
        time.sleep(0.05)
        heard.append("made")


class LazySession(DummyBackend):
    @cached_property
    def session(self) -> object:
        return object()

    @property
    def costly(self) -> object:
        raise AssertionError("evaluated")


class TestStandIn:
    def test_takes_the_place_of_every_backend(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "dummy"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "dummy"}}
        outbox = MemoryBackend()
        with gateways.replaced(lambda alias: outbox):
            gateways.get().send(MESSAGE)
            gateways.get("alerts").send(MESSAGE)
        assert outbox.messages == [MESSAGE, MESSAGE]

    def test_is_made_for_each_account(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "dummy"}}
        made = []

        def make(alias: str) -> MemoryBackend:
            made.append(alias)
            return MemoryBackend()

        with gateways.replaced(make):
            gateways.get()
            gateways.get("alerts")
            gateways.get("alerts")
        assert made == ["default", "alerts"]

    def test_needs_neither_a_default_account_nor_its_backend(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "not-installed-here"
        with gateways.replaced(lambda alias: MemoryBackend()):
            assert gateways.get().hooks
            del settings.DJSMS_BACKEND
            assert gateways.get().hooks

    def test_does_not_hide_that_an_account_is_unknown(self) -> None:
        with (
            gateways.replaced(lambda alias: MemoryBackend()),
            pytest.raises(AccountNotFound, match="alerts"),
        ):
            gateways.get("alerts")

    def test_may_leave_accounts_as_the_settings_have_them(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "dummy"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "dummy"}}
        outbox = MemoryBackend()
        with gateways.replaced(lambda alias: outbox if alias == "alerts" else None):
            assert gateways.get("alerts").plugin is outbox
            assert isinstance(gateways.get().plugin, DummyBackend)

    def test_keeps_the_extensions(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Vetoing"]
        with (
            gateways.replaced(lambda alias: MemoryBackend()),
            pytest.raises(Refused, match="opted out"),
        ):
            gateways.get().send(MESSAGE)

    def test_leaves_when_its_time_is_over(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "dummy"
        outbox = MemoryBackend()
        with gateways.replaced(lambda alias: outbox):
            gateways.get()
        assert gateways.get().backend == "dummy"

    def test_can_be_replaced_for_a_while(self) -> None:
        outer, inner = MemoryBackend(), MemoryBackend()
        with gateways.replaced(lambda alias: outer):
            with gateways.replaced(lambda alias: inner):
                gateways.get().send(MESSAGE)
            gateways.get().send(MESSAGE)
        assert (len(outer.messages), len(inner.messages)) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
class TestForkedChild:
    def test_builds_its_own(self) -> None:
        script = """
            parents = gateways.get()
            child(lambda: "shared" if gateways.get() is parents else "own")
        """
        assert in_a_process(script) == "own"

    def test_is_not_held_up_by_a_thread_of_the_parent_that_was_building(self) -> None:
        script = """
            import threading
            building, forked = threading.Event(), threading.Event()

            def make(alias):
                building.set()
                forked.wait(20)
                return MemoryBackend()

            def build():
                with gateways.replaced(make):
                    gateways.get()

            thread = threading.Thread(target=build)
            thread.start()
            building.wait()
            def work():
                gateways._stand_in = None
                return gateways.get().backend
            try:
                child(work)
            finally:
                forked.set()
                thread.join()
        """
        assert in_a_process(script) == "memory"


def in_a_process(script: str) -> str:
    """Run a script that forks in a process of its own, and return what its child printed."""
    source = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")
import django
from django.conf import settings
settings.configure(DJSMS_BACKEND="memory", INSTALLED_APPS=["djsms"])
django.setup()
from djsms.accounts import gateways
from djsms.backends import MemoryBackend

def child(work):
    pid = os.fork()
    if not pid:
        signal.alarm(10)
        print(work(), end="")
        sys.exit()
    os.waitpid(pid, 0)

if True:
"""
    return output(source + script)


class ReportsOnly(BaseBackend):
    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return [StatusReport(status=Status.SENT, ref="0" * 32)]


class TestWhatABackendCanDo:
    def test_is_what_it_implements(self, folder: distributions.Folder, settings: Settings) -> None:
        assert use(folder, settings, ReportsOnly).hooks == ("parse_callback",)

    def test_is_told_in_the_order_of_the_specification(self) -> None:
        assert gateways.get().hooks == ("send", "parse_callback", "parse_incoming")

    def test_includes_what_extensions_answer(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "dummy"
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Worrying"]
        assert gateways.get().hooks == ("send", "check")

    def test_sending_that_is_not_supported_names_backend_and_account(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        gateway = use(folder, settings, ReportsOnly)
        with pytest.raises(NotSupported, match=r"'probe' of the account 'default' has no send\(\)"):
            gateway.send(MESSAGE)

    @pytest.mark.parametrize("hook", ["parse_callback", "parse_incoming"])
    def test_so_does_reading(self, settings: Settings, hook: str) -> None:
        settings.DJSMS_BACKEND = "dummy"
        with pytest.raises(NotSupported, match=rf"'dummy' .* has no {hook}\(\)"):
            getattr(gateways.get(), hook)(REQUEST)

    @pytest.mark.parametrize(
        ("hook", "arguments"), [("fetch_reports", [[SENT]]), ("fetch_balance", [])]
    )
    def test_so_does_asking(self, settings: Settings, hook: str, arguments: list[Any]) -> None:
        settings.DJSMS_BACKEND = "dummy"
        with pytest.raises(NotSupported, match=rf"'dummy' .* has no {hook}\(\)"):
            getattr(gateways.get(), hook)(*arguments)

    def test_does_not_include_proving_requests_unless_it_says_so(self) -> None:
        assert gateways.get().verifies("parse_callback") is False

    @pytest.mark.parametrize("backend", ["VerifyingByProperty", "VerifyingByField"])
    def test_includes_proving_requests_if_it_says_so(
        self, folder: distributions.Folder, settings: Settings, backend: str
    ) -> None:
        assert use(folder, settings, f"{__name__}:{backend}").verifies("parse_callback") is True

    def test_may_include_proving_the_requests_of_one_hook(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        gateway = use(folder, settings, f"{__name__}:VerifyingReports")
        assert gateway.verifies("parse_callback") is True
        assert gateway.verifies("parse_incoming") is False

    @pytest.mark.parametrize("claim", ["parse_callback", ["parse_callback"], 1, {}, None])
    def test_anything_else_that_is_said_of_it_proves_nothing(
        self, folder: distributions.Folder, settings: Settings, claim: object
    ) -> None:
        settings.DJSMS_OPTIONS = {"claim": claim}
        gateway = use(folder, settings, f"{__name__}:VerifyingByWord")
        assert gateway.verifies("parse_callback") is False

    def test_a_method_in_the_place_of_the_property_proves_nothing(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        gateway = use(folder, settings, f"{__name__}:VerifyingByMethod")
        assert gateway.verifies("parse_callback") is False

    def test_an_extension_that_may_answer_first_leaves_nothing_proven(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.AnsweringReports"]
        gateway = use(folder, settings, f"{__name__}:VerifyingByProperty")
        assert gateway.verifies("parse_callback") is False

    def test_does_not_need_our_base_class(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        gateway = use(folder, settings, OfNoBase)
        assert gateway.send(MESSAGE) == SendResult.accepted("plain")
        assert gateway.verifies("send") is False

    def test_may_be_checking_alone(self, folder: distributions.Folder, settings: Settings) -> None:
        assert use(folder, settings, Worrying).check(**URLS) == [Concern("list is empty")]

    def test_may_be_under_another_method_name(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        assert use(folder, settings, OtherName).hooks == ("send",)

    def test_a_check_that_returns_nothing_has_found_nothing(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        assert use(folder, settings, ContentCheck).check(**URLS) == []


class VerifyingByMethod(ReportsOnly):
    def verifies_webhooks(self) -> bool:  # type: ignore[override]
        return False


class AnsweringReports:
    @hookimpl
    def parse_callback(self, request: HttpRequest) -> list[StatusReport]:
        return []


class VerifyingByProperty(ReportsOnly):
    @property
    def verifies_webhooks(self) -> bool:
        return True


class VerifyingByField(ReportsOnly):
    verifies_webhooks = True  # type: ignore[assignment]


class VerifyingReports(ReportsOnly):
    verifies_webhooks = {"parse_callback"}  # type: ignore[assignment]


class VerifyingByWord(AnsweringReports):
    def __init__(self, claim: Any) -> None:
        self.verifies_webhooks = claim


class OfNoBase:
    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return SendResult.accepted("plain")


class OtherName:
    @hookimpl(specname="send")
    def hand_over(self, message: OutgoingText) -> SendResult:
        raise NotImplementedError


class ContentCheck:
    @hookimpl
    def check(self) -> None:
        return None


class Returning:
    """A backend whose hooks return whatever its option says."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @hookimpl
    def send(self) -> Any:
        return self.value

    @hookimpl
    def parse_callback(self) -> Any:
        return self.value

    @hookimpl
    def parse_incoming(self) -> Any:
        return self.value

    @hookimpl
    def webhook_addresses(self) -> Any:
        return self.value

    @hookimpl
    def fetch_reports(self) -> Any:
        return self.value

    @hookimpl
    def fetch_balance(self) -> Any:
        return self.value


class Echoing:
    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        return [StatusReport(status=Status.SENT, ref=message.ref) for message in messages]


@pytest.fixture
def returning(folder: distributions.Folder, settings: Settings) -> Any:
    def gateway(value: Any) -> gateways.Gateway:
        settings.DJSMS_OPTIONS = {"value": value}
        return use(folder, settings, Returning)

    return gateway


class TestMisfitAnswers:
    """A backend's slip is an error that names it, not something strange in the database."""

    @pytest.mark.parametrize(
        ("value", "named"),
        {
            "nothing": (None, "nothing"),
            "a dictionary": ({"id": "1"}, "dict"),
            "a text": ("1", "str"),
            "generator": ((part for part in ()), "generator"),
            "no parts": (SendResult(parts=()), "a SendResult without parts"),
            "texts for parts": (
                SendResult(parts=("1",)),  # type: ignore[arg-type]
                "a SendResult with str for a part",
            ),
            "one part alone": (
                SendResult(parts=SentPart()),  # type: ignore[arg-type]
                "a SendResult with SentPart for its parts",
            ),
            "no currency": (
                SendResult(parts=(SentPart(),), currency=None),  # type: ignore[arg-type]
                "a SendResult with nothing for its currency",
            ),
        }.values(),
    )
    def test_to_send(self, returning: Any, value: Any, named: str) -> None:
        gateway = returning(value)
        with pytest.raises(TypeError) as caught:
            gateway.send(MESSAGE)
        assert str(caught.value) == (
            f"send() of the backend 'probe' returned {named}; it must return a SendResult: "
            "SendResult.accepted(id), with the provider's id"
        )

    @pytest.mark.parametrize(
        ("hook", "kind"),
        [
            ("parse_callback", "StatusReport"),
            ("parse_incoming", "IncomingText"),
            ("fetch_reports", "StatusReport"),
        ],
    )
    @pytest.mark.parametrize(
        ("value", "named"),
        {
            "nothing": (None, "nothing"),
            "a dictionary": ({"id": "1"}, "dict"),
            "a tuple": ((), "tuple"),
            "generator": ((part for part in ()), "generator"),
            "dictionaries": ([{"id": "1"}], "a list with dict in it"),
        }.values(),
    )
    def test_to_reading(self, returning: Any, hook: str, kind: str, value: Any, named: str) -> None:
        gateway = returning(value)
        with pytest.raises(TypeError) as caught:
            getattr(gateway, hook)(REQUEST)
        assert (
            str(caught.value)
            == f"{hook}() of the backend 'probe' returned {named}, not a list of {kind}"
        )

    @pytest.mark.parametrize(
        ("value", "named"), [(None, "nothing"), (Decimal(3), "Decimal"), ([], "list")]
    )
    def test_to_asking_for_the_balance(self, returning: Any, value: Any, named: str) -> None:
        gateway = returning(value)
        with pytest.raises(TypeError) as caught:
            gateway.fetch_balance()
        assert (
            str(caught.value)
            == f"fetch_balance() of the backend 'probe' returned {named}, not a Balance"
        )

    def test_values_of_the_other_hook(self, returning: Any) -> None:
        gateway = returning([IncomingText(frm="", to="", text="")])
        with pytest.raises(TypeError, match="a list with IncomingText in it"):
            gateway.parse_callback(REQUEST)


class TestAnswers:
    def test_to_send_come_back_as_they_are(self, returning: Any) -> None:
        result = SendResult.accepted("1")
        assert returning(result).send(MESSAGE) is result

    def test_to_reading_may_be_empty(self, returning: Any) -> None:
        assert returning([]).parse_incoming(REQUEST) == []

    def test_to_reading_come_back_in_order(self, returning: Any) -> None:
        texts = [IncomingText(frm="", to="", text=text) for text in "ab"]
        assert returning(texts).parse_incoming(REQUEST) == texts

    def test_to_asking_for_the_balance_come_back_as_they_are(self, returning: Any) -> None:
        balance = Balance(amount=Decimal("12.30"), currency="EUR")
        assert returning(balance).fetch_balance() is balance

    def test_are_about_the_messages_that_were_asked_about(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        [report] = use(folder, settings, Echoing).fetch_reports([SENT])
        assert report.ref == SENT.ref


class TestWebhookAddresses:
    def test_are_those_that_the_backend_tells(self, returning: Any) -> None:
        assert returning({"DLR URL": "x"}).webhook_addresses(**URLS) == {"DLR URL": "x"}

    def test_are_the_plain_ones_if_it_tells_none(self) -> None:
        assert gateways.get().webhook_addresses(**URLS) == {
            "status reports": "https://example.com/c/",
            "incoming texts": "https://example.com/i/",
        }

    def test_leave_out_what_the_backend_cannot_read(
        self, folder: distributions.Folder, settings: Settings
    ) -> None:
        addresses = use(folder, settings, ReportsOnly).webhook_addresses(**URLS)
        assert list(addresses) == ["status reports"]

    def test_leave_out_what_is_not_known(self) -> None:
        assert gateways.get().webhook_addresses("", "") == {}


class TestImports:
    """What happens when; each seen from a process of its own."""

    @pytest.mark.parametrize(
        "module", ["django", "requests", "phonenumbers", "rich", "importlib.metadata"]
    )
    def test_the_package_alone_imports_little(self, module: str) -> None:
        assert module not in imports_of("import djsms")

    @pytest.mark.parametrize(
        "module",
        [
            *("requests", "urllib3", "phonenumbers", "rich"),
            *("djsms_console", "djsms_file", "djsms_kannel", "djsms_nexmo", "djsms_twilio"),
        ],
    )
    def test_setting_django_up_imports_no_backend_and_none_of_their_needs(
        self, module: str
    ) -> None:
        assert module not in imports_of(SETUP)

    def test_installed_distributions_are_searched_once_when_the_first_account_is_used(
        self,
    ) -> None:
        script = """
class Watching:
    searches = 0

    def find_spec(self, *args):
        return None

    def find_distributions(self, context):
        Watching.searches += 1
        return ()

sys.meta_path.append(Watching())
django.setup()
from djsms.accounts import gateways
after_setup = Watching.searches
gateways.get()
after_first_use = Watching.searches
gateways.get().hooks
print(after_setup, after_first_use, Watching.searches)
"""
        assert output(f"import sys\n{SETTINGS}{script}").split() == ["0", "1", "1"]


SETTINGS = """
import django
from django.conf import settings
settings.configure(DJSMS_BACKEND="memory", INSTALLED_APPS=["djsms"])
"""
SETUP = f"{SETTINGS}django.setup()"


@cache
def imports_of(statements: str) -> frozenset[str]:
    """Return the modules that a new process imports for these statements."""
    script = f"import json, sys\nbefore = set(sys.modules)\n{statements}\n"
    return frozenset(
        json.loads(output(f"{script}print(json.dumps(sorted(set(sys.modules) - before)))"))
    )


def output(script: str) -> str:
    """Run a script in a process of its own, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
