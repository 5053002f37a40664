"""The options of an account, and what ``manage.py check`` says of them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from djsms.exceptions import InvalidOptions
from djsms_twilio import TwilioBackend, options
from djsms_twilio.codes import ERRORS, REPORT_CODES
from twilio_server import ACCOUNT_SID, API_KEY, API_KEY_SECRET, SERVICE_SID

KEYS: dict[str, Any] = {"account_sid": ACCOUNT_SID, "auth_token": "demo-token"}
KEY_ONLY = {"auth_token": "", "api_key": API_KEY, "api_key_secret": API_KEY_SECRET}
CALLBACK = "https://example.com/djsms/callback/default/token/"
INCOMING = "https://example.com/djsms/incoming/default/token/"
README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account_sid": ""}, "account_sid is missing"),
        ({"account_sid": None}, "account_sid is no SID"),
        ({"account_sid": "AC/../x"}, "account_sid is no SID"),
        ({"auth_token": ""}, "auth_token is missing; or give api_key"),
        ({"auth_token": None}, "auth_token is of type NoneType"),
        ({"auth_token": "s3cret\n"}, "auth_token has a space, a line break"),
        ({"api_key": API_KEY}, "api_key and api_key_secret go together"),
        ({"api_key_secret": "s3cret"}, "api_key and api_key_secret go together"),
        ({"api_key_secret": "gehéim"}, "api_key_secret has .* another foreign character"),
        ({"auth_tokens": "s3cret"}, "auth_tokens is of type str; it takes a list"),
        ({"auth_tokens": [7]}, "auth_tokens is of type int"),
        ({"shared_keys": ["s3cret"]}, "shared_keys is of type list"),
        ({"shared_keys": {"id": ""}}, "shared_keys has an empty secret"),
        ({"shared_keys": {"": "s3cret"}}, "shared_keys has an id that is none"),
        ({"shared_keys": {"id": 7}}, "shared_keys is of type int"),
        ({"messaging_service_sid": "MG 1"}, "messaging_service_sid is no SID"),
        ({"region": "ie1.evil.example"}, "region is 'ie1.evil.example'"),
        ({"edge": None}, "edge is None"),
        ({"base_url": ""}, "base_url is no address"),
        ({"base_url": None}, "base_url is no address"),
        ({"base_url": "api.twilio.com"}, "base_url is no address"),
        ({"base_url": "https://a:b@example.com"}, "base_url is no address"),
        ({"base_url": "https://example.com:https"}, "base_url is no address"),
        ({"base_url": "https://example.com", "edge": "dublin"}, "in place of region and edge"),
        ({"timeout": "10"}, "timeout is '10'"),
        ({"pool_size": 0}, "pool_size is 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOptions, match=words) as caught:
        TwilioBackend(**{**KEYS, **changes})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "https://api.twilio.com"),
        ({"region": "ie1"}, "https://api.ie1.twilio.com"),
        ({"edge": "dublin"}, "https://api.dublin.us1.twilio.com"),
        ({"edge": "dublin", "region": "ie1"}, "https://api.dublin.ie1.twilio.com"),
        ({"base_url": "http://127.0.0.1:8080/twilio/"}, "http://127.0.0.1:8080/twilio"),
    ],
)
def test_where_the_api_is(changes: dict[str, str], address: str) -> None:
    assert options.base_url(TwilioBackend(**KEYS, **changes)) == address


@pytest.mark.parametrize(
    ("changes", "proves"),
    [
        ({}, True),
        (KEY_ONLY, False),
        ({**KEY_ONLY, "auth_tokens": [""]}, False),
        ({**KEY_ONLY, "auth_tokens": ["old"]}, True),
        ({**KEY_ONLY, "shared_keys": {"id": "secret"}}, True),
    ],
)
def test_webhooks_are_proven_if_there_is_a_key(changes: dict[str, Any], proves: bool) -> None:
    assert TwilioBackend(**{**KEYS, **changes}).verifies_webhooks is proves


def test_no_secret_is_in_the_repr() -> None:
    backend = TwilioBackend(
        account_sid=ACCOUNT_SID,
        auth_token="hush-1",
        api_key=API_KEY,
        api_key_secret="hush-2",
        auth_tokens=["hush-3"],
        shared_keys={"id": "hush-4"},
    )
    assert "hush" not in f"{backend!r}{backend.keys!r}"


def test_lists_among_the_options_do_no_harm_in_a_set() -> None:
    assert {TwilioBackend(**KEYS, auth_tokens=["old"], shared_keys={"id": "secret"})}


def test_requests_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, djsms_twilio\n"
        f"djsms_twilio.TwilioBackend(**{KEYS!r})\n"
        "print(sys.modules.keys() & {'requests', 'urllib3', 'twilio'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def ids(
    callback_url: str = CALLBACK, incoming_url: str = INCOMING, frm: str = "", **changes: Any
) -> list[str | None]:
    backend = TwilioBackend(**{**KEYS, **changes})
    return [message.id for message in backend.check(callback_url, incoming_url, frm)]


def test_good_options_have_nothing_to_check() -> None:
    assert ids() == ids("", "") == ids(messaging_service_sid=SERVICE_SID) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"account_sid": ACCOUNT_SID[:-1]},
        {"account_sid": API_KEY},
        {"messaging_service_sid": ACCOUNT_SID},
        {"api_key": ACCOUNT_SID, "api_key_secret": "secret"},
    ],
)
def test_sids_of_another_shape(changes: dict[str, str]) -> None:
    assert ids(**changes) == ["djsms_twilio.E001"]


def test_a_sid_of_another_kind_is_named() -> None:
    backend = TwilioBackend(**{**KEYS, "account_sid": API_KEY})
    assert "but of an API key" in backend.check("", "", "")[0].msg


@pytest.mark.parametrize("number", ["+15005550001", "+15005550006", "+15005550008"])
def test_the_sender_of_test_credentials_in_production(number: str, settings: Any) -> None:
    assert ids(frm=number) == ["djsms_twilio.W005"]
    settings.DEBUG = True
    assert ids(frm=number) == []


def test_a_sender_that_a_messaging_service_replaces() -> None:
    assert ids(frm="Bistro") == []
    assert ids(frm="Bistro", messaging_service_sid=SERVICE_SID) == ["djsms_twilio.W006"]


@pytest.mark.parametrize("digit", ["0", "f"])
def test_placeholders(digit: str) -> None:
    assert ids(account_sid=f"AC{digit * 32}") == ["djsms_twilio.W004"]


@pytest.mark.parametrize(
    "base",
    [
        *("https://my_host.example.com", "example.com", "ftp://example.com", "https://[::1", "/"),
        *("https://user:pass@example.com", "http://localhost:8000", "http://127.0.0.1"),
        *("https://[::1]", "https://example.com:0"),
    ],
)
def test_addresses_that_twilio_cannot_call(base: str) -> None:
    assert ids(f"{base}/callback/", f"{base}/incoming/") == ["djsms_twilio.E002"] * 2


def test_unprotected_addresses() -> None:
    addresses = ("http://example.com/callback/", "http://example.com/incoming/")
    assert ids(*addresses) == []
    assert ids(*addresses, **KEY_ONLY) == ["djsms_twilio.W001"] * 2 + ["djsms_twilio.W003"]
    assert ids(**KEY_ONLY) == ["djsms_twilio.W003"]


def test_clear_text() -> None:
    assert ids(base_url="http://sms.example.com") == ["djsms_twilio.W002"]


def test_the_addresses_have_the_names_of_the_console_and_ask_for_repeats() -> None:
    backend = TwilioBackend(**KEYS)
    assert backend.webhook_addresses(CALLBACK, INCOMING) == {
        "A message comes in": f"{INCOMING}#rc=5&rp=ct,rt,5xx",
        "Delivery Status Callback": f"{CALLBACK}#rc=5&rp=ct,rt,5xx",
    }
    assert set(backend.webhook_addresses("", "").values()) == {""}


def test_the_readme_has_every_option_and_every_check() -> None:
    rows = [line for line in README.splitlines() if line.startswith("| `")]
    for option in dataclasses.fields(TwilioBackend):
        if option.init:
            assert any(row.startswith(f"| `{option.name}` |") for row in rows), option.name
    for number in ("E001", "E002", *(f"W00{n}" for n in range(1, 7))):
        assert f"| `djsms_twilio.{number}` |" in README


def test_the_readme_has_every_code() -> None:
    answers, reports = README.split("## When it fails")[1].split("In a report, later:")
    for code, known in ERRORS.items():
        assert f"`{known.error.__name__}`" in row_of(code, answers)
    for code in REPORT_CODES:
        assert row_of(code, reports)


def row_of(code: str, table: str) -> str:
    for line in table.splitlines():
        if code in line.removeprefix("| ").partition(" |")[0].split(", "):
            return line
    raise AssertionError(f"no row of {code}")


def test_the_readme_has_every_extra() -> None:
    from djsms_twilio.extras import NAMES

    for name in NAMES:
        assert f"`{name}`" in README.split("`extra` of `send_text` takes")[1]
