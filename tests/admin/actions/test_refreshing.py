"""The admin's action that asks the provider: it says first about how many, and about which not."""

import html
import re
from collections.abc import Iterator, Sequence

import pytest
from admin_pages import logged_in
from django.db import connection
from django.test import Client

from djsms import SendResult, SentText, Status, StatusReport, hookimpl, send_text
from djsms.accounts import gateways
from djsms.admin.actions import refreshing
from djsms.backends import LocalBackend
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable
from djsms.models import TextMessage
from djsms.receiving.refreshing import LOT

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/admin/djsms/textmessage/"
TO = "+447700900123"


class Asked(LocalBackend):
    """Breaks off when it is handed a text, and knows afterwards how it stands."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_down = False
        self.were_in_transaction: list[bool] = []

    @hookimpl
    def send(self, message: object) -> SendResult:
        raise OutcomeUnknown("timed out")

    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        self.were_in_transaction.append(connection.in_atomic_block)
        if self.is_down:
            raise TemporarilyUnavailable("down")
        self.asked += [sent.ref for sent in messages]
        return [StatusReport(ref=sent.ref, status=Status.DELIVERED) for sent in messages]


@pytest.fixture
def asked() -> Iterator[Asked]:
    backend = Asked()
    with gateways.replaced(lambda alias: backend):
        yield backend


@pytest.fixture
def operator(client: Client) -> Client:
    return logged_in(client, "view_textmessage", "change_textmessage")


def choose(client: Client, *texts: TextMessage, **fields: str) -> str:
    data = {"action": "ask_provider", "_selected_action": [text.pk for text in texts], **fields}
    response = client.post(URL, data, follow=True)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_asks_first(operator: Client, asked: Asked) -> None:
    page = choose(operator, send_text("Hello", "Acme", TO))
    assert "The provider would be asked now how 1 message stands." in page
    assert asked.asked == []


def test_asks_and_says_what_came_of_it(operator: Client, asked: Asked) -> None:
    text = send_text("Hello", "Acme", TO)
    page = choose(operator, text, confirmed="yes")
    assert "Account default: asked about 1, new reports: 1." in page
    text.refresh_from_db()
    assert text.status == "delivered"


def test_says_about_which_it_cannot_ask(operator: Client, asked: Asked) -> None:
    incoming = TextMessage.objects.create(
        text="Hi", frm=TO, to="Acme", direction="incoming", status="received"
    )
    never = TextMessage.objects.create(text="Hi", frm="Acme", to=TO)
    page = choose(operator, incoming, never)
    assert "No provider can be asked about any of them." in page
    assert "1 : It came in: there is nothing to ask." in page
    assert "1 : Its provider was never called for it." in page


def test_says_if_a_backend_has_no_way_to_ask(operator: Client, asked: Asked) -> None:
    text = send_text("Hello", "Acme", TO)
    with gateways.replaced(lambda alias: LocalBackend()):
        assert "has no way to ask: look it up with the provider." in choose(operator, text)


def test_says_if_the_provider_could_not_be_asked(operator: Client, asked: Asked) -> None:
    text = send_text("Hello", "Acme", TO)
    asked.is_down = True
    assert "new reports: 0. TemporarilyUnavailable" in choose(operator, text, confirmed="yes")


def test_no_transaction_is_open_meanwhile_whatever_the_project_wants_around_requests(
    operator: Client, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = send_text("Hello", "Acme", TO)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    choose(operator, text, confirmed="yes")
    assert asked.were_in_transaction == [False]


def test_ends_in_good_time_and_says_what_is_left(
    operator: Client, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [send_text("Hello", "Acme", TO) for _ in range(LOT + 2)]
    monkeypatch.setattr(refreshing, "PATIENCE", -1)
    page = choose(operator, *texts, confirmed="yes")
    assert f"The provider is slow. Not asked about: {LOT + 2}; choose them again." in page


def test_few_at_a_time(operator: Client, asked: Asked) -> None:
    rows = [TextMessage(text="Hi", frm="Acme", to=TO) for _ in range(refreshing.MOST + 1)]
    page = choose(operator, *TextMessage.objects.bulk_create(rows), confirmed="yes")
    assert f"Choose up to {refreshing.MOST} at a time" in page
    assert asked.asked == []


def test_an_account_that_is_gone_cannot_be_asked(operator: Client, asked: Asked) -> None:
    text = send_text("Hello", "Acme", TO)
    TextMessage.objects.update(account="gone")
    assert "no account 'gone'" in choose(operator, text)


def test_needs_its_permission(client: Client, asked: Asked) -> None:
    text = send_text("Hello", "Acme", TO)
    choose(logged_in(client, "view_textmessage"), text, confirmed="yes")
    assert asked.asked == []
