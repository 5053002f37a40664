"""In a real browser no page of the admin overflows or is cut, on a phone, a tablet or a desk.

Under a Content-Security-Policy that allows what the project serves itself and nothing else.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import browser
import pytest
from django.contrib import admin
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import include, path, reverse
from django.utils import timezone
from serving import served

from djsms import Status
from djsms.models import IncomingPart, StatusEvent, TextMessage

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
WIDTHS = (390, 768, 1280)

# What is wider than the window, what a box of its own cuts off or makes scroll, and torn words.
OVERFLOWING = """
(() => {
  const width = document.documentElement.clientWidth;
  const main = document.querySelector('#main');
  const found = [];
  if (document.documentElement.scrollWidth > width) found.push('the page');
  for (const element of main.querySelectorAll('#content *')) {
    const box = element.getBoundingClientRect();
    const name = `${element.tagName}.${element.className.baseVal ?? element.className}`;
    if (!box.width || element.closest('thead, .visually-hidden, .hidden')) continue;
    if (box.right > width + 1 || box.left < -1) found.push(`${name} ends at ${box.right}`);
    const cuts = getComputedStyle(element).overflowX !== 'visible' && element.clientWidth;
    if (cuts && element.tagName !== 'SELECT' && element.scrollWidth > element.clientWidth + 1)
      found.push(`${name} cuts`);
  }
  for (const pill of main.querySelectorAll('.djsms-status'))
    if (!pill.textContent.includes(' ') &&
        pill.offsetHeight > 2 * parseFloat(getComputedStyle(pill).fontSize))
      found.push(`${pill.textContent} is torn apart`);
  return found;
})()
"""
# Of each status whose word is not on a ground of its own: in the dark none may be as light as day.
GLARING = """
[...document.querySelectorAll('.djsms-status')].filter((pill) => {
  const [r, g, b] = getComputedStyle(pill).backgroundColor.match(/\\d+/g).map(Number);
  return (r + g + b) / 3 > 100;
}).map((pill) => pill.className)
"""


def enter(request: HttpRequest) -> HttpResponse:
    """Log in and go on."""
    login(request, User.objects.get(username="root"))
    return redirect(request.GET["next"])


def strict(get_response: Any) -> Any:
    """Middleware that sends the policy with each page."""

    def middleware(request: HttpRequest) -> Any:
        response = get_response(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return middleware


urlpatterns = [
    path("admin/", admin.site.urls),
    path("djsms/", include("djsms.urls")),
    path("enter/", enter),
    # What a browser asks for by itself, whenever it likes.
    path("favicon.ico", lambda request: HttpResponse(status=204)),
]

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("browser"),
    pytest.mark.urls(__name__),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not browser.PROGRAM and not os.environ.get("DJSMS_TEST_REQUIRE_LIVE"),
        reason="no chromium on the path",
    ),
]

LONG = "SM" + "f" * 60
NOW = timezone.now


def message(**fields: Any) -> TextMessage:
    values = {
        "frm": "ABCDEFGHIJK",
        "to": "+4479460010001234",
        "text": f"https://example.com/{'a' * 90}",
        "account": "marketing-campaigns-of-spring",
        "attempted_on": NOW(),
        "price": Decimal("1234.03330000"),
        "currency": "EUR",
        "provider_id": LONG,
        "key": f"order-{'9' * 60}-{TextMessage.objects.count()}",
        "parts": 2,
        "segments": 2,
    }
    return TextMessage.objects.create(**values | fields)


@pytest.fixture
def rows() -> dict[str, Any]:
    """Rows whose ids, words and keys are long and have no place to break."""
    for status in Status:
        message(status=status, error_code="30008", error_text=f"Unknown error {'y' * 60}")
    unknown = message(status=Status.UNKNOWN, error_kind="OutcomeUnknown", error_text="z" * 80)
    event = {
        "source": "report",
        "account": "marketing-campaigns-of-spring",
        "status": Status.FAILED,
        "provider_id": LONG,
        "provider_status": "undelivered-permanently",
        "error_code": "30008",
        "error_text": f"Unknown error {'y' * 60}",
        "raw": {"MessageSid": LONG, "words": "x" * 100},
        "occurred_on": NOW(),
        "price": Decimal("1234.5"),
        "currency": "EUR",
    }
    StatusEvent.objects.create(message=unknown, fingerprint="1", **event)
    StatusEvent.objects.create(
        message=unknown, fingerprint="3", **event | {"status": Status.DELIVERED}
    )
    lost = StatusEvent.objects.create(fingerprint="2", ref="a" * 32, **event)
    part = IncomingPart.objects.create(
        account="marketing-campaigns-of-spring",
        frm="+447700900111",
        to="+447700900100",
        part_ref="7" * 40,
        number=1,
        total=3,
        text="long " * 60,
        provider_id=LONG,
        raw={"words": "x" * 100},
    )
    waits = message(
        status=Status.CREATED,
        attempted_on=None,
        due_on=NOW() + timedelta(hours=1),
        expires_on=NOW() + timedelta(hours=2),
    )
    return {"unknown": unknown, "waits": waits, "lost": lost, "part": part}


@pytest.fixture(scope="module")
def chromium() -> Iterator[browser.Tab]:
    with browser.tab() as tab:
        yield tab


@pytest.fixture
def site(settings: Any, rows: dict[str, Any]) -> Iterator[str]:
    """The address of the project, which sends the policy."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.strict"]
    with served() as address:
        yield address


