"""The page in a real browser, which is the network: nothing is played for it here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import browser
import pytest
from django.contrib.auth.models import User
from django.utils.http import urlencode
from djsms import segments, send_text
from djsms.models import TextMessage
from djsms_phone.behaviours import Behaviour
from djsms_phone.models import Call, Handset
from serving import served

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not browser.PROGRAM and not os.environ.get("DJSMS_TEST_REQUIRE_LIVE"),
        reason="no chromium on the path",
    ),
]

SHOP, SAM = "+447700900100", "+447700900123"
ATTACK = "<img src=x onerror=alert(1)>\u202e</script><script>alert(2)</script>"
# What the browser says when the server ends between two questions.
ENDED = ("ERR_CONNECTION", "ERR_EMPTY")


@pytest.fixture(scope="module")
def chromium() -> Iterator[browser.Tab]:
    with browser.tab() as tab:
        yield tab


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    """The address of the running project."""
    with served() as address:
        yield address


@pytest.fixture
def tab(chromium: browser.Tab, site: str) -> Iterator[browser.Tab]:
    """A browser that is logged in, with a wide window."""
    User.objects.create_superuser("root")
    chromium.size(1280, 860)
    chromium.open(f"{site}/enter/?{urlencode({'next': '/phone/'})}")
    chromium.run("sessionStorage.clear(); localStorage.clear()")
    chromium.forget()
    yield chromium
    # Asks nothing more of a server that is about to end.
    chromium.open("about:blank#end")
    errors = [error for error in chromium.errors if not any(word in error for word in ENDED)]
    assert errors == []


@pytest.fixture
def conversation(tab: browser.Tab, site: str) -> browser.Tab:
    """The conversation with a phone that has got one text."""
    send_text("Your table is ready.", SHOP, SAM, status_report=True)
    handset = Handset.objects.get(number=SAM)
    tab.open(f"{site}/phone/h/{handset.pk}/")
    return tab


def words(tab: browser.Tab, selector: str) -> list[str]:
    found: list[str] = tab.run(
        f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent.trim())"
    )
    return found


def shows(tab: browser.Tab, selector: str, text: str) -> None:
    found = f"[...document.querySelectorAll({selector!r})]"
    tab.wait(f"{found}.some((e) => e.textContent.includes({json.dumps(text)}))")


class TestTheBrowserIsTheNetwork:
    def test_it_reports_by_the_real_webhook(self, conversation: browser.Tab) -> None:
        shows(conversation, ".bubble .status", "delivered")
        assert TextMessage.objects.get().status == "delivered"
        assert set(Call.objects.values_list("answer", flat=True)) == {200}
        shows(conversation, "#calls li", "delivered")

    def test_a_reply_comes_in(self, conversation: browser.Tab) -> None:
        conversation.run("document.getElementById('words').focus()")
        conversation.type("On my way 🚲")
        shows(conversation, "#count", "UCS-2")
        conversation.press("Enter", text="\r")
        shows(conversation, ".mine .text", "On my way 🚲")
        reply = TextMessage.objects.get(direction="incoming")
        assert (reply.frm, reply.to) == (SAM, SHOP)
        assert conversation.run("document.activeElement.id") == "words"
        assert conversation.run("document.getElementById('words').value") == ""

    def test_a_new_text_appears_without_a_reload(self, conversation: browser.Tab) -> None:
        send_text("And your drinks.", SHOP, SAM)
        shows(conversation, "[role=log] .text", "And your drinks.")
        send_text("Hi Kim", SHOP, "+447700900142")
        shows(conversation, "#rows li", "Hi Kim")
        conversation.wait("document.title.startsWith('(1)')")

    def test_it_behaves_as_it_is_told(self, conversation: browser.Tab) -> None:
        conversation.run("document.getElementById('b-rejects').click()")
        conversation.wait("document.getElementById('mode').textContent === 'Carrier rejects'")
        send_text("Again", SHOP, SAM, status_report=True)
        shows(conversation, ".bubble .status", "rejected")
        assert Handset.objects.get(number=SAM).behaviour == Behaviour.REJECTS


class TestThePage:
    def test_runs_no_text(self, tab: browser.Tab, site: str) -> None:
        send_text("Hi", SHOP, SAM)
        tab.open(f"{site}/phone/h/{Handset.objects.get().pk}/")
        TextMessage.objects.create(
            backend="phone", frm=ATTACK[:60], to=SAM, text=ATTACK, status="sent"
        )
        Handset.objects.update(active_on=TextMessage.objects.latest("pk").created_on)
        shows(tab, ".bubble .text", ATTACK)
        assert tab.run("document.images.length") == 1
        assert tab.run("document.scripts.length") == 2

    def test_asks_for_nothing_outside(self, conversation: browser.Tab, site: str) -> None:
        shows(conversation, ".bubble .status", "delivered")
        asked = [url for url in conversation.requests if url.startswith("http")]
        assert [url for url in asked if not url.startswith(site)] == []

    def test_keeps_a_half_typed_reply(self, conversation: browser.Tab) -> None:
        address = conversation.run("location.href")
        conversation.run("document.getElementById('words').focus()")
        conversation.type("Half a")
        conversation.open(address + "?again")
        assert conversation.run("document.getElementById('words').value") == "Half a"

    @pytest.mark.parametrize("width", [320, 390, 760, 1280])
    def test_fits_the_window(self, conversation: browser.Tab, width: int) -> None:
        conversation.size(width, 800)
        assert conversation.run("document.documentElement.scrollWidth") <= width
        assert conversation.run("document.documentElement.scrollHeight") <= 800

    def test_stays_at_the_newest_text_when_the_window_changes(
        self, conversation: browser.Tab
    ) -> None:
        for number in range(12):
            send_text(f"Text {number}. " + "It goes on and on. " * 5, SHOP, SAM)
        shows(conversation, ".bubble .text", "Text 11.")
        for width, height in ((390, 844), (390, 500), (844, 390)):
            conversation.size(width, height)
            conversation.wait(
                "(s => s.scrollHeight - s.scrollTop - s.clientHeight < 2)"
                "(document.getElementById('scroll'))"
            )

    def test_counts_segments_as_the_server_does(self, conversation: browser.Tab) -> None:
        for text in ("", "a" * 160, "a" * 161, "€" * 80, "€" * 81, "🚲" * 35, "🚲" * 36, "ê" * 70):
            conversation.run(
                f"words = document.getElementById('words'); words.value = {json.dumps(text)};"
            )
            conversation.run("words.dispatchEvent(new Event('input'))")
            told = words(conversation, "#count")[0]
            encoding, count = segments.count(text)
            assert f" {count} segment" in told, text
            assert told.endswith("GSM" if encoding == "gsm7" else "UCS-2"), text


class TestKeys:
    def test_go_from_phone_to_phone(self, conversation: browser.Tab) -> None:
        send_text("Hi Kim", SHOP, "+447700900142")
        shows(conversation, "#rows li", "Hi Kim")
        conversation.press("ArrowUp", modifiers=1)
        shows(conversation, "#heading", "+447700900142")

    def test_open_the_network_and_the_help(self, conversation: browser.Tab) -> None:
        conversation.size(760, 800)
        conversation.run("document.activeElement.blur()")
        conversation.press("m", text="m")
        conversation.wait("document.getElementById('drawer').open")
        conversation.press("Escape")
        conversation.wait("!document.getElementById('drawer').open")
        conversation.run("document.activeElement.blur()")
        conversation.press("?", text="?")
        conversation.wait("document.getElementById('help').open")

    def test_type_letters_where_one_types(self, conversation: browser.Tab) -> None:
        conversation.run("document.getElementById('words').focus()")
        for letter in "rnm":
            conversation.press(letter, text=letter)
        assert conversation.run("document.getElementById('words').value") == "rnm"
        assert not conversation.run("document.getElementById('drawer').open")


def test_a_screen_reader_finds_its_way(conversation: browser.Tab) -> None:
    shows(conversation, ".bubble .status", "delivered")
    names = conversation.names()
    assert ("log", f"Conversation with {SAM}") in names
    assert ("navigation", "Phones") in names
    assert ("textbox", "Reply") in names
    assert ("radio", "Switched off") in names
    unnamed = [role for role, name in names if role in ("button", "link", "textbox") and not name]
    assert unnamed == []
