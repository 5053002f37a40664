"""The admin's action that cancels: it says first what waits and what does not."""

import re
from typing import Any

import pytest
from admin_pages import logged_in, words
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from scripted import Provider

from djsms import Status, enqueue_text, queue, send_text
from djsms.admin.actions import cancelling
from djsms.models import TextMessage
from djsms.waiting.cancelling import cancel_texts

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"
URL = "/admin/djsms/textmessage/"


@pytest.fixture
def operator(client: Client) -> Client:
    return logged_in(client, "control_queue", "view_textmessage")


def wait(**fields: Any) -> TextMessage:
    return enqueue_text("Hello", "Acme", TO, **fields)


def choose(client: Client, *texts: TextMessage, **fields: str) -> str:
    data = {"action": "cancel", "_selected_action": [text.pk for text in texts], **fields}
    return words(client.post(URL, data, follow=True).content.decode())


def test_asks_first(operator: Client, provider: Provider) -> None:
    text = wait()
    assert "1 text waits and would be cancelled." in choose(operator, text)
    text.refresh_from_db()
    assert text.status == "created"


def test_says_what_it_leaves_alone_and_why(operator: Client, provider: Provider) -> None:
    page = choose(operator, send_text("Hello", "Acme", TO), wait(), wait())
    assert "2 texts wait" in page
    assert "1 : does not wait: sending (accepted by the provider)" in page


def test_cancels_those_that_wait(operator: Client, provider: Provider) -> None:
    sent, waits = send_text("Hello", "Acme", TO), wait()
    assert "1 text cancelled." in choose(operator, sent, waits, confirmed="yes")
    waits.refresh_from_db()
    assert waits.status == "cancelled"
    sent.refresh_from_db()
    assert sent.status == "sending"


def test_says_if_none_waits_and_offers_no_button(operator: Client, provider: Provider) -> None:
    sent = send_text("Hello", "Acme", TO)
    response = operator.post(URL, {"action": "cancel", "_selected_action": [sent.pk]})
    html = response.content.decode().partition('id="content-main"')[2].partition("</main>")[0]
    assert "None of them waits." in html
    assert "submit" not in html


def test_all_that_fit_the_filter_can_be_chosen(operator: Client, provider: Provider) -> None:
    first, second = wait(), wait(using="default")
    other = TextMessage.objects.create(frm="Acme", to=TO, status=Status.FAILED)
    data = {"action": "cancel", "_selected_action": [first.pk], "select_across": "1"}
    query = "?status__exact=created"
    assert "2 texts wait" in words(operator.post(URL + query, data).content.decode())
    operator.post(URL + query, {**data, "confirmed": "yes"})
    found = TextMessage.objects.filter(pk__in=[first.pk, second.pk, other.pk]).order_by("pk")
    assert [text.status for text in found] == ["cancelled", "cancelled", "failed"]


def test_does_a_bounded_number_at_a_time_and_says_so(
    operator: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "MOST", 2)
    texts = [wait(), wait(), wait()]
    assert "More of them wait: at a time it is 2, the oldest first." in choose(operator, *texts)
    assert "2 texts cancelled." in choose(operator, *texts, confirmed="yes")
    assert TextMessage.objects.get(status="created") == texts[-1]


def test_says_if_it_was_too_late_for_some(
    operator: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def others_were_faster(texts: list[TextMessage]) -> list[TextMessage]:
        queue.drain(limit=1)
        return cancel_texts(texts)

    monkeypatch.setattr(cancelling, "cancel_texts", others_were_faster)
    page = choose(operator, wait(), wait(), confirmed="yes")
    assert "1 text cancelled." in page
    assert "1 was sent meanwhile: it was too late for it." in page


def test_needs_its_permission(client: Client, provider: Provider) -> None:
    text = wait()
    choose(logged_in(client, "view_gate", "view_textmessage"), text, confirmed="yes")
    text.refresh_from_db()
    assert text.status == "created"


def test_the_list_offers_these_actions(client: Client, provider: Provider) -> None:
    client.force_login(User.objects.create_superuser("root"))
    wait()
    html = client.get(reverse("admin:djsms_textmessage_changelist")).content.decode()
    assert re.findall(r'<option value="(\w+)">', html) == [
        "cancel",
        "send_again",
        "ask_provider",
        "export",
        "forget_people",
    ]
