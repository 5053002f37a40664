"""manage.py check tells what would keep a text from going out, or a report from coming in.

Each problem has a stable id, names its account, says what to do, and shows no secret.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributions
import pytest
import routers
from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections
from django.urls import include, path, set_urlconf

from djsms import OutgoingText, SendResult, hookimpl
from djsms.accounts import gateways
from djsms.backends import BaseBackend

SECRET = "hunter2"

PROVIDER = """
    from dataclasses import dataclass, field
    from djsms import SendResult, hookimpl

    @dataclass(frozen=True, kw_only=True)
    class Backend:
        token: str = field(default="", repr=False)

        @hookimpl
        def send(self, message):
            return SendResult.accepted("1")

        @hookimpl
        def parse_callback(self, request):
            return []
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[distributions.Folder]:
    with distributions.folder(tmp_path) as folder:
        yield folder
    gateways.clear()


@pytest.fixture
def acme(folder: distributions.Folder, settings: Any) -> distributions.Folder:
    """A provider that reports statuses, chosen for the default account."""
    folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": PROVIDER})
    settings.DJSMS_BACKEND = "acme"
    return folder


def found(*, deploy: bool = False) -> list[CheckMessage]:
    return checks.run_checks(tags=["djsms"], include_deployment_checks=deploy, databases=[])


def only(id: str, *, deploy: bool = False) -> CheckMessage:
    [message] = [message for message in found(deploy=deploy) if message.id == id]
    assert message.hint, "says what to do"
    return message


def ids(*, deploy: bool = False) -> list[str | None]:
    return [message.id for message in found(deploy=deploy)]


def test_sound_settings_pass() -> None:
    assert found() == []


def test_a_provider_that_can_reach_us_passes(acme: distributions.Folder) -> None:
    assert found(deploy=True) == []


