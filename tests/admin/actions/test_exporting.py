"""The admin's action that exports: a download, with texts for those who may view them."""

import asyncio
import csv
import io
from typing import Any

import pytest
from admin_pages import logged_in
from django.test import AsyncClient, Client

from djsms.admin.actions import exporting
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

URL = "/admin/djsms/textmessage/"


def chosen(client: Client, **fields: Any) -> Any:
    keys = list(TextMessage.objects.values_list("pk", flat=True))
    return client.post(URL, {"action": "export", "_selected_action": keys, **fields})


def rows(response: Any) -> list[dict[str, str]]:
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


@pytest.fixture(autouse=True)
def message() -> TextMessage:
    return TextMessage.objects.create(frm="Acme", to="+447700900123", text="=Voilà")


def test_is_a_download_without_texts(client: Client) -> None:
    response = chosen(logged_in(client, "view_textmessage"))
    assert response["Content-Disposition"].startswith('attachment; filename="messages-')
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    [row] = rows(response)
    assert row["to"] == "+447700900123"
    assert "text" not in row


def test_has_the_texts_for_who_may_view_them(client: Client) -> None:
    response = chosen(logged_in(client, "view_textmessage", "view_texts"))
    assert rows(response)[0]["text"] == "'=Voilà"


def test_is_for_those_who_may_view_messages(client: Client) -> None:
    assert chosen(logged_in(client)).status_code == 403


def test_all_that_fit_can_be_chosen(client: Client) -> None:
    TextMessage.objects.bulk_create(
        [TextMessage(frm="Acme", to="+447700900199") for _ in range(70)]
    )
    response = chosen(logged_in(client, "view_textmessage"), select_across="1")
    assert len(rows(response)) == 71


def test_is_there_also_without_time_zones(client: Client, settings: Any) -> None:
    settings.USE_TZ = False
    assert len(rows(chosen(logged_in(client, "view_textmessage")))) == 1


@pytest.mark.django_db(transaction=True)
def test_under_asgi_it_is_not_read_all_at_once(client: Client) -> None:
    staff = logged_in(client, "view_textmessage")
    keys = list(TextMessage.objects.values_list("pk", flat=True))

    async def downloaded() -> bytes:
        client = AsyncClient()
        client.cookies = staff.cookies
        response: Any = await client.post(URL, {"action": "export", "_selected_action": keys})
        return b"".join([page async for page in response])

    assert asyncio.run(downloaded()).decode().count("\n") == 2


def test_too_many_are_for_the_command(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST", 1)
    TextMessage.objects.create(frm="Acme", to="+447700900199")
    response = client_follow(chosen(logged_in(client, "view_textmessage")), client)
    assert "djsms export" in response.content.decode()


def client_follow(response: Any, client: Client) -> Any:
    return client.get(response["Location"])
