"""The admin's action that forgets people: it says first what is stored of each."""

import html
import re

import pytest
from admin_pages import logged_in
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from scripted import Provider

from djsms import enqueue_text, send_text
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

URL = "/admin/djsms/textmessage/"
PERSON, OTHER = "+447700900123", "+447700900199"


@pytest.fixture
def officer(client: Client) -> Client:
    return logged_in(client, "view_textmessage", "delete_textmessage", "view_texts")


def choose(client: Client, *texts: TextMessage, **fields: str) -> str:
    data = {"action": "forget_people", "_selected_action": [text.pk for text in texts], **fields}
    response = client.post(URL, data, follow=True)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_asks_first_and_counts_all_that_is_stored(officer: Client, provider: Provider) -> None:
    text = send_text("Hello", "Acme", PERSON)
    enqueue_text("Hello", "Acme", PERSON)
    provider.delivers(frm=PERSON, to="+447700900001", text="Hi")
    page = choose(officer, text)
    assert "+447700900123: sent 2, received 1. Waiting, and cancelled first: 1." in page
    assert (
        "Forget 1 person"
        in officer.post(
            URL, {"action": "forget_people", "_selected_action": [text.pk]}
        ).content.decode()
    )
    assert TextMessage.objects.filter(text="").count() == 0


def test_forgets_the_people_of_both_directions(officer: Client, provider: Provider) -> None:
    provider.delivers(frm=PERSON, to="+447700900001", text="Hi")
    texts = [TextMessage.objects.get(), send_text("Hello", "Acme", OTHER)]
    send_text("Hello", "Acme", PERSON)
    page = choose(officer, *texts, confirmed="yes")
    assert "2 messages erased." in page
    assert "1 message erased." in page
    assert not TextMessage.objects.exclude(text="").exists()


def test_names_what_had_to_be_left(officer: Client, provider: Provider) -> None:
    text = send_text("Hello", "Acme", PERSON)
    TextMessage.objects.update(status="created", attempted_on=timezone.now())
    assert f"called just now: {text.ref}" in choose(officer, text, confirmed="yes")


def test_what_is_of_no_number_is_left_out(officer: Client, provider: Provider) -> None:
    provider.delivers(frm="Acme", to="+447700900001", text="Hi")
    page = choose(officer, TextMessage.objects.get())
    assert "There is nobody to forget." in page
    assert "It is to or from no phone number." in page


def test_who_may_not_delete_has_no_such_action(client: Client, provider: Provider) -> None:
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_textmessage"))
    client.force_login(user)
    text = send_text("Hello", "Acme", PERSON)
    choose(client, text, confirmed="yes")
    text.refresh_from_db()
    assert text.to == PERSON


def test_the_page_of_an_erased_message_says_so(officer: Client, provider: Provider) -> None:
    text = send_text("Hello", "Acme", PERSON)
    choose(officer, text, confirmed="yes")
    page = officer.get(f"{URL}{text.pk}/change/").content.decode()
    assert "It was erased: it counts" in page
    assert "Erased on" in page
