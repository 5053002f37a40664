"""The admin in a real browser: a message is found by its number and its timeline is there."""

import os
import re
from typing import Any
from urllib.parse import urlencode

import browser
import pytest
from django.contrib import admin
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path
from scripted import Provider

from djsms import send_text


def enter(request: HttpRequest) -> HttpResponse:
    """Log in and go on: the browser's command line has no place for a cookie."""
    login(request, User.objects.get(username="root"))
    return redirect(request.GET["next"])


urlpatterns = [
    path("admin/", admin.site.urls),
    path("djsms/", include("djsms.urls")),
    path("enter/", enter),
]

pytestmark = [
    pytest.mark.live,
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not browser.PROGRAM and not os.environ.get("DJSMS_TEST_REQUIRE_LIVE"),
        reason="no chromium on the path",
    ),
]


@pytest.fixture
def page(live_server: Any) -> Any:
    """Open an address of the project as a superuser, and return what the browser made of it."""
    User.objects.create_superuser("root")
    return lambda address: browser.dom(f"{live_server.url}/enter/?{urlencode({'next': address})}")


def test_a_message_is_found_by_its_number_and_tells_its_story(
    page: Any, provider: Provider
) -> None:
    send_text("Another one", "+447700900100", "+447700900199")
    message = send_text("Hello <Sam>", "+447700900100", "+447700900123", status_report=True)
    provider.reports(ref=message.ref, status="delivered")

    found = page("/admin/djsms/textmessage/?" + urlencode({"q": "+44 (0)7700 900-123"}))
    assert "1 result" in found
    assert "+447700900199" not in found
    [link] = re.findall(r'<a href="(/admin/djsms/textmessage/\d+/change/[^"]*)"', found)

    shown = page(link.replace("&amp;", "&"))
    assert "Hello &lt;Sam&gt;" in shown
    timeline = shown[shown.index('id="djsms-timeline"') :]
    assert re.findall(r'class="djsms-status djsms-status-(\w+)"', timeline) == [
        "sending",
        "delivered",
    ]
    form = shown[shown.index('id="textmessage_form"') : shown.rindex("</form>")]
    assert set(re.findall(r'<input[^>]* type="(\w+)"', form)) == {"hidden"}
    assert not re.search("<textarea|<select", form)
