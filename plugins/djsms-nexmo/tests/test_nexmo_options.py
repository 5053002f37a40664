"""The options of an account, and what ``manage.py check`` says of them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from djsms.exceptions import InvalidOptions
from djsms_nexmo import NexmoBackend
from djsms_nexmo.codes import RECEIPT_ERRORS, SEND_ERRORS

KEYS = {"api_key": "abcd1234", "api_secret": "demo-secret"}
CALLBACK = "https://example.com/djsms/callback/default/token/"
INCOMING = "https://example.com/djsms/incoming/default/token/"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"api_key": ""}, "api_key is missing"),
        ({"api_key": None}, "api_key is of type NoneType"),
        ({"api_key": "abcd:234"}, "api_key is missing or wrong"),
        ({"api_secret": ""}, "api_secret is missing; or give a signature_secret"),
        ({"api_secret": 12345}, "api_secret is of type int"),
        ({"api_secret": "s3cret\n"}, "api_secret has a space, a line break"),
        ({"signature_secret": None}, "signature_secret is of type NoneType"),
        ({"signature_secret": "gehéim"}, "signature_secret has .* another foreign character"),
        ({"signature_method": "SHA256"}, "signature_method is 'SHA256'; it takes one of md5hash"),
        ({"signature_method": ""}, "signature_method is ''"),
        ({"signature_method": None}, "signature_method is None"),
        ({"signature_method": []}, r"signature_method is \[\]"),
        ({"signed_webhooks": "False"}, "signed_webhooks is 'False'; it takes a bool"),
        ({"webhook_max_age": "300"}, "webhook_max_age is '300'"),
        ({"webhook_max_age": 0}, "webhook_max_age is 0"),
        ({"webhook_max_age": True}, "webhook_max_age is True"),
        ({"webhook_max_age": float("nan")}, "webhook_max_age is nan"),
        ({"webhook_max_age": 300}, "webhook_max_age needs a signature_secret"),
        ({"base_url": ""}, "base_url is no address"),
        ({"base_url": None}, "base_url is no address"),
        ({"base_url": "rest.nexmo.com"}, "base_url is no address"),
        ({"base_url": "https://[::1"}, "base_url is no address"),
        ({"base_url": "https://example.com:https"}, "base_url is no address"),
        ({"base_url": "https://a:b@example.com"}, "base_url takes a scheme, a host and a path"),
        ({"timeout": "10"}, "timeout is '10'"),
        ({"pool_size": 0}, "pool_size is 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOptions, match=words) as caught:
        NexmoBackend(**{**KEYS, **options})
    assert "s3cret" not in str(caught.value)


def test_a_signature_secret_does_without_the_api_secret() -> None:
    assert NexmoBackend(api_key="abcd1234", signature_secret="secret").verifies_webhooks


def test_webhooks_may_be_unsigned_although_requests_are_signed() -> None:
    backend = NexmoBackend(**KEYS, signature_secret="secret", signed_webhooks=False)
    assert not backend.verifies_webhooks


def test_a_host_within_one_s_own_network_may_have_an_underscore() -> None:
    assert NexmoBackend(**KEYS, base_url="http://vonage_stub:8080").base_url


def test_no_secret_is_in_the_repr() -> None:
    backend = NexmoBackend(api_key="abcd1234", api_secret="hush-1", signature_secret="hush-2")
    assert "hush" not in repr(backend)


def test_neither_requests_nor_jwt_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, djsms_nexmo\n"
        "djsms_nexmo.NexmoBackend(api_key='abcd1234', api_secret='secret')\n"
        "print(sys.modules.keys() & {'requests', 'jwt', 'urllib3'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "set()\n"


def ids(
    callback_url: str = CALLBACK, incoming_url: str = INCOMING, **options: Any
) -> list[str | None]:
    backend = NexmoBackend(**{**KEYS, **options})
    return [message.id for message in backend.check(callback_url, incoming_url)]


def test_good_options_have_nothing_to_check() -> None:
    assert ids() == []
    assert ids("", "") == []
    assert ids(signature_secret="secret", signature_method="sha512") == []


@pytest.mark.parametrize(
    "base", ["https://my_host.example.com", "example.com", "ftp://example.com", "https://[::1", "/"]
)
def test_addresses_that_vonage_cannot_call(base: str) -> None:
    assert ids(f"{base}/callback/", f"{base}/incoming/") == ["djsms_nexmo.E001"] * 2


def test_unprotected_addresses() -> None:
    addresses = ("http://example.com/callback/", "http://example.com/incoming/")
    assert ids(*addresses) == ["djsms_nexmo.W001"] * 2
    assert ids(*addresses, signature_secret="secret", signature_method="sha256") == []
    assert ids("http://localhost:8000/c/", "http://127.0.0.1:8000/i/") == []


def test_an_address_too_long_for_a_request() -> None:
    address = CALLBACK.ljust(100, "x")
    assert ids(address) == []
    assert ids(address + "x") == ["djsms_nexmo.W002"]
    assert ids(incoming_url=address + "x") == []


def test_weak_choices() -> None:
    assert ids(base_url="http://sms.example.com") == ["djsms_nexmo.W003"]
    for method in ("md5hash", "md5", "sha1"):
        assert ids(signature_secret="x", signature_method=method) == ["djsms_nexmo.W004"]


def test_the_readme_has_every_option_and_every_check() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    for option in dataclasses.fields(NexmoBackend):
        (row,) = (row for row in rows if row.startswith(f"| `{option.name}` |"))
        if option.default is not dataclasses.MISSING:
            assert repr(option.default).replace("'", '"') in row
    for number in ("E001", "W001", "W002", "W003", "W004"):
        assert f"| `djsms_nexmo.{number}` |" in readme


def test_the_readme_has_every_code() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    answers, receipts = readme.split("## When it fails")[1].split("In a receipt, later:")
    for code, known in SEND_ERRORS.items():
        row = row_of(code, answers)
        assert f"`{known.error.__name__}`" in row
    for code in RECEIPT_ERRORS:
        assert row_of(code, receipts)


def row_of(code: str, table: str) -> str:
    for line in table.splitlines():
        codes = line.removeprefix("| ").partition(" |")[0].replace("50 to 53", "50, 51, 52, 53")
        if code in codes.split(", "):
            return line
    raise AssertionError(f"no row of {code}")


def test_the_addresses_have_the_names_of_the_dashboard() -> None:
    addresses = NexmoBackend(**KEYS).webhook_addresses(CALLBACK, INCOMING)
    assert list(addresses.values()) == [CALLBACK, INCOMING]
    assert all("webhooks" in name for name in addresses)
