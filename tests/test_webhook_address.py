"""The address that a provider called is found again, letter by letter, behind whatever proxy."""

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory, RequestFactory, override_settings

from djsms.exceptions import InvalidWebhook
from djsms.http import public_url

BASE = "https://shop.example"


@pytest.fixture(autouse=True)
def base(settings: Any) -> None:
    settings.DJSMS_BASE_URL = BASE


def wsgi(path: str = "/sms/", query: str = "", **meta: str) -> HttpRequest:
    return RequestFactory().post("/", **{"PATH_INFO": path, "QUERY_STRING": query, **meta})  # type: ignore[arg-type]


def asgi(path: str = "/sms/", **scope: Any) -> HttpRequest:
    request = AsyncRequestFactory()._base_scope(path=path, **scope)  # type: ignore[attr-defined]
    return AsyncRequestFactory().request(**request)  # type: ignore[return-value]


class TestSchemeAndHost:
    def test_are_those_of_the_setting_whatever_the_proxy_says(self) -> None:
        request = wsgi(HTTP_HOST="10.0.0.7:8000", HTTP_X_FORWARDED_HOST="other.example")
        assert public_url(request) == "https://shop.example/sms/"

    def test_have_the_port_of_the_setting(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = "https://shop.example:8443"
        assert public_url(wsgi(SERVER_PORT="80")) == "https://shop.example:8443/sms/"

    def test_are_the_requests_own_without_the_setting(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = None
        assert public_url(wsgi(query="a=1")) == "http://testserver/sms/?a=1"


class TestThePathThatTheProjectLiesUnder:
    @pytest.fixture(autouse=True)
    def base(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = f"{BASE}/shop/"

    def test_is_not_doubled_when_the_server_tells_it(self) -> None:
        request = wsgi(SCRIPT_NAME="/shop", RAW_URI="/shop/sms/?a=1", query="a=1")
        assert public_url(request) == f"{BASE}/shop/sms/?a=1"

    def test_is_put_back_when_the_proxy_took_it_off(self) -> None:
        assert public_url(wsgi(RAW_URI="/sms/")) == f"{BASE}/shop/sms/"

    @override_settings(FORCE_SCRIPT_NAME="/shop")
    def test_is_not_doubled_when_the_project_tells_it(self) -> None:
        assert public_url(wsgi(RAW_URI="/sms/")) == f"{BASE}/shop/sms/"

    def test_is_replaced_when_the_proxy_has_another(self) -> None:
        assert public_url(wsgi(SCRIPT_NAME="/inner")) == f"{BASE}/shop/sms/"

    def test_is_the_requests_own_without_the_setting(self, settings: Any) -> None:
        settings.DJSMS_BASE_URL = ""
        request = wsgi(SCRIPT_NAME="/my shop", RAW_URI="/my%20shop/sms/")
        assert public_url(request) == "http://testserver/my%20shop/sms/"

    def test_is_known_under_asgi(self) -> None:
        request = asgi("/shop/sms/", root_path="/shop", raw_path=b"/shop/sms/")
        assert public_url(request) == f"{BASE}/shop/sms/"


class TestTheRestIsAsItCame:
    @pytest.mark.parametrize(
        "query", ["a=%7e&b=~", "a=x+y&b=x%20y", "b=1&a=2&b=3", "a={1}|%5B2]&c", "&&", "a=%c3%a9"]
    )
    def test_in_the_query(self, query: str) -> None:
        assert public_url(wsgi(query=query)) == f"{BASE}/sms/?{query}"
        assert public_url(asgi(query_string=query)) == f"{BASE}/sms/?{query}"

    def test_in_a_query_with_bytes_that_should_have_been_encoded(self) -> None:
        assert public_url(wsgi(query="a=é".encode().decode("latin-1"))) == f"{BASE}/sms/?a=é"
        assert public_url(asgi(query_string="a=é".encode())) == f"{BASE}/sms/?a=é"

    @pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
    @pytest.mark.parametrize("path", ["/sms/%7Eme/", "/sms/~me/", "/s%6ds/%7eme/"])
    def test_in_the_path_where_the_server_tells(self, path: str, variable: str) -> None:
        request = wsgi("/sms/~me/", **{variable: f"{path}?a=1"}, query="a=1")
        assert public_url(request) == f"{BASE}{path}?a=1"

    @pytest.mark.parametrize("path", ["/sms/%7Eme/", "/sms/~me/"])
    def test_in_the_path_under_asgi(self, path: str) -> None:
        assert public_url(asgi("/sms/~me/", raw_path=path.encode())) == f"{BASE}{path}"

    def test_but_encoded_anew_where_the_server_does_not_tell(self) -> None:
        assert public_url(wsgi("/sms/é b/".encode().decode("latin-1"))) == f"{BASE}/sms/%C3%A9%20b/"

    def test_but_not_taken_from_an_address_that_is_another(self) -> None:
        assert public_url(wsgi(RAW_URI="/elsewhere/")) == f"{BASE}/sms/"


def test_an_address_that_is_no_utf8_is_not_readable() -> None:
    with pytest.raises(InvalidWebhook, match="address is not UTF-8"):
        public_url(wsgi(query="a=\xff"))
