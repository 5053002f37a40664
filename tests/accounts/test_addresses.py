"""The addresses that providers call, and the token in them that proves a request."""

from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, resolve, reverse, set_urlconf
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from djsms.accounts.addresses import _token, bears_token, token, webhook_url
from djsms.exceptions import InvalidOptions
from djsms.receiving import views

BASE = "https://example.com"


class TestToken:
    def test_is_the_same_in_every_release(self, settings: Settings) -> None:
        # people have pasted it into the settings of their providers
        settings.SECRET_KEY = "golden"
        assert token("default") == "vZMHLFeJmzVyKuR4EGjsdw"

    def test_has_128_bits_in_characters_that_need_no_escape(self) -> None:
        assert len(token("default")) == 22
        assert set(token("default")) <= set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        )

    def test_is_anothers_for_another_account(self) -> None:
        assert token("default") != token("alerts")

    def test_is_another_by_another_key(self, settings: Settings) -> None:
        before = token("default")
        settings.SECRET_KEY = "another key"
        assert token("default") != before

    def test_may_be_made_by_a_key_of_bytes(self, settings: Settings) -> None:
        settings.SECRET_KEY = "golden"
        by_text = token("default")
        settings.SECRET_KEY = b"golden"
        assert token("default") == by_text

    def test_says_nothing_of_the_key(self, settings: Settings) -> None:
        settings.SECRET_KEY = "abc"
        assert "abc" not in token("default")


class TestProof:
    def test_is_the_accounts_own_token(self) -> None:
        assert bears_token("default", token("default"))

    def test_is_not_the_token_of_another_account(self) -> None:
        assert not bears_token("default", token("alerts"))

    def test_is_not_the_token_by_a_key_that_was_given_up(self, settings: Settings) -> None:
        before = token("default")
        settings.SECRET_KEY = "another key"
        assert not bears_token("default", before)

    def test_is_the_token_by_a_former_key_among_the_fallbacks(self, settings: Settings) -> None:
        before = token("default")
        settings.SECRET_KEY_FALLBACKS = ["older still", settings.SECRET_KEY]
        settings.SECRET_KEY = "another key"
        assert bears_token("default", before)

    @pytest.mark.parametrize("key", ["", b""], ids=["text", "bytes"])
    def test_is_not_the_token_by_an_empty_key(self, settings: Settings, key: Any) -> None:
        # which anybody can compute; an unset variable of the environment leaves one behind
        settings.SECRET_KEY_FALLBACKS = [key]
        assert not bears_token("default", _token("default", key))

    def test_is_the_token_by_the_key_while_there_are_fallbacks(self, settings: Settings) -> None:
        settings.SECRET_KEY_FALLBACKS = ["older"]
        assert bears_token("default", token("default"))

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda token: "", id="empty"),
            pytest.param(lambda token: token[:-1], id="shorter"),
            pytest.param(lambda token: token + "A", id="longer"),
            pytest.param(lambda token: token + "=", id="padded"),
            pytest.param(lambda token: token.swapcase(), id="in another case"),
            pytest.param(lambda token: f" {token}", id="after a space"),
        ],
    )
    def test_is_nothing_almost_like_it(self, change: Any) -> None:
        assert not bears_token("default", change(token("default")))

    @given(st.text())
    def test_is_no_other_text(self, text: str) -> None:
        assert not bears_token("default", text)


class TestUrl:
    def test_holds_account_and_token(self) -> None:
        assert webhook_url("default", "callback") == (
            f"{BASE}/djsms/callback/default/{token('default')}/"
        )

    def test_differs_for_incoming_texts(self) -> None:
        assert webhook_url("default", "incoming") == (
            f"{BASE}/djsms/incoming/default/{token('default')}/"
        )

    @pytest.mark.parametrize(
        "base", ["https://example.com/shop", "https://example.com/shop/", "http://localhost:8000"]
    )
    def test_begins_with_the_projects_address(self, settings: Settings, base: str) -> None:
        settings.DJSMS_BASE_URL = base
        assert webhook_url("default", "callback").startswith(f"{base.rstrip('/')}/djsms/callback/")

    @pytest.mark.parametrize("kind", ["callback", "incoming"])
    @pytest.mark.parametrize("alias", ["default", "eu-west.1", "a.b.", "A_1", "0", "x" * 64])
    def test_leads_back_to_its_view_account_and_token(self, kind: Any, alias: str) -> None:
        match = resolve(webhook_url(alias, kind).removeprefix(BASE))
        assert match.func is getattr(views, kind)
        assert match.kwargs == {"account": alias, "token": token(alias)}

    @pytest.mark.parametrize("base", ["", None])
    def test_is_empty_without_the_projects_address(self, settings: Settings, base: Any) -> None:
        settings.DJSMS_BASE_URL = base
        assert webhook_url("default", "callback") == ""

    def test_is_the_same_whatever_urlconf_a_request_has(self, settings: Settings) -> None:
        before = webhook_url("default", "callback")
        set_urlconf("django.contrib.auth.urls")
        try:
            assert webhook_url("default", "callback") == before
        finally:
            set_urlconf(None)

    def test_is_the_same_whatever_language_a_request_has(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = (*i18n_patterns(path("sms/", include("djsms.urls"))),)
        expected = f"{BASE}/en-us/sms/callback/default/{token('default')}/"
        with translation.override("de"):
            assert webhook_url("default", "callback") == expected

    @pytest.mark.parametrize("depth", [1, 2])
    def test_is_found_below_other_namespaces(self, settings: Settings, depth: int) -> None:
        patterns: Any = [path("djsms/", include("djsms.urls"))]
        for level in range(depth):
            patterns = [path(f"{level}/", include((patterns, f"outer{level}")))]
        settings.ROOT_URLCONF = tuple(patterns)
        path_ = webhook_url("default", "callback").removeprefix(BASE)
        assert path_.endswith(f"/djsms/callback/default/{token('default')}/")
        assert resolve(path_).func is views.callback

    def test_is_empty_below_a_path_with_a_variable_part(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = (path("<slug:shop>/", include("djsms.urls")),)
        assert webhook_url("default", "callback") == ""

    def test_needs_a_urlconf_that_can_be_loaded(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = "no_such_urls"
        with pytest.raises(InvalidOptions, match=r"no_such_urls.*ModuleNotFoundError"):
            webhook_url("default", "callback")

    def test_is_empty_where_the_addresses_are_not_included(self, settings: Settings) -> None:
        settings.ROOT_URLCONF = ()
        assert webhook_url("default", "callback") == ""


class TestNames:
    """What projects reverse, and what the documentation shows."""

    @pytest.mark.parametrize("kind", ["callback", "incoming"])
    def test_the_default_account_needs_no_alias(self, kind: str) -> None:
        assert reverse(f"djsms:{kind}") == f"/djsms/{kind}/"

    @pytest.mark.parametrize("kind", ["callback", "incoming"])
    def test_an_account_may_stand_without_its_token(self, kind: str) -> None:
        assert reverse(f"djsms:{kind}", args=["alerts"]) == f"/djsms/{kind}/alerts/"