@pytest.fixture
def tab(chromium: browser.Tab, site: str) -> Iterator[browser.Tab]:
    """A browser that is logged in."""
    User.objects.create_superuser("root")
    chromium.prefers("light")
    chromium.size(1280, 844)
    chromium.open(f"{site}/enter/?{urlencode({'next': '/admin/'})}")
    chromium.run("localStorage.clear()")
    chromium.forget()
    yield chromium
    # Asks nothing more of a server that is about to end.
    chromium.open("about:blank#end")


def addresses(rows: dict[str, Any]) -> dict[str, str]:
    messages = reverse("admin:djsms_textmessage_changelist")
    return {
        "list": messages,
        "message": reverse("admin:djsms_textmessage_change", args=[rows["unknown"].pk]),
        "one that waits": reverse("admin:djsms_textmessage_change", args=[rows["waits"].pk]),
        "dashboard": reverse("admin:djsms_dashboard"),
        "queue": reverse("admin:djsms_gate_changelist"),
        "reports": reverse("admin:djsms_statusevent_changelist"),
        "report": reverse("admin:djsms_statusevent_change", args=[rows["lost"].pk]),
        "parts": reverse("admin:djsms_incomingpart_changelist"),
        "part": reverse("admin:djsms_incomingpart_change", args=[rows["part"].pk]),
        "app": "/admin/djsms/",
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows_or_is_cut(
    tab: browser.Tab, site: str, rows: dict[str, Any], width: int
) -> None:
    tab.size(width, 844)
    found = {}
    for name, address in addresses(rows).items():
        tab.open("about:blank#next")
        tab.open(site + address)
        # What is folded is looked at as well.
        tab.run("document.querySelectorAll('#content details').forEach((d) => { d.open = true })")
        if overflowing := tab.run(OVERFLOWING):
            found[name] = overflowing
    assert found == {}
    assert tab.errors == []


@pytest.mark.parametrize("width", WIDTHS)
def test_nor_on_the_page_that_asks_before_an_action(
    tab: browser.Tab, site: str, width: int
) -> None:
    tab.size(width, 844)
    for action in ("cancel", "send_again", "ask_provider", "forget_people"):
        tab.open("about:blank#next")
        tab.open(site + reverse("admin:djsms_textmessage_changelist"))
        tab.run("document.querySelector('#action-toggle').click()")
        tab.run(f"document.querySelector('select[name=action]').value = '{action}'")
        tab.run("document.querySelector('.actions button').click()")
        tab.wait("document.querySelector('.djsms-plan .cancel-link')")
        assert tab.run(OVERFLOWING) == []
    assert tab.errors == []


def test_no_status_glares_in_the_dark(tab: browser.Tab, site: str, rows: dict[str, Any]) -> None:
    tab.prefers("dark")
    for name in ("list", "message", "queue", "dashboard"):
        tab.open("about:blank#next")
        tab.open(site + addresses(rows)[name])
        tab.wait("document.querySelector('.djsms-status')")
        assert tab.run(GLARING) == [], name


def test_the_light_theme_can_be_chosen_where_the_system_is_dark(
    tab: browser.Tab, site: str
) -> None:
    tab.prefers("dark")
    tab.run("localStorage.setItem('theme', 'light')")
    tab.open("about:blank#next")
    tab.open(site + reverse("admin:djsms_textmessage_changelist"))
    assert tab.run(GLARING) != []


def test_the_dashboard_reads_without_eyes_and_without_a_mouse(tab: browser.Tab, site: str) -> None:
    tab.open("about:blank#next")
    tab.open(site + reverse("admin:djsms_dashboard"))
    names = tab.names()
    assert any(role == "image" and "texts were sent." in name for role, name in names), names
    assert ("navigation", "Period") in names
    # The numbers behind the graph open by a key.
    tab.run("document.querySelector('.djsms-numbers summary').focus()")
    tab.press("Enter", text="\r")
    tab.wait("document.querySelector('.djsms-numbers').open")


def test_the_dashboard_asks_nobody_else(tab: browser.Tab, site: str) -> None:
    tab.open("about:blank#next")
    tab.forget()
    tab.open(site + reverse("admin:djsms_dashboard"))
    assert tab.requests
    assert all(address.startswith(site) for address in tab.requests)
    assert tab.errors == []
