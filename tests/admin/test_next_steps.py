"""The page of a message says what a person can do about it, with a button for each step."""

import re
from typing import Any

import pytest
from admin_pages import logged_in, words
from django.test import Client
from django.urls import reverse
from scripted import Provider

from djsms import SentPart, Status, enqueue_text, hookimpl, send_text
from djsms.accounts import gateways
from djsms.backends import LocalBackend
from djsms.exceptions import OutcomeUnknown, Refused, TemporarilyUnavailable
from djsms.models import TextMessage
from djsms.sending.again import resend_text

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"


class CanBeAsked(LocalBackend):
    @hookimpl
    def fetch_reports(self, messages: object) -> list[Any]:
        return []


@pytest.fixture
def operator(client: Client) -> Client:
    return logged_in(
        client, "view_textmessage", "add_textmessage", "change_textmessage", "control_queue"
    )


def section(client: Client, message: TextMessage) -> str:
    page = client.get(reverse("admin:djsms_textmessage_change", args=[message.pk]))
    html = page.content.decode()
    found = re.search(r'<section class="djsms-next".*?</section>', html, re.S)
    return found[0] if found else ""


def buttons(html: str) -> list[str]:
    return re.findall(r'name="action" value="(\w+)"', html)


def unknown(provider: Provider, **fields: Any) -> TextMessage:
    provider.fails(OutcomeUnknown("timed out"))
    message = send_text("Hello", "Acme", TO, **fields)
    provider.accepts()
    return message


class TestAnUnknownOne:
    def test_has_three_steps(self, operator: Client, provider: Provider) -> None:
        message = unknown(provider, status_report=True)
        with gateways.replaced(lambda alias: CanBeAsked()):
            html = section(operator, message)
        assert "Wait: a status report was asked for" in words(html)
        assert buttons(html) == ["ask_provider", "send_again"]

    def test_says_if_no_report_will_settle_it(self, operator: Client, provider: Provider) -> None:
        assert "No status report was asked for" in section(operator, unknown(provider))

    def test_says_where_to_look_if_nobody_can_ask(
        self, operator: Client, provider: Provider
    ) -> None:
        message = unknown(provider)
        html = section(operator, message)
        assert "has no way to ask: look it up with the provider." in html
        assert message.ref in html
        assert buttons(html) == ["send_again"]

    def test_leads_to_the_page_that_asks_first(self, operator: Client, provider: Provider) -> None:
        message = unknown(provider)
        html = section(operator, message)
        [address] = re.findall(r'action="([^"]+)"', html)
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html))
        page = operator.post(address, fields).content.decode()
        assert "1 message would be sent again" in page
        assert TextMessage.objects.count() == 1

    def test_has_buttons_only_for_what_one_may_do(self, client: Client, provider: Provider) -> None:
        html = section(logged_in(client, "view_textmessage"), unknown(provider))
        assert "send it again" in html
        assert buttons(html) == []


def test_one_that_was_sent_again_leads_to_the_newer(operator: Client, provider: Provider) -> None:
    message = unknown(provider)
    new = resend_text(message)
    html = section(operator, message)
    assert f"/{new.pk}/change/" in html
    assert buttons(html) == []


def test_one_that_waits_can_be_taken_back(operator: Client, provider: Provider) -> None:
    assert buttons(section(operator, enqueue_text("Hello", "Acme", TO))) == ["cancel"]


def test_one_whose_turn_never_came_can_be_sent_again(operator: Client, provider: Provider) -> None:
    html = section(operator, TextMessage.objects.create(text="Hello", frm="Acme", to=TO))
    assert "Its turn to be sent has not come." in html
    assert buttons(html) == ["send_again"]


@pytest.mark.parametrize(
    ("error", "told"),
    [(TemporarilyUnavailable("down"), "surely did not go out"), (Refused("no"), "put right")],
)
def test_one_that_failed_can_be_sent_again(
    operator: Client, provider: Provider, error: Exception, told: str
) -> None:
    provider.fails(error)
    html = section(operator, send_text("Hello", "Acme", TO))
    assert told in html
    assert buttons(html) == ["send_again"]


def test_one_that_arrived_needs_nothing(operator: Client, provider: Provider) -> None:
    provider.answers(SentPart(status=Status.DELIVERED))
    assert section(operator, send_text("Hello", "Acme", TO)) == ""


def test_nor_does_one_that_came_in(operator: Client) -> None:
    message = TextMessage.objects.create(
        text="Hi", frm=TO, to="Acme", direction="incoming", status="received"
    )
    assert section(operator, message) == ""
