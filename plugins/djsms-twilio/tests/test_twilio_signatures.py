"""Twilio's signatures: all known vectors, and what must not pass."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from djsms.exceptions import Forged, InvalidWebhook
from djsms_twilio import signatures
from djsms_twilio.signatures import Keys, verify
from hypothesis import given
from hypothesis import strategies as st
from twilio_server import AUTH_TOKEN
from twilio_webhooks import CALLBACK, FORM, INCOMING, request, signature

DATA = json.loads((Path(__file__).parent / "data" / "signature_vectors.json").read_text("utf-8"))
TOKEN = DATA["auth_token"]
KEYS = Keys(tokens=[AUTH_TOKEN])
SHARED_ID = "webhooks_sharedkey_01"


def each(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


def arriving(vector: dict[str, Any], settings: Any, **headers: str) -> HttpRequest:
    """Return the request of a vector as it arrives behind a proxy that hides where it was sent."""
    parts = urlsplit(vector["url"])
    settings.DJSMS_BASE_URL = f"{parts.scheme}://{parts.netloc}"
    is_get = vector["name"].startswith("GET")
    is_json = "body" in vector
    body = (
        vector["body"]
        if is_json
        else urlencode([(name, value) for name, value in vector["params"]])
    )
    return RequestFactory().generic(
        "GET" if is_get else "POST",
        parts.path,
        "" if is_get else body,
        "application/json" if is_json else FORM,
        QUERY_STRING=parts.query,
        headers={"X-Twilio-Signature": vector["signature"], **headers},
    )


def lists(pairs: list[list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("vector", each(DATA["published"]))
def test_published_vectors(vector: dict[str, Any], settings: Any) -> None:
    assert signatures.sign(vector["url"], lists(vector["params"]), TOKEN) == vector["signature"]
    verify(arriving(vector, settings), Keys(tokens=[TOKEN]))


@pytest.mark.parametrize("vector", each(DATA["own"]))
def test_own_vectors(vector: dict[str, Any], settings: Any) -> None:
    algorithm = vector["algorithm"].replace("-", "_")
    digest = signatures.ALGORITHMS[algorithm]
    computed = signatures.sign(vector["url"], lists(vector["params"]), vector["key"], digest)
    assert computed == vector["signature"]
    if algorithm == "HMAC_SHA1":
        verify(arriving(vector, settings), Keys(tokens=[vector["key"]]))
    else:
        header = f"key={SHARED_ID},algorithm={algorithm}"
        given = arriving(vector, settings, **{signatures.SETTINGS_HEADER: header})
        verify(given, Keys(shared={SHARED_ID: vector["key"]}))


def test_there_are_all_vectors() -> None:
    assert (len(DATA["published"]), len(DATA["own"])) == (8, 5)


@pytest.mark.parametrize("vector", each(DATA["published"] + DATA["own"][:4]))
def test_another_token_makes_another_signature(vector: dict[str, Any], settings: Any) -> None:
    with pytest.raises(Forged, match="check auth_token"):
        verify(arriving(vector, settings), Keys(tokens=["another"]))


@pytest.mark.parametrize(
    ("configured", "signed"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com:8443", "https://example.com"),
        ("http://example.com", "http://example.com:80"),
        ("https://Example.com", "https://Example.com"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
        ("https://example.com/shop", "https://example.com/shop"),
    ],
)
def test_with_and_without_the_port(configured: str, signed: str, settings: Any) -> None:
    settings.DJSMS_BASE_URL = configured
    verify(request(CALLBACK, base=signed), KEYS)


def test_the_public_address_counts_and_not_what_a_proxy_makes_of_it(settings: Any) -> None:
    settings.DJSMS_BASE_URL = "https://example.com"
    given = request(CALLBACK)
    given.META |= {"HTTP_HOST": "10.0.0.7:8000", "wsgi.url_scheme": "http", "SERVER_PORT": "8000"}
    verify(given, KEYS)


def test_our_fragment_may_be_signed_or_not() -> None:
    for fragment in ("", "#rc=5&rp=ct,rt,5xx"):
        address = f"https://example.com/c/?ref=1{fragment}"
        header = signature(address, list(CALLBACK.items()))
        given = request(CALLBACK, path="/c/", query="ref=1", **{"X-Twilio-Signature": header})
        verify(given, KEYS)


def test_the_query_is_signed_as_it_came() -> None:
    verify(request(CALLBACK, query="b=1+2&a=%2f&A=x%20y"), KEYS)


def test_an_apostrophe_may_be_signed_encoded() -> None:
    url = "https://example.com/?Body=It%27s"
    header = signature(url, [])
    given = RequestFactory().get("/", QUERY_STRING="Body=It's")
    given.META["HTTP_X_TWILIO_SIGNATURE"] = header
    verify(given, KEYS)


def test_repeated_names_count_with_their_distinct_values() -> None:
    verify(request([("b", "2"), ("b", "1"), ("b", "2"), ("B", ""), ("a", " x ")]), KEYS)


def test_a_get_is_signed_by_its_address_alone_even_with_hashes_in_it() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    query = f"bodySHA256={digest}&bodySHA256={digest}"
    verify(request(INCOMING, method="GET", query=query), KEYS)


@pytest.mark.parametrize("tokens", [[AUTH_TOKEN, "other"], ["other", AUTH_TOKEN]])
def test_two_tokens_at_once(tokens: list[str]) -> None:
    verify(request(CALLBACK), Keys(tokens=tokens))


class TestForgeries:
    def test_no_signature(self) -> None:
        with pytest.raises(Forged, match="not signed"):
            verify(request(CALLBACK, key=None), KEYS)

    @pytest.mark.parametrize("given", ["é", "=", "AAAA", " ", "\ud83d"])
    def test_what_is_no_signature(self, given: str) -> None:
        forged = request(CALLBACK, key=None)
        forged.META["HTTP_X_TWILIO_SIGNATURE"] = given
        with pytest.raises(Forged):
            verify(forged, KEYS)

    def test_no_key_at_all_proves_nothing(self) -> None:
        with pytest.raises(Forged):
            verify(request(CALLBACK, key=""), Keys())

    @pytest.mark.parametrize("name", CALLBACK)
    def test_each_changed_parameter(self, name: str) -> None:
        good = request(CALLBACK)
        changed = {**CALLBACK, name: CALLBACK[name] + "1"}
        forged = request(changed, key=None)
        forged.META["HTTP_X_TWILIO_SIGNATURE"] = good.headers["X-Twilio-Signature"]
        with pytest.raises(Forged):
            verify(forged, KEYS)

    @pytest.mark.parametrize(
        ("path", "query"),
        [("/callback/other/", "ref=1"), ("/c/", "ref=2"), ("/c/", ""), ("/c", "ref=1")],
    )
    def test_a_replay_to_another_address(self, path: str, query: str) -> None:
        header = request(CALLBACK, path="/c/", query="ref=1").headers["X-Twilio-Signature"]
        replayed = request(CALLBACK, path=path, query=query, **{"X-Twilio-Signature": header})
        with pytest.raises(Forged):
            verify(replayed, KEYS)

    def test_a_replay_to_another_host_with_that_hosts_name(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = "https://shop.example.com"
        replayed = request(CALLBACK, base="https://example.com")
        replayed.META["HTTP_HOST"] = "example.com"
        with pytest.raises(Forged):
            verify(replayed, KEYS)

    def test_a_signed_get_made_into_a_post(self) -> None:
        good = request({}, method="GET", query="a=b")
        forged = request(CALLBACK, query="a=b", key=None)
        forged.META["HTTP_X_TWILIO_SIGNATURE"] = good.headers["X-Twilio-Signature"]
        with pytest.raises(Forged):
            verify(forged, KEYS)

    @pytest.mark.parametrize(
        "hashes", ["", "bodySHA256=", f"bodySHA256={'0' * 64}", f"x{{right}}&bodySHA256={'0' * 64}"]
    )
    def test_a_body_that_its_hash_does_not_cover(self, hashes: str) -> None:
        body = json.dumps(CALLBACK)
        right = f"bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
        query = hashes.replace("{right}", right).replace("x", "", 1)
        forged = RequestFactory().generic("POST", "/", body, "application/json", QUERY_STRING=query)
        url = "https://example.com/" + (f"?{query}" if query else "")
        forged.META["HTTP_X_TWILIO_SIGNATURE"] = signature(url, [])
        with pytest.raises(Forged, match="hash of the body"):
            verify(forged, KEYS)

    def test_a_shared_key_s_signature_is_not_replaced_by_the_token_s(self) -> None:
        header = {signatures.SETTINGS_HEADER: f"key={SHARED_ID},algorithm=HMAC_SHA1"}
        with pytest.raises(Forged, match="not among shared_keys"):
            verify(request(CALLBACK, **header), KEYS)
        with pytest.raises(Forged, match="signature of the request is wrong"):
            verify(
                request(CALLBACK, **header), Keys(tokens=[AUTH_TOKEN], shared={SHARED_ID: "other"})
            )

    @pytest.mark.parametrize(
        "settings_header", [f"key={SHARED_ID}", f"key={SHARED_ID},algorithm=MD5", "x", "=,="]
    )
    def test_an_algorithm_that_is_not_known(self, settings_header: str) -> None:
        header = {signatures.SETTINGS_HEADER: settings_header}
        with pytest.raises(Forged, match="not known here"):
            verify(request(CALLBACK, **header), Keys(shared={SHARED_ID: AUTH_TOKEN}))

    def test_the_refusal_does_not_say_what_would_be_right(self) -> None:
        right = request(CALLBACK).headers["X-Twilio-Signature"]
        with pytest.raises(Forged) as caught:
            verify(request(CALLBACK, **{"X-Twilio-Signature": "AAAA"}), KEYS)
        assert right not in str(caught.value)


def test_a_body_that_is_gone_is_not_readable() -> None:
    given = RequestFactory().post("/", b"{}", content_type="application/json")
    given.META["HTTP_X_TWILIO_SIGNATURE"] = "AAAA"
    given.read()
    with pytest.raises(InvalidWebhook):
        verify(given, KEYS)


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=9))
def test_whatever_is_signed_is_believed(pairs: list[tuple[str, str]]) -> None:
    pairs = [(name, value) for name, value in pairs if (name + value).isprintable()]
    body = urlencode(pairs)
    if not body.lstrip().startswith("{"):
        verify(request(pairs), KEYS)