class TestAccounts:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("DJSMS_BACKEND", 5),
            ("DJSMS_ACCOUNTS", ["alerts"]),
            ("DJSMS_OPTIONS", "token"),
            ("DJSMS_EXTENSIONS", "shop.sms.Log"),
            ("DJSMS_PARTS_TIMEOUT", 30),
            ("DJSMS_KEEP_TEXTS", 90),
            ("DJSMS_HEALTH_TOKEN", "short"),
        ],
    )
    def test_a_malformed_setting_is_named(self, settings: Any, name: str, value: object) -> None:
        setattr(settings, name, value)
        assert name in only("djsms.E001").msg

    def test_a_malformed_account_is_named_and_hides_no_other(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKND": "acme"}, "codes": {"BACKEND": "nix"}}
        assert only("djsms.E001").obj == "account 'alerts'"
        assert only("djsms.E002").obj == "account 'codes'"

    def test_an_unknown_backend_comes_with_the_one_that_was_meant(self, settings: Any) -> None:
        settings.DJSMS_BACKEND = "memroy"
        message = only("djsms.E002")
        assert str(message).startswith("account 'default': (djsms.E002)")
        assert "Did you mean 'memory'?" in message.msg

    def test_a_backend_that_cannot_be_imported_gives_its_reason(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": "import no_such_module"})
        settings.DJSMS_BACKEND = "acme"
        assert "No module named 'no_such_module'" in only("djsms.E003").msg

    def test_a_name_claimed_twice_is_told_with_both_distributions(
        self, acme: distributions.Folder
    ) -> None:
        acme.install({"acme": "other:Backend"}, {"other": PROVIDER}, name="djsms-other")
        assert "djsms-acme 1.0 and djsms-other 1.0" in only("djsms.E004").msg
        assert "Uninstall one" in str(only("djsms.E004").hint)

    def test_what_is_wrong_with_a_backend_of_the_project_is_to_be_put_right_there(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.DJSMS_LOCAL_BACKENDS = {"acme": "shop.texts.Acme"}
        assert only("djsms.E004").hint == "Give yours another name in DJSMS_LOCAL_BACKENDS."
        settings.DJSMS_BACKEND = "ours"
        settings.DJSMS_LOCAL_BACKENDS = {"ours": "no_such_module.Ours"}
        assert "DJSMS_LOCAL_BACKENDS" in str(only("djsms.E003").hint)
        assert "distribution" not in str(only("djsms.E003").hint)

    @pytest.mark.parametrize(
        ("flat", "value", "words"),
        [
            ("DJSMS_RATE", "30", "DJSMS_RATE: '30' is no rate."),
            ("DJSMS_FROM", "", "DJSMS_FROM: The sender '' is empty"),
            ("DJSMS_OPTIONS", {1: 2}, "DJSMS_OPTIONS must be a dictionary by the options' names."),
        ],
    )
    def test_a_setting_is_named_as_the_project_has_it(
        self, settings: Any, flat: str, value: object, words: str
    ) -> None:
        setattr(settings, flat, value)
        message = only("djsms.E001")
        assert message.msg.startswith(words)
        assert message.hint == "Correct the setting."

    def test_a_setting_in_the_dictionary_of_accounts_is_named_there(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory", "RATE": "30"}}
        assert only("djsms.E001").msg.startswith("DJSMS_ACCOUNTS['alerts']['RATE']: '30' is no")

    def test_so_is_that_of_a_default_account_that_stands_there(self, settings: Any) -> None:
        del settings.DJSMS_BACKEND
        settings.DJSMS_ACCOUNTS = {"default": {"BACKEND": "memory", "RATE": "30"}}
        assert only("djsms.E001").msg.startswith("DJSMS_ACCOUNTS['default']['RATE']: ")
        settings.DJSMS_ACCOUNTS = {"default": {"BACKEND": "memory"}}
        settings.DJSMS_RATE = "30"
        assert only("djsms.E001").msg.startswith("DJSMS_RATE: ")

    def test_a_misspelt_option_is_told_and_its_value_is_not(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.DJSMS_OPTIONS = {"tokn": SECRET}
        message = only("djsms.W009")
        assert "Did you mean 'token'?" in message.msg
        assert SECRET not in str(message)

    def test_a_backend_may_refuse_its_options_in_django_s_own_words(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        source = """
            from django.core.exceptions import ImproperlyConfigured
            from djsms import hookimpl

            class Backend:
                def __init__(self):
                    raise ImproperlyConfigured("Give it a region.")

                @hookimpl
                def send(self, message): ...
        """
        folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": source})
        settings.DJSMS_BACKEND = "acme"
        assert "Give it a region." in only("djsms.W009").msg

    def test_one_broken_account_hides_no_other(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "nix"}}
        settings.DJSMS_BASE_URL = ""
        assert {(message.id, message.obj) for message in found()} == {
            ("djsms.E002", "account 'alerts'"),
            ("djsms.W002", "account 'default'"),
        }

    def test_no_account_at_all_is_a_warning(self, settings: Any) -> None:
        settings.DJSMS_BACKEND = None
        assert "DJSMS_BACKEND" in str(only("djsms.W001").hint)

    def test_named_accounts_without_a_default_are_enough(self, settings: Any) -> None:
        settings.DJSMS_BACKEND = None
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        assert found() == []


class Watching:
    """An extension as it should be."""

    @hookimpl(wrapper=True)
    def send(self, message: OutgoingText) -> Any:
        return (yield)


class Misspelt:
    @hookimpl
    def sned(self, message: OutgoingText) -> None: ...


class Failing:
    def __init__(self) -> None:
        raise RuntimeError(SECRET)


class TestExtensions:
    def test_a_sound_one_passes(self, settings: Any) -> None:
        settings.DJSMS_EXTENSIONS = [f"{__name__}.Watching"]
        assert found() == []

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("no_such_app.sms.Log", "No module named 'no_such_app'"),
            (f"{__name__}.Misspelt", "Did you mean 'send'?"),
            (f"{__name__}.Failing", "RuntimeError at "),
            (f"{__name__}.Failing", f"import {__name__}; {__name__}.Failing()"),
            (f"{__name__}.Wanting", "TypeError: Wanting.__init__() missing 1 required"),
            (f"{__name__}.Unset", "ImproperlyConfigured: Set SHOP_PHONES."),
        ],
    )
    def test_a_broken_one_is_told_once_however_many_accounts_there_are(
        self, settings: Any, path: str, reason: str
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        settings.DJSMS_EXTENSIONS = [path]
        message = only("djsms.E006")
        assert path in message.msg
        assert reason in message.msg
        assert SECRET not in message.msg
        assert ids(deploy=True) == ["djsms.E006"]


class Wanting:
    def __init__(self, phones: object) -> None:
        pass


class Unset:
    def __init__(self) -> None:
        raise ImproperlyConfigured("Set SHOP_PHONES.")


class TestAddresses:
    def test_without_a_base_url_a_provider_cannot_report(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.DJSMS_BASE_URL = ""
        assert only("djsms.W002").obj == "account 'default'"

    def test_without_our_urls_a_provider_cannot_report(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.ROOT_URLCONF = "django.contrib.auth.urls"
        warning = only("djsms.W003")
        assert "djsms.urls" in str(warning.hint)
        assert "(django.contrib.auth.urls) does not include djsms.urls" in warning.msg

    def test_nor_can_it_below_a_path_with_a_variable_part(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.ROOT_URLCONF = (path("<slug:shop>/", include("djsms.urls")),)
        assert "below a path with a variable part" in only("djsms.W003").msg

    def test_a_namespace_around_our_urls_does_no_harm(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        inner = [path("djsms/", include("djsms.urls"))]
        settings.ROOT_URLCONF = (path("api/", include((inner, "api"))),)
        assert found() == []

    def test_nor_does_a_request_with_another_urlconf(self, acme: distributions.Folder) -> None:
        set_urlconf("django.contrib.auth.urls")
        try:
            assert found() == []
        finally:
            set_urlconf(None)

    def test_a_backend_that_only_sends_needs_neither(
        self, folder: distributions.Folder, settings: Any
    ) -> None:
        settings.DJSMS_BACKEND = "dummy"
        settings.DJSMS_BASE_URL = ""
        settings.ROOT_URLCONF = "django.contrib.auth.urls"
        assert found() == []

    def test_nor_does_a_local_one_which_has_no_provider(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = ""
        assert found() == []

    def test_urls_that_cannot_be_imported_are_left_to_django(
        self, acme: distributions.Folder, settings: Any
    ) -> None:
        settings.ROOT_URLCONF = "no_such_urls"
        assert found() == []

    @pytest.mark.parametrize(
        "url", ["example.com", "//example.com", "ftp://example.com", "https://"]
    )
    def test_a_base_url_is_the_address_of_a_site(
        self, acme: distributions.Folder, settings: Any, url: str
    ) -> None:
        settings.DJSMS_BASE_URL = url
        assert "'https://example.com'" in str(only("djsms.W010").hint)
        assert ids(deploy=True) == ["djsms.W010"]

    def test_what_is_in_a_wrong_base_url_is_not_repeated(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = f"sam:{SECRET}@example.com"
        assert SECRET not in str(only("djsms.W010"))

    @pytest.mark.parametrize(
        ("url", "allowed"),
        [
            ("https://example.com", ["example.com"]),
            ("https://www.example.com/sub/", [".example.com"]),
            ("https://example.com", ["other.example", "*"]),
            ("HTTPS://EXAMPLE.COM:8443", ["example.com"]),
            ("http://localhost:8000", ["localhost"]),
            ("http://[::1]:8000", ["[::1]"]),
            ("", []),
        ],
    )
    def test_a_host_that_django_lets_in_passes(
        self, settings: Any, url: str, allowed: list[str]
    ) -> None:
        settings.DJSMS_BASE_URL, settings.ALLOWED_HOSTS = url, allowed
        assert found() == []

    @pytest.mark.parametrize(
        ("url", "allowed"),
        [
            ("https://example.com", []),
            ("https://example.com", ["www.example.com"]),
            ("https://example.com.evil.example/", [".example.com"]),
        ],
    )
    def test_a_host_that_django_turns_away_is_a_warning(
        self, settings: Any, url: str, allowed: list[str]
    ) -> None:
        settings.DJSMS_BASE_URL, settings.ALLOWED_HOSTS = url, allowed
        assert "ALLOWED_HOSTS lacks 'example.com" in only("djsms.W012").msg

    def test_in_development_django_lets_this_machine_in(self, settings: Any) -> None:
        settings.DEBUG, settings.ALLOWED_HOSTS = True, []
        settings.DJSMS_BASE_URL = "http://localhost:8000"
        assert found() == []
        settings.DJSMS_BASE_URL = "https://example.com"
        assert only("djsms.W012")

    def test_in_development_a_list_without_this_machine_is_a_warning(self, settings: Any) -> None:
        settings.DEBUG, settings.ALLOWED_HOSTS = True, ["shop.example"]
        settings.DJSMS_BASE_URL = "http://localhost:8000"
        assert only("djsms.W012")

    @pytest.mark.parametrize(
        "host", ["localhost:8000", "shop.localhost", "127.0.0.1", "[::1]:8000"]
    )
    def test_under_test_this_machine_needs_no_place_in_the_list(
        self, settings: Any, host: str
    ) -> None:
        settings.DEBUG, settings.ALLOWED_HOSTS = False, ["testserver"]
        settings.DJSMS_BASE_URL = f"http://{host}"
        assert found() == []

    def test_a_password_in_a_base_url_is_not_repeated(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL, settings.ALLOWED_HOSTS = f"https://sam:{SECRET}@example.com", []
        assert SECRET not in str(only("djsms.W012"))


NEEDY = """
    import os
    from pathlib import Path
    from djsms import hookimpl

    class Backend:
        def __init__(self, kind, key=""):
            if kind == "empty":
                raise ValueError("key must not be empty")
            if kind == "unforeseen":
                os.environ["NO_SUCH_KEY"]
            if kind == "file":
                Path("/no/such/key.pem").read_text()

        @hookimpl
        def send(self, message): ...

        @hookimpl
        def check(self):
            from django.core.checks import Error
            return [Error("There is no key.", id="acme.E001")]
"""


class TestWithoutCredentials:
    """As in an image that is built, or with a colleague who sends nothing."""

    @pytest.fixture(params=["empty", "unforeseen", "file", "own check", "missing", "address"])
    def needy(
        self, request: pytest.FixtureRequest, folder: distributions.Folder, settings: Any
    ) -> None:
        folder.install({"acme": "acme_sms:Backend"}, {"acme_sms": NEEDY})
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_OPTIONS = {} if request.param == "missing" else {"kind": request.param}
        if request.param == "address":
            settings.DJSMS_BASE_URL = "https://"

    @pytest.mark.django_db(databases="__all__")
    @pytest.mark.parametrize(
        "command",
        [
            ("migrate", "--check"),
            ("makemigrations", "--check", "--dry-run"),
            ("showmigrations",),
        ],
        ids=" ".join,
    )
    def test_commands_that_send_nothing_run(self, needy: None, command: tuple[str, ...]) -> None:
        call_command(*command, skip_checks=False, verbosity=0)

    def test_check_itself_says_that_nothing_keeps_the_code_from_running(self, needy: None) -> None:
        call_command("check")

    def test_a_developer_is_told_what_is_missing(self, needy: None) -> None:
        [message] = found()
        assert message.level == checks.WARNING
        assert message.hint or message.id == "acme.E001"

    def test_a_release_can_be_stopped_by_it(self, needy: None) -> None:
        with pytest.raises(SystemCheckError):
            call_command("check", fail_level="WARNING")


class TestTheTables:
    @pytest.mark.parametrize("alias", [alias for alias in connections if alias != "default"])
    def test_no_database_is_told_off_for_the_conditions_that_it_does_not_know(
        self, alias: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(routers, "current", alias)
        for model in apps.get_models():
            assert model.check(databases=[alias]) == []


class TestTheProject:
    def test_believing_unproven_requests_is_a_warning(self, settings: Any) -> None:
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = True
        assert "DJSMS_ALLOW_UNVERIFIED_WEBHOOKS" in only("djsms.W004").msg

    def test_requests_in_transactions_are_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)
        warning = only("djsms.W005")
        assert "'default'" in warning.msg
        assert "enqueue_text" in str(warning.hint)

    def test_times_without_a_zone_are_a_warning(self, settings: Any) -> None:
        settings.USE_TZ = False
        assert "USE_TZ" in only("djsms.W006").msg


class TestDeployment:
    def test_plain_http_is_a_warning_there_only(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = "HTTP://example.com"
        assert ids() == []
        assert only("djsms.W007", deploy=True)

    @pytest.mark.parametrize("backend", ["memory", "dummy"])
    def test_texts_that_reach_no_phone_are_a_warning_there_only(
        self, settings: Any, backend: str
    ) -> None:
        settings.DJSMS_BACKEND = backend
        assert ids() == []
        assert only("djsms.W008", deploy=True).obj == "account 'default'"

    def test_what_is_wrong_at_any_rate_is_not_told_twice(self, settings: Any) -> None:
        settings.DJSMS_BACKEND = "nix"
        assert ids(deploy=True) == ["djsms.E002"]


class Checking(BaseBackend):
    """Answers to the check with what the test wants."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return SendResult.accepted("1")

    @hookimpl
    def check(self, callback_url: str, incoming_url: str) -> Any:
        self.asked.append((callback_url, incoming_url))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def with_answer(answer: Any) -> list[CheckMessage]:
    with gateways.replaced(lambda alias: Checking(answer)):
        return found()


class TestWhatABackendFinds:
    def test_is_told_with_the_account_s_name(self) -> None:
        assert with_answer([CheckWarning("No credit card.", id="acme.W001")]) == [
            CheckWarning("No credit card.", obj="account 'default'", id="acme.W001")
        ]

    def test_is_a_warning_at_most(self) -> None:
        kept = Error("No credit card.", id="acme.E001")
        [message] = with_answer([kept])
        assert (message.id, message.level) == ("acme.E001", checks.WARNING)
        assert kept.level == checks.ERROR

    def test_keeps_the_object_that_the_backend_gave_it(self) -> None:
        [message] = with_answer([Error("No credit card.", obj="the wallet", id="acme.E001")])
        assert message.obj == "the wallet"

    def test_is_not_taken_from_one_account_to_another(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        kept = [Error("No credit card.", id="acme.E001")]
        assert {message.obj for message in with_answer(kept)} == {
            "account 'default'",
            "account 'alerts'",
        }

    def test_it_is_asked_with_the_account_s_addresses(self) -> None:
        backend = Checking([])
        with gateways.replaced(lambda alias: backend):
            found()
        [(callback_url, incoming_url)] = backend.asked
        assert callback_url.startswith("https://example.com/djsms/callback/default/")
        assert incoming_url.startswith("https://example.com/djsms/incoming/default/")

    def test_an_error_in_its_check_is_a_message_with_its_place_and_without_its_words(self) -> None:
        [message] = with_answer(RuntimeError(f"cannot log in with {SECRET}"))
        assert message.id == "djsms.W011"
        assert message.obj == "account 'default'"
        assert "RuntimeError" in message.msg
        assert Path(__file__).name in message.msg
        assert SECRET not in str(message)

    @pytest.mark.parametrize("answer", ["all is well", ["all is well"], 5, [None]])
    def test_what_is_no_list_of_messages_is_a_message_too(self, answer: object) -> None:
        assert {message.id for message in with_answer(answer)} == {"djsms.W011"}
