"""``djsms webhooks`` prints the addresses to paste, and says what keeps it from doing so."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import include, path

from djsms import hookimpl
from djsms.accounts import addresses, gateways
from djsms.backends import LocalBackend


def webhooks(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("djsms", "webhooks", *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


class PickyBackend(LocalBackend):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    def webhook_addresses(self, callback_url: str, incoming_url: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"DLR": f"{callback_url}{self.answer}"}


def test_they_bear_the_account_s_token() -> None:
    token = addresses.token("default")
    assert webhooks("-v0") == (
        "default (memory)\n"
        f"  status reports  https://example.com/djsms/callback/default/{token}/\n"
        f"  incoming texts  https://example.com/djsms/incoming/default/{token}/\n"
    )


def test_they_come_with_the_advice_to_keep_them_secret() -> None:
    assert "like passwords" in webhooks()


def test_all_accounts_are_shown_or_the_one_that_is_asked_for(settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    assert "/callback/default/" in webhooks()
    assert "/callback/alerts/" in webhooks()
    assert "/callback/default/" not in webhooks("alerts")


def test_a_backend_shows_them_as_its_provider_wants_them() -> None:
    with gateways.replaced(lambda alias: PickyBackend("?status=%d")):
        assert f"  DLR  {addresses.webhook_url('default', 'callback')}?status=%d\n" in webhooks()


def test_a_backend_without_a_provider_has_none(settings: Any) -> None:
    settings.DJSMS_BACKEND = "dummy"
    assert "takes no requests" in webhooks()


def test_all_that_is_missing_is_named_and_the_urls_first(settings: Any) -> None:
    settings.ROOT_URLCONF, settings.DJSMS_BASE_URL = "django.contrib.auth.urls", ""
    with pytest.raises(CommandError, match=r'add path\("djsms/".*; and set DJSMS_BASE_URL'):
        webhooks()


def test_a_namespace_around_our_urls_does_no_harm(settings: Any) -> None:
    inner = [path("djsms/", include("djsms.urls"))]
    settings.ROOT_URLCONF = (path("shop/", include((inner, "shop"))),)
    assert "https://example.com/shop/djsms/callback/" in webhooks()


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        ("DJSMS_BASE_URL", "", "DJSMS_BASE_URL = 'https://example.com'"),
        ("DJSMS_BASE_URL", "example.com", "'https://example.com'"),
        ("ROOT_URLCONF", "django.contrib.auth.urls", 'path("djsms/", include("djsms.urls"))'),
        ("DJSMS_BACKEND", None, "set DJSMS_BACKEND"),
        ("DJSMS_ACCOUNTS", 5, "DJSMS_ACCOUNTS"),
    ],
)
def test_what_is_missing_is_named(settings: Any, setting: str, value: object, advice: str) -> None:
    setattr(settings, setting, value)
    with pytest.raises(CommandError) as error:
        webhooks()
    assert advice in str(error.value)


def test_an_unknown_account_is_told_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match=r"no account 'nope' .*known: 'default'"):
        webhooks("nope")


def test_one_broken_account_hides_no_other(settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "nix"}}
    out = io.StringIO()
    with pytest.raises(CommandError, match="Account 'alerts': No installed backend"):
        call_command("djsms", "webhooks", stdout=out)
    assert "/callback/default/" in out.getvalue()


def test_a_backend_that_fails_is_told_without_a_traceback() -> None:
    with (
        gateways.replaced(lambda alias: PickyBackend(RuntimeError("oops"))),
        pytest.raises(
            CommandError, match="Account 'default': its backend failed with RuntimeError"
        ),
    ):
        webhooks()


def test_its_note_is_not_in_red(settings: Any) -> None:
    out, err = io.StringIO(), io.StringIO()
    call_command("djsms", "webhooks", "--force-color", stdout=out, stderr=err)
    assert "passwords" in err.getvalue()
    assert "\x1b[31" not in err.getvalue()
