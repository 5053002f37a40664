"""The settings, in right and wrong shapes; whatever is wrong is named."""

from datetime import time, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from djsms import conf
from djsms.conf import Account, Rate
from djsms.exceptions import AccountNotFound, InvalidOptions


@pytest.fixture(autouse=True)
def nothing_set(settings: Settings) -> None:
    del settings.DJSMS_BACKEND
    del settings.DJSMS_BASE_URL


class TestDefaultAccount:
    def test_is_what_the_backend_setting_names(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        assert conf.account("default") == Account(alias="default", backend="acme")

    def test_takes_its_options_from_the_options_setting(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_OPTIONS = {"token": "secret"}
        assert conf.account("default").options == {"token": "secret"}

    def test_may_stand_among_the_accounts_instead(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"default": {"BACKEND": "acme"}}
        assert conf.account("default").backend == "acme"

    def test_defined_in_both_places_is_an_error(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_ACCOUNTS = {"default": {"BACKEND": "acme"}}
        with pytest.raises(InvalidOptions, match="twice: by DJSMS_BACKEND and in DJSMS_ACCOUNTS"):
            conf.account("default")

    def test_missing_tells_the_setting_to_set(self) -> None:
        with pytest.raises(AccountNotFound, match="no default account: set DJSMS_BACKEND"):
            conf.account("default")

    @pytest.mark.parametrize("backend", ["", 5, ["acme"], type])
    def test_backend_that_is_no_name_is_an_error(self, settings: Settings, backend: Any) -> None:
        settings.DJSMS_BACKEND = backend
        with pytest.raises(InvalidOptions, match="DJSMS_BACKEND must be the name of a backend"):
            conf.account("default")

    @pytest.mark.parametrize("options", [[], "token", [("token", "secret")], 5])
    def test_options_that_are_no_dictionary_are_an_error(
        self, settings: Settings, options: Any
    ) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_OPTIONS = options
        with pytest.raises(InvalidOptions, match="DJSMS_OPTIONS must be a dictionary, not "):
            conf.account("default")


class TestAccounts:
    def test_each_has_its_backend_and_options(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme", "OPTIONS": {"token": "secret"}}}
        assert conf.account("alerts") == Account(
            alias="alerts", backend="acme", options={"token": "secret"}
        )

    def test_all_are_listed_with_the_default_first(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}}
        assert list(conf.accounts()) == ["default", "alerts"]

    def test_have_their_aliases_also_where_one_is_wrong(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}, "wrong": "acme"}
        assert conf.aliases() == ["default", "alerts", "wrong"]

    def test_none_need_be_there(self) -> None:
        assert conf.accounts() == {}

    def test_an_unknown_one_is_told_with_those_that_are_known(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}}
        with pytest.raises(AccountNotFound, match=r"'alert' .*\(known: 'default', 'alerts'\)"):
            conf.account("alert")

    @pytest.mark.parametrize("alias", ["a", "eu-west.1", "A_1", "0", "x" * 64])
    def test_alias_of_what_may_stand_in_an_address_is_right(
        self, settings: Settings, alias: str
    ) -> None:
        settings.DJSMS_ACCOUNTS = {alias: {"BACKEND": "acme"}}
        assert conf.account(alias).alias == alias

    @pytest.mark.parametrize("alias", ["", "a b", "a/b", ".", "-a", "é", "a\n", "x" * 65, 5, None])
    def test_any_other_alias_is_an_error(self, settings: Settings, alias: Any) -> None:
        settings.DJSMS_ACCOUNTS = {alias: {"BACKEND": "acme"}}
        with pytest.raises(InvalidOptions) as caught:
            conf.accounts()
        assert f"{alias!r} in DJSMS_ACCOUNTS is no alias" in str(caught.value)

    @pytest.mark.parametrize("accounts", [["alerts"], "alerts", 5])
    def test_setting_that_is_no_dictionary_is_an_error(
        self, settings: Settings, accounts: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = accounts
        with pytest.raises(InvalidOptions, match="DJSMS_ACCOUNTS must be a dictionary, not "):
            conf.accounts()

    @pytest.mark.parametrize(
        ("definition", "problem"),
        {
            "a name": ("acme", "must be a dictionary of BACKEND .*, not str"),
            "nothing": (None, "must be a dictionary of BACKEND .*, not NoneType"),
            "empty": ({}, "names no backend"),
            "no backend": ({"OPTIONS": {}}, "names no backend"),
            "backend no name": ({"BACKEND": 5}, "names no backend"),
            "misspelt": ({"BACKEND": "acme", "OPTION": {}}, "must be .*; it has 'OPTION'"),
            "options in its place": (
                {"BACKEND": "acme", "token": "x"},
                "must be .*; it has 'token'",
            ),
            "in small letters": (
                {"backend": "acme"},
                "must be .*; it has 'backend'.* mean 'BACKEND'\\?$",
            ),
            "a limit misspelt": (
                {"BACKEND": "acme", "FALBACK": "b"},
                "must be .*; it has 'FALBACK'.* mean 'FALLBACK'\\?$",
            ),
        }.values(),
    )
    def test_definition_of_another_shape_is_an_error_that_names_the_account(
        self, settings: Settings, definition: Any, problem: str
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": definition}
        with pytest.raises(InvalidOptions, match=f"The account 'alerts' {problem}"):
            conf.account("alerts")

    @pytest.mark.parametrize("options", [[], "token", {1: "x"}, None])
    def test_options_that_are_none_are_an_error_that_names_the_account(
        self, settings: Settings, options: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme", "OPTIONS": options}}
        with pytest.raises(InvalidOptions, match=r"DJSMS_ACCOUNTS\['alerts'\]\['OPTIONS'\] must"):
            conf.account("alerts")

    def test_a_wrong_one_hurts_no_other(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}, "wrong": "acme"}
        assert conf.account("alerts").backend == "acme"

    def test_a_wrong_one_shows_when_all_are_listed(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}, "wrong": "acme"}
        with pytest.raises(InvalidOptions, match="'wrong'"):
            conf.accounts()

    def test_options_do_not_show_in_the_repr(self) -> None:
        assert "secret" not in repr(
            Account(alias="default", backend="acme", options={"token": "secret"})
        )


class TestFlatSettings:
    @pytest.mark.parametrize(
        ("backend", "option", "name"),
        [
            ("nexmo", "api_key", "NEXMO_API_KEY"),
            ("acme-two", "token", "ACME_TWO_TOKEN"),
            ("Acme", "apiKey", "ACME_APIKEY"),
        ],
    )
    def test_are_named_after_backend_and_option(
        self, settings: Settings, backend: str, option: str, name: str
    ) -> None:
        setattr(settings, name, "value")
        assert conf.flat_option(backend, option) == "value"

    def test_may_be_missing(self) -> None:
        assert conf.flat_option("acme", "token") is conf.MISSING

    def test_none_is_a_value(self, settings: Settings) -> None:
        settings.ACME_TOKEN = None
        assert conf.flat_option("acme", "token") is None


class TestExtensions:
    def test_are_none_by_default(self) -> None:
        assert conf.extensions() == []

    @pytest.mark.parametrize("kind", [list, tuple])
    def test_keep_their_order(self, settings: Settings, kind: type) -> None:
        settings.DJSMS_EXTENSIONS = kind(["shop.sms.B", "shop.sms.A"])
        assert conf.extensions() == ["shop.sms.B", "shop.sms.A"]

    @pytest.mark.parametrize("paths", ["shop.sms.A", {"shop.sms.A"}, [type], None, 5])
    def test_of_another_shape_are_an_error(self, settings: Settings, paths: Any) -> None:
        settings.DJSMS_EXTENSIONS = paths
        with pytest.raises(InvalidOptions, match="DJSMS_EXTENSIONS must be a list of dotted"):
            conf.extensions()

    def test_one_listed_twice_is_an_error_that_names_it(self, settings: Settings) -> None:
        settings.DJSMS_EXTENSIONS = ["shop.sms.A", "shop.sms.B", "shop.sms.A"]
        with pytest.raises(InvalidOptions, match=r"DJSMS_EXTENSIONS lists 'shop\.sms\.A' twice"):
            conf.extensions()


class TestBaseUrl:
    def test_is_empty_by_default(self) -> None:
        assert conf.base_url() == ""

    @pytest.mark.parametrize("nothing", ["", None])
    def test_may_be_nothing(self, settings: Settings, nothing: str | None) -> None:
        settings.DJSMS_BASE_URL = nothing
        assert conf.base_url() == ""

    @pytest.mark.parametrize(
        ("given", "url"),
        [
            ("https://example.com", "https://example.com"),
            ("https://example.com/", "https://example.com"),
            ("http://localhost:8000", "http://localhost:8000"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
            ("https://example.com/shop/", "https://example.com/shop"),
            ("HTTPS://example.com", "HTTPS://example.com"),
        ],
    )
    def test_is_an_address_without_a_slash_at_its_end(
        self, settings: Settings, given: str, url: str
    ) -> None:
        settings.DJSMS_BASE_URL = given
        assert conf.base_url() == url

    @pytest.mark.parametrize(
        "url",
        [
            "example.com",
            "//example.com",
            "https://",
            "https:///djsms",
            "ftp://example.com",
            "https://example.com?shop=1",
            "https://example.com/#top",
            "https://example.com\n",
            " https://example.com",
            b"https://example.com",
            5,
        ],
    )
    def test_anything_else_is_an_error(self, settings: Settings, url: Any) -> None:
        settings.DJSMS_BASE_URL = url
        with pytest.raises(InvalidOptions, match="DJSMS_BASE_URL must be the project's public"):
            conf.base_url()


class TestPartsTimeout:
    def test_is_half_an_hour_by_default(self) -> None:
        assert conf.parts_timeout() == timedelta(minutes=30)

    @pytest.mark.parametrize("timeout", [timedelta(0), timedelta(hours=2), timedelta(days=365)])
    def test_is_a_timedelta(self, settings: Settings, timeout: timedelta) -> None:
        settings.DJSMS_PARTS_TIMEOUT = timeout
        assert conf.parts_timeout() == timeout

    @pytest.mark.parametrize("timeout", [30, 30.0, "30m", None])
    def test_of_another_type_is_an_error(self, settings: Settings, timeout: Any) -> None:
        settings.DJSMS_PARTS_TIMEOUT = timeout
        with pytest.raises(
            InvalidOptions,
            match=r"DJSMS_PARTS_TIMEOUT must be a timedelta, such as timedelta\(minutes=30\), not",
        ):
            conf.parts_timeout()

    @pytest.mark.parametrize("timeout", [timedelta(seconds=-1), timedelta.max])
    def test_that_lies_outside_of_the_calendar_is_an_error(
        self, settings: Settings, timeout: timedelta
    ) -> None:
        settings.DJSMS_PARTS_TIMEOUT = timeout
        with pytest.raises(InvalidOptions, match=r"DJSMS_PARTS_TIMEOUT .* from nothing to a year"):
            conf.parts_timeout()


class TestKeepTexts:
    def test_is_for_ever_by_default(self) -> None:
        assert conf.keep_texts() is None

    @pytest.mark.parametrize("kept", [None, timedelta(hours=1), timedelta(days=3650)])
    def test_is_a_timedelta(self, settings: Settings, kept: timedelta | None) -> None:
        settings.DJSMS_KEEP_TEXTS = kept
        assert conf.keep_texts() == kept

    @pytest.mark.parametrize(
        ("kept", "days"), [(30, 30), ("30d", 90), (0, 90), (False, 90), (timedelta, 90)]
    )
    def test_of_another_type_is_an_error_that_shows_the_right_form(
        self, settings: Settings, kept: Any, days: int
    ) -> None:
        settings.DJSMS_KEEP_TEXTS = kept
        with pytest.raises(InvalidOptions, match=rf"such as timedelta\(days={days}\), not "):
            conf.keep_texts()

    @pytest.mark.parametrize(
        "kept", [timedelta(0), timedelta(minutes=59), timedelta(days=-1), timedelta.max]
    )
    def test_that_is_too_short_or_too_long_is_an_error(
        self, settings: Settings, kept: timedelta
    ) -> None:
        settings.DJSMS_KEEP_TEXTS = kept
        with pytest.raises(InvalidOptions, match=r"DJSMS_KEEP_TEXTS must be .* at least an hour"):
            conf.keep_texts()


class TestUnverifiedWebhooks:
    def test_are_not_allowed_by_default(self) -> None:
        assert not conf.allow_unverified_webhooks()

    def test_are_allowed_by_true(self, settings: Settings) -> None:
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = True
        assert conf.allow_unverified_webhooks()

    @pytest.mark.parametrize("value", ["False", "true", 1, ["default"]])
    def test_are_allowed_by_nothing_else(self, settings: Settings, value: Any) -> None:
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = value
        assert not conf.allow_unverified_webhooks()

    def test_debug_does_not_count(self, settings: Settings) -> None:
        settings.DEBUG = True
        assert not conf.allow_unverified_webhooks()


class TestLimits:
    def test_are_none_by_default(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        account = conf.account("default")
        assert (account.frm, account.fallback, account.max_segments) == ("", "", 255)
        assert account.rate is account.originator_rate is account.concurrency is None
        assert account.lifetime is None

    def test_of_an_account_stand_beside_its_backend(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {
            "alerts": {
                "BACKEND": "acme",
                "FROM": "Bistro",
                "RATE": "30/s",
                "ORIGINATOR_RATE": "1/s",
                "CONCURRENCY": 10,
                "LIFETIME": timedelta(hours=4),
                "FALLBACK": "other",
                "MAX_SEGMENTS": 6,
            }
        }
        assert conf.account("alerts") == Account(
            alias="alerts",
            backend="acme",
            frm="Bistro",
            rate=Rate(count=30, seconds=1),
            originator_rate=Rate(count=1, seconds=1),
            concurrency=10,
            lifetime=timedelta(hours=4),
            fallback="other",
            max_segments=6,
        )

    def test_of_the_default_account_have_settings_of_their_own(self, settings: Settings) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_FROM = "Bistro"
        settings.DJSMS_CONCURRENCY = 3
        account = conf.account("default")
        assert (account.frm, account.concurrency) == ("Bistro", 3)

    def test_settings_of_their_own_are_for_no_other_account(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme"}}
        settings.DJSMS_FROM = "Bistro"
        assert conf.account("alerts").frm == ""

    def test_in_the_accounts_definition_win(self, settings: Settings) -> None:
        settings.DJSMS_ACCOUNTS = {"default": {"BACKEND": "acme", "FROM": "Cafe"}}
        settings.DJSMS_FROM = "Bistro"
        settings.DJSMS_CONCURRENCY = 3
        account = conf.account("default")
        assert (account.frm, account.concurrency) == ("Cafe", 3)

    @pytest.mark.parametrize(
        ("words", "rate"),
        [
            ("30/s", Rate(count=30, seconds=1)),
            ("100/min", Rate(count=100, seconds=60)),
            ("1000/h", Rate(count=1000, seconds=3600)),
            ("5 segments/s", Rate(count=5, seconds=1, by_segment=True)),
            (" 5 texts / min ", Rate(count=5, seconds=60)),
        ],
    )
    def test_rate_counts_texts_or_segments_in_a_time(
        self, settings: Settings, words: str, rate: Rate
    ) -> None:
        settings.DJSMS_BACKEND = "acme"
        settings.DJSMS_RATE = words
        assert conf.account("default").rate == rate

    @pytest.mark.parametrize(
        ("name", "value", "problem"),
        [
            *(
                ("RATE", rate, "is no rate. Write")
                for rate in ("30", "0/s", "x/s", "", 30.0, "-1/s")
            ),
            *(("RATE", rate, "is no rate. Write") for rate in ("3/d", "1.5/s", "30/s/s", "3/S")),
            ("ORIGINATOR_RATE", "30", "is no rate. Write"),
            *(("CONCURRENCY", n, "no whole number from 1 to 1000") for n in (0, -1, 1001, "3")),
            ("CONCURRENCY", True, "no whole number from 1 to 1000"),
            *(("MAX_SEGMENTS", n, "no whole number from 1 to 255") for n in (0, 256, 1.0)),
            *(("LIFETIME", t, "is no timedelta") for t in (60, timedelta(0), timedelta.max)),
            *(("FALLBACK", alias, "not the alias of another") for alias in ("", 5, ["other"])),
            ("FROM", "", "sender '' is empty"),
            ("FROM", "0123456789", "neither a short code"),
            ("FROM", 5, "not int"),
        ],
    )
    def test_that_is_none_is_an_error_that_names_it(
        self, settings: Settings, name: str, value: Any, problem: str
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "acme", name: value}}
        with pytest.raises(InvalidOptions, match=rf"\['alerts'\]\['{name}'\]: .*{problem}"):
            conf.account("alerts")


class TestFallbacks:
    def accounts(self, settings: Settings, **fallbacks: str | None) -> None:
        settings.DJSMS_ACCOUNTS = {
            alias: {"BACKEND": "acme", "FALLBACK": fallback}
            for alias, fallback in fallbacks.items()
        }

    def test_are_none_by_default(self, settings: Settings) -> None:
        self.accounts(settings, a=None)
        assert list(conf.fallbacks("a")) == []

    def test_are_followed_in_turn(self, settings: Settings) -> None:
        self.accounts(settings, a="b", b="c", c=None)
        assert list(conf.fallbacks("a")) == ["b", "c"]

    def test_that_go_round_are_followed_once(self, settings: Settings) -> None:
        self.accounts(settings, a="b", b="c", c="b")
        assert list(conf.fallbacks("a")) == ["b", "c"]

    def test_end_where_there_is_no_account(self, settings: Settings) -> None:
        self.accounts(settings, a="b", b="lost")
        assert list(conf.fallbacks("a")) == ["b"]


class TestRegion:
    def test_is_none_by_default(self) -> None:
        assert conf.region() == ""

    def test_is_a_country(self, settings: Settings) -> None:
        settings.DJSMS_REGION = "GB"
        assert conf.region() == "GB"

    @pytest.mark.parametrize("region", ["gb", "UK", "England", "G", 44, ["GB"]])
    def test_anything_else_is_an_error(self, settings: Settings, region: Any) -> None:
        settings.DJSMS_REGION = region
        with pytest.raises(InvalidOptions, match="DJSMS_REGION must be a country"):
            conf.region()


class TestEngine:
    def test_is_the_worker_by_default(self) -> None:
        assert conf.engine() == "worker"

    @pytest.mark.parametrize("name", ["", None, 5])
    def test_that_is_no_name_is_an_error(self, settings: Settings, name: Any) -> None:
        settings.DJSMS_ENGINE = name
        with pytest.raises(InvalidOptions, match="DJSMS_ENGINE must be the name of an engine"):
            conf.engine()


DAY = {"FROM": time(8), "TO": time(21), "ZONE": "Europe/London"}


class TestWindows:
    def test_are_none_by_default(self) -> None:
        assert conf.windows() == {}

    def test_have_hours_days_and_a_zone(self, settings: Settings) -> None:
        settings.DJSMS_WINDOWS = {"day": {**DAY, "DAYS": "mon-fri"}}
        window = conf.window("day")
        assert (window.opens, window.closes) == (time(8), time(21))
        assert window.days == {0, 1, 2, 3, 4}
        assert window.zone.key == "Europe/London"

    @pytest.mark.parametrize(
        ("days", "numbers"),
        [
            ("mon-sun", {0, 1, 2, 3, 4, 5, 6}),
            ("sat,sun", {5, 6}),
            ("fri-mon", {4, 5, 6, 0}),
            ("Mon, wed-thu", {0, 2, 3}),
            ("sun", {6}),
        ],
    )
    def test_days_are_ranges_and_lists(
        self, settings: Settings, days: str, numbers: set[int]
    ) -> None:
        settings.DJSMS_WINDOWS = {"day": {**DAY, "DAYS": days}}
        assert conf.window("day").days == numbers

    def test_are_open_on_all_days_by_default(self, settings: Settings) -> None:
        settings.DJSMS_WINDOWS = {"day": DAY}
        assert conf.window("day").days == set(range(7))

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ("8-21", " must be a dictionary of FROM, TO and ZONE and, if need be, DAYS, not str"),
            (
                {"FROM": time(8), "TO": time(21)},
                " needs ZONE, the time zone that holds where the recipient's is not known, such as "
                "'Europe/London'.",
            ),
            (
                {"TO": time(21), "ZONE": "UTC"},
                r" needs FROM, a time without a zone such as time\(8\)\.",
            ),
            ({**DAY, "DAY": 1}, r" must be .*; it has 'DAY'\. Did you mean 'DAYS'\?"),
            ({**DAY, "UNTIL": 1}, " must be a dictionary of .*; it has 'UNTIL'"),
            ({**DAY, "FROM": 8}, " needs FROM, a time without a zone such as .*, not 8"),
            ({**DAY, "TO": "21:00"}, " needs TO, a time without a zone"),
            ({**DAY, "ZONE": "Europe"}, " needs ZONE, .*, not 'Europe'"),
            ({**DAY, "ZONE": "../Paris"}, " needs ZONE, .*, not '../Paris'"),
            ({**DAY, "ZONE": ""}, " needs ZONE, .*, not ''"),
            ({**DAY, "ZONE": None}, " needs ZONE, "),
            *(({**DAY, "DAYS": days}, " must be days") for days in ("", "mo", "mon-", "-fri", 5)),
        ],
    )
    def test_that_are_none_are_an_error_that_names_them(
        self, settings: Settings, given: Any, problem: str
    ) -> None:
        settings.DJSMS_WINDOWS = {"day": given}
        with pytest.raises(InvalidOptions, match=rf"DJSMS_WINDOWS\['day'\]{problem}"):
            conf.windows()

    def test_an_unknown_one_is_told_with_those_that_are_known(self, settings: Settings) -> None:
        settings.DJSMS_WINDOWS = {"day": DAY}
        with pytest.raises(InvalidOptions, match=r"no window 'night' .*\(known: 'day'\)"):
            conf.window("night")
