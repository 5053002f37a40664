"""To look at messages and to read what they say are two permissions: one-time codes are in them."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse
from scripted import Provider

from djsms import OutgoingText, SendResult, StatusReport, hookimpl, send_text
from djsms.accounts import gateways
from djsms.admin import TextMessageAdmin
from djsms.exceptions import Refused
from djsms.models import IncomingPart, StatusEvent, TextMessage

pytestmark = pytest.mark.django_db

CODE = "190357"
SHOP, CUSTOMER = "+447700900100", "+447700900123"
HIDDEN = "Hidden: it takes the permission “Can view the texts of messages”."


def staff(client: Client, *without: str) -> Client:
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename__in=without))
    client.force_login(user)
    return client


@pytest.fixture
def looker(client: Client) -> Client:
    """May do all but read texts."""
    return staff(client, "view_texts")


@pytest.fixture
def reader(client: Client) -> Client:
    return staff(client)


@pytest.fixture
def message(provider: Provider) -> TextMessage:
    provider.accepts("A-1", raw={"body": f"Your code is {CODE}"})
    return send_text(f"Your code is {CODE}", SHOP, CUSTOMER, extra={"words": CODE})


def every_page(client: Client, row: Any) -> str:
    """The list that has the row, its own page, its history and the one before it is deleted."""
    name = f"admin:djsms_{row._meta.model_name}"
    addresses = [
        reverse(f"{name}_changelist"),
        f"{reverse(f'{name}_changelist')}?q=A-1",
        *(reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history", "delete")),
    ]
    responses = [client.get(address) for address in addresses]
    assert [response.status_code for response in responses] == [200] * len(addresses)
    return "".join(response.content.decode() for response in responses)


def test_who_has_it_reads_the_text_on_the_page_of_the_message(
    reader: Client, message: TextMessage
) -> None:
    page = reader.get(reverse("admin:djsms_textmessage_change", args=[message.pk]))
    assert page.content.decode().count(CODE) == 3
    assert HIDDEN not in page.content.decode()


def test_who_lacks_it_reads_it_nowhere(looker: Client, message: TextMessage) -> None:
    pages = every_page(looker, message)
    assert CODE not in pages
    assert HIDDEN in pages
    assert CUSTOMER in pages


def test_nor_in_a_part_that_waits(looker: Client, provider: Provider) -> None:
    part = {"ref": "7", "number": 1, "total": 2}
    provider.delivers(frm=CUSTOMER, to=SHOP, text=f"It is {CODE}", part=part)
    pages = every_page(looker, IncomingPart.objects.get())
    assert CODE not in pages
    assert HIDDEN in pages


def test_nor_in_a_report_that_found_no_message(looker: Client, provider: Provider) -> None:
    provider.reports(provider_id="B-1", status="delivered", surprise=CODE)
    pages = every_page(looker, StatusEvent.objects.get())
    assert CODE not in pages
    assert HIDDEN in pages


@pytest.mark.parametrize(
    "lookup",
    ["text", "text__startswith", "text__contains", "extra__words", "events__raw__body", "ref__lt"],
)
@pytest.mark.parametrize("who", ["looker", "reader"])
def test_nobody_asks_for_texts_by_the_address_of_the_list(
    request: pytest.FixtureRequest, message: TextMessage, who: str, lookup: str
) -> None:
    client = request.getfixturevalue(who)
    address = reverse("admin:djsms_textmessage_changelist")
    assert client.get(address, {lookup: "Your code is 1"}).status_code == 400


def test_nobody_asks_for_parts_by_it_either(looker: Client) -> None:
    address = reverse("admin:djsms_incomingpart_changelist")
    assert looker.get(address, {"text__startswith": "It"}).status_code == 400


def test_a_project_s_own_filters_can_be_asked_for(rf: RequestFactory) -> None:
    class ShopMessageAdmin(TextMessageAdmin):
        list_filter = (("status", admin.ChoicesFieldListFilter), "backend")

    own = ShopMessageAdmin(TextMessage, admin.site)
    allowed = [own.lookup_allowed(f"{name}__exact", "x", rf.get("/")) for name in WANTED]
    assert dict(zip(WANTED, allowed, strict=True)) == WANTED


WANTED = {"status": True, "backend": True, "text": False, "direction": False}


def refused(provider: Provider) -> TextMessage:
    provider.fails(Refused(f"{CUSTOMER} may not read: It is {CODE}", code="7"))
    return send_text("Hi", SHOP, CUSTOMER)


def test_nor_in_the_providers_reason_why_it_failed(looker: Client, provider: Provider) -> None:
    pages = every_page(looker, refused(provider))
    assert CODE not in pages
    assert "7" in pages


def test_nor_in_that_of_a_report_that_found_no_message(looker: Client, provider: Provider) -> None:
    provider.reports(provider_id="B-1", status="failed", error_text=f"It is {CODE}")
    assert CODE not in every_page(looker, StatusEvent.objects.get())


@pytest.mark.parametrize(("who", "is_shown"), [("looker", False), ("reader", True)])
def test_nor_where_reasons_are_counted(
    request: pytest.FixtureRequest, provider: Provider, who: str, is_shown: bool
) -> None:
    refused(provider)
    client = request.getfixturevalue(who)
    page = client.get(reverse("admin:djsms_dashboard")).content.decode()
    assert (CODE in page) is is_shown
    assert (HIDDEN in page) is not is_shown


@pytest.mark.parametrize(("who", "is_shown"), [("looker", False), ("reader", True)])
def test_nor_in_why_a_provider_cannot_be_asked(
    request: pytest.FixtureRequest, who: str, is_shown: bool
) -> None:
    class Silent:
        @hookimpl
        def send(self, message: OutgoingText) -> SendResult:
            return SendResult.accepted("A-1")

        @hookimpl
        def fetch_reports(self, messages: object) -> list[StatusReport]:
            raise Refused(f"No message says: It is {CODE}")

    client = request.getfixturevalue(who)
    with gateways.replaced(lambda alias: Silent()):
        message = send_text("Hi", SHOP, CUSTOMER)
        data = {"action": "ask_provider", "_selected_action": [message.pk], "confirmed": "yes"}
        address = reverse("admin:djsms_textmessage_changelist")
        page = client.post(address, data, follow=True).content.decode()
    assert "Refused" in page
    assert (CODE in page) is is_shown


def test_what_messages_say_is_not_searched(looker: Client, message: TextMessage) -> None:
    response: Any = looker.get(reverse("admin:djsms_textmessage_changelist"), {"q": CODE})
    assert list(response.context["cl"].result_list) == []


@pytest.mark.parametrize("action", ["cancel", "send_again", "ask_provider"])
def test_actions_do_not_show_them(looker: Client, message: TextMessage, action: str) -> None:
    data = {"action": action, "_selected_action": [message.pk]}
    response = looker.post(reverse("admin:djsms_textmessage_changelist"), data)
    assert response.status_code == 200
    assert CODE not in response.content.decode()


def test_permissions_are_named_in_the_words_of_the_admin() -> None:
    names = Permission.objects.filter(content_type__app_label="djsms").values_list(
        "name", flat=True
    )
    assert "Can view queue of an account" in names
    assert not [name for name in names if "gate" in name or "rollup" in name]
