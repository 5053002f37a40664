"""The admin's action that sends again, and the filter by what messages ended with."""

from __future__ import annotations

import html
import re

import pytest
from admin_pages import logged_in
from django.test import Client
from scripted import Provider

from djsms import send_text
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

URL = "/admin/djsms/textmessage/"
FRM, TO = "+447700900001", "+447700900002"


@pytest.fixture
def sender(client: Client) -> Client:
    return logged_in(client, "view_textmessage", "add_textmessage")


@pytest.fixture
def lost(provider: Provider) -> TextMessage:
    provider.fails(OutcomeUnknown("?"))
    message = send_text("x" * 200, FRM, TO)
    provider.accepts("abc")
    return message


def choose(client: Client, *texts: TextMessage, **fields: str) -> str:
    data = {"action": "send_again", "_selected_action": [text.pk for text in texts], **fields}
    response = client.post(URL, data, follow=True)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_asks_first(sender: Client, lost: TextMessage) -> None:
    page = choose(sender, lost)
    assert "1 message would be sent again, as a new message. It costs 2 segments." in page
    assert "it may arrive twice" in page
    assert TextMessage.objects.count() == 1


def test_sends_as_a_new_message(sender: Client, lost: TextMessage) -> None:
    page = choose(sender, lost, confirmed="yes")
    new = TextMessage.objects.get(resend_of=lost)
    assert f"{lost.ref} was sent again as {new.ref}, which is: sending." in page
    assert new.status == "sending"


def test_taken_from_the_page_of_a_message_it_leads_back_there(
    sender: Client, lost: TextMessage
) -> None:
    data = {"action": "send_again", "_selected_action": [lost.pk], "origin": "message"}
    page = sender.post(URL, data).content.decode()
    assert f'href="{URL}{lost.pk}/change/" class="button cancel-link"' in page
    response = sender.post(URL, {**data, "confirmed": "yes"})
    assert response.headers["location"] == f"{URL}{lost.pk}/change/"


def test_pressed_twice_it_sends_once(sender: Client, lost: TextMessage, provider: Provider) -> None:
    choose(sender, lost, confirmed="yes")
    assert "was sent again before" in choose(sender, lost, confirmed="yes")
    assert len(provider.sent) == 2


def test_says_what_is_not_to_be_sent_again(sender: Client, lost: TextMessage) -> None:
    incoming = TextMessage.objects.create(
        text="Hi", frm=TO, to=FRM, direction="incoming", status="received"
    )
    page = choose(sender, lost, incoming)
    assert f"1 : An incoming message is not ours to send. ( {incoming.ref} )" in page


def test_offers_no_button_if_none_can_be_sent_again(sender: Client) -> None:
    incoming = TextMessage.objects.create(
        text="Hi", frm=TO, to=FRM, direction="incoming", status="received"
    )
    response = sender.post(URL, {"action": "send_again", "_selected_action": [incoming.pk]})
    page = response.content.decode()
    assert "None of them can be sent again." in page
    assert "submit" not in page.partition('id="content-main"')[2].partition("</main>")[0]


def test_an_account_that_is_gone_does_not_stop_the_others(
    sender: Client, lost: TextMessage
) -> None:
    gone = TextMessage.objects.create(text="Hi", frm=FRM, to=TO, account="gone", status="unknown")
    page = choose(sender, gone, lost, confirmed="yes")
    assert "no account 'gone'" in page
    assert f"{lost.ref} was sent again" in page


def test_few_at_a_time(sender: Client, provider: Provider) -> None:
    rows = [TextMessage(text="Hi", frm=FRM, to=TO, status="unknown") for _ in range(26)]
    page = choose(sender, *TextMessage.objects.bulk_create(rows), confirmed="yes")
    assert "Choose up to 25 at a time" in page
    assert provider.sent == []


def test_needs_its_permission(client: Client, lost: TextMessage) -> None:
    choose(logged_in(client, "view_textmessage"), lost, confirmed="yes")
    assert TextMessage.objects.count() == 1


def test_the_filter_finds_what_surely_was_not_sent(
    sender: Client, lost: TextMessage, provider: Provider
) -> None:
    provider.fails(TemporarilyUnavailable("later"))
    failed = send_text("Hi", FRM, TO)
    page = sender.get(URL, {"error_kind": "TemporarilyUnavailable"}).content.decode()
    assert f"/{failed.pk}/change/" in page
    assert f"/{lost.pk}/change/" not in page
