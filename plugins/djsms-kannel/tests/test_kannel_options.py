"""Options, checks, and the addresses that Kannel gets."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import certifi
import pytest
from djsms.exceptions import InvalidOptions
from djsms_kannel import KannelBackend
from djsms_kannel.addresses import dlr_url, get_url

README = (Path(__file__).parents[1] / "README.md").read_text()
CALLBACK = "https://example.com/djsms/callback/default/t0ken/"
INCOMING = "https://example.com/djsms/incoming/default/t0ken/"


def backend(**options: Any) -> KannelBackend:
    return KannelBackend(
        **{
            "url": "http://127.0.0.1:13013/cgi-bin/sendsms",
            "username": "shop",
            "password": "not-secret",
            **options,
        }
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": ""}, "url is not the address of sendsms"),
        ({"url": None}, "url takes the address"),
        ({"url": "127.0.0.1:13013"}, "url is not"),
        ({"url": "ftp://example.com/cgi-bin/sendsms"}, "url is not"),
        ({"url": "http://example.com:port/cgi-bin/sendsms"}, "url is not"),
        ({"url": "http://example.com:99999/cgi-bin/sendsms"}, "url is not"),
        ({"url": "http://[::1/cgi-bin/sendsms"}, "url is not"),
        ({"url": "http://example.com/cgi-bin/sendsms\r\n"}, "url is not"),
        ({"url": "http://example.com:13013"}, "url lacks the path"),
        ({"url": "http://shop:hidden@example.com/cgi-bin/sendsms"}, "options username"),
        ({"url": "http://example.com/cgi-bin/sendsms?password=hidden"}, "options username"),
        ({"username": ""}, "username takes text"),
        ({"username": 7}, "username takes text"),
        ({"password": ""}, "password takes text"),
        ({"password": "hidden\r\nX-Kannel-From: 1"}, "password takes text"),
        ({"password": "hidden "}, "password takes text"),
        ({"max_messages": 0}, "max_messages is 0"),
        ({"max_messages": "10"}, "max_messages is '10'"),
        ({"max_messages": True}, "max_messages is True"),
        ({"max_messages": 256}, "max_messages is 256"),
        ({"ca_file": None}, "ca_file is None"),
        ({"timeout": 0}, "timeout is 0"),
        ({"pool_size": 0}, "pool_size is 0"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidOptions, match=words) as caught:
        backend(**options)
    assert "hidden" not in str(caught.value)


def test_the_password_is_not_shown() -> None:
    assert "not-secret" not in repr(backend())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]"])
def test_nothing_to_say_of_a_gateway_on_the_same_machine(host: str) -> None:
    account = backend(url=f"http://{host}:13013/cgi-bin/sendsms")
    assert account.check(CALLBACK, INCOMING) == []


def test_credentials_in_the_clear() -> None:
    account = backend(url="http://192.0.2.1:13013/cgi-bin/sendsms")
    assert [message.id for message in account.check(CALLBACK, INCOMING)] == ["djsms_kannel.W001"]
    assert backend(url="https://192.0.2.1/cgi-bin/sendsms").check("", "") == []


def test_a_file_of_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    assert backend(ca_file=certifi.where()).check("", "") == []
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    (tmp_path / "folder.pem").mkdir()
    for name in ("missing.pem", "key.pem", "folder.pem"):
        [message] = backend(ca_file=tmp_path / name).check("", "")
        assert message.id == "djsms_kannel.E001"
        assert name in message.msg


def test_kannel_cannot_call_ipv6_numbers() -> None:
    [message] = backend().check("http://[2001:db8::1]/callback/", "http://[2001:db8::1]/incoming/")
    assert message.id == "djsms_kannel.E002"


def test_what_an_operator_pastes() -> None:
    assert backend().webhook_addresses(CALLBACK, INCOMING) == {
        "get-url": f"{INCOMING}?id=%I&from=%p&to=%P&time=%T&smsc=%i"
        "&coding=%c&charset=%C&udh=%u&text=%b"
    }
    assert backend().webhook_addresses("", "") == {}


@pytest.mark.parametrize(
    "base", ["https://example.com/caf%C3%A9/%20/", "https://example.com/?a=%d"]
)
def test_percent_signs_in_our_own_address_are_no_escapes(base: str) -> None:
    for address in (dlr_url(base, "100%"), get_url(base)):
        # what Kannel does with an address
        filled = address.replace("%%", "\0")
        for escape in "IpPTicCubdAF":
            filled = filled.replace(f"%{escape}", "x")
        assert "%" not in filled
        assert filled.replace("\0", "%").startswith(base)
    assert dict(parse_qsl(urlsplit(dlr_url(base, "a b")).query.replace("%%", "%")))["ref"] == "a b"


def test_the_readme_has_every_option_and_its_default() -> None:
    table = README.split("## Options")[1].split("\n## ")[0]
    documented = {
        name: default
        for names, default in re.findall(r"^\| (`.*?) \|(.*?)\|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert documented.keys() == {option.name for option in fields(KannelBackend)}
    assert {
        name: default.strip(" `") for name, default in documented.items() if default.strip()
    } == {
        option.name: str(option.default)
        for option in fields(KannelBackend)
        if isinstance(option.default, int | float)
    }


def test_the_readme_shows_the_get_url_that_is_printed() -> None:
    [shown] = re.findall(r'^get-url = "(.*)"$', README, re.MULTILINE)
    assert shown == get_url("https://example.com/djsms/incoming/default/TOKEN/")
