"""The admin's page of the queue says whether texts go, and pauses and resumes accounts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from admin_pages import logged_in
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from scripted import Provider

from djsms import Status, enqueue_text, queue, send_text
from djsms.exceptions import OutcomeUnknown, Refused, TemporarilyUnavailable
from djsms.ledger import clock, storable
from djsms.models import StatusEvent, TextMessage, Worker
from djsms.waiting.recent import last_hour

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"
PAGE = "/admin/djsms/gate/"


@pytest.fixture
def operator(client: Client) -> Client:
    """May control the queue, and look at messages."""
    return logged_in(client, "control_queue", "view_textmessage")


@pytest.fixture
def onlooker(client: Client) -> Client:
    return logged_in(client, "view_gate", "view_textmessage")


def page(client: Client) -> str:
    response = client.get(PAGE)
    assert response.status_code == 200
    return response.content.decode()


def wait(**fields: Any) -> TextMessage:
    return enqueue_text("Hello", "Acme", TO, **fields)


class TestThePage:
    def test_begins_with_the_verdict(self, onlooker: Client, provider: Provider) -> None:
        wait(priority="bulk")
        html = page(onlooker)
        assert "Nobody sends just now: no djsms work was seen in the last minute." in html
        assert "djsms-verdict-trouble" in html

        now = timezone.now()
        Worker.objects.create(host="box", pid=7, started_on=now, seen_on=now)
        html = page(onlooker)
        assert "Texts are sent. 1 text waits; the oldest has been due for 0 s." in html
        assert "djsms-verdict-fine" in html

    def test_says_why_an_account_is_closed(self, onlooker: Client, provider: Provider) -> None:
        provider.fails(TemporarilyUnavailable("down"))
        for _ in range(5):
            wait()
        queue.drain()
        html = page(onlooker)
        assert "djsms-verdict-trouble" in html
        assert "(5 calls in a row failed, the last by TemporarilyUnavailable)." in html

    def test_is_in_the_admin_s_index(self, operator: Client) -> None:
        assert f'href="{PAGE}"' in operator.get("/admin/").content.decode()

    def test_shows_the_workers(self, onlooker: Client, provider: Provider) -> None:
        assert "No worker was seen" in page(onlooker)
        now = timezone.now()
        Worker.objects.create(host="<box>", pid=7, started_on=now, seen_on=now)
        assert "&lt;box&gt;:7" in page(onlooker)

    def test_needs_a_permission(self, client: Client) -> None:
        assert logged_in(client, "view_textmessage").get(PAGE).status_code == 403

    def test_has_no_script_and_no_style_of_its_own(
        self, operator: Client, provider: Provider
    ) -> None:
        send_text("Hello", "Acme", TO)
        main = page(operator).partition('id="content-main"')[2].partition("</main>")[0]
        assert "<svg" in main
        assert not re.search(r"<script|<style|\bstyle=|\bon[a-z]+=", main)

    @pytest.mark.parametrize("archived", [0, 2000])
    def test_asks_as_much_however_much_is_stored(
        self,
        operator: Client,
        provider: Provider,
        archived: int,
        django_assert_num_queries: Any,
    ) -> None:
        TextMessage.objects.bulk_create(
            TextMessage(frm="Acme", to=TO, status=Status.DELIVERED, parts=1)
            for _ in range(archived)
        )
        StatusEvent.objects.bulk_create(
            StatusEvent(
                source="answer",
                number=1,
                account="default",
                status=Status.SENDING,
                created_on=timezone.now() - timedelta(days=1),
                fingerprint=storable.fingerprint(str(number)),
            )
            for number in range(archived)
        )
        wait()
        session_user_and_permissions = 4
        with django_assert_num_queries(5 + session_user_and_permissions):
            page(operator)


class TestTheGraph:
    def test_shows_what_became_of_the_calls(self, onlooker: Client, provider: Provider) -> None:
        send_text("Hello", "Acme", TO)
        for error in (Refused("no"), OutcomeUnknown("?")):
            provider.fails(error)
            send_text("Hello", "Acme", TO)
        html = page(onlooker)
        assert "<title>1 taken, 1 not taken, 1 unknown in the last hour; at most" in html
        for kind in ("taken", "failed", "unknown"):
            assert f'<rect class="djsms-{kind}"' in html

    def test_says_no_calls_where_there_were_none(
        self, onlooker: Client, provider: Provider
    ) -> None:
        assert "no calls" in page(onlooker)

    @pytest.mark.django_db(transaction=True, databases="__all__")
    def test_counts_by_minute_on_every_database(self, database: str, provider: Provider) -> None:
        send_text("Long " * 60, "Acme", TO)
        provider.fails(TemporarilyUnavailable("down"))
        wait()
        queue.drain()
        [minutes] = last_hour(clock.now()).values()
        assert sum(minute.taken for minute in minutes) == 1
        assert sum(minute.failed for minute in minutes) == 1
        assert sum(minute.total for minute in minutes[:-2]) == 0

    def test_leaves_out_what_is_older(self, provider: Provider) -> None:
        send_text("Hello", "Acme", TO)
        StatusEvent.objects.update(created_on=timezone.now() - timedelta(minutes=61))
        assert last_hour(clock.now()) == {}


class TestTheButtons:
    def test_pause_keeps_who_and_why(self, operator: Client, provider: Provider) -> None:
        fields = {"account": "default", "reason": "wrong prices"}
        assert operator.post(f"{PAGE}pause/", fields).status_code == 302
        [account] = queue.state().accounts
        assert account.paused_on is not None
        assert account.reason == "wrong prices (sam)"
        assert LogEntry.objects.get().get_change_message() == "Paused. wrong prices (sam)"

    def test_a_reason_without_end_keeps_who(self, operator: Client, provider: Provider) -> None:
        operator.post(f"{PAGE}pause/", {"account": "default", "reason": "x" * 500})
        assert queue.state().accounts[0].reason.endswith("xx (sam)")

    def test_resume(self, operator: Client, provider: Provider) -> None:
        queue.pause("default")
        assert "Resume default" in page(operator)
        operator.post(f"{PAGE}resume/", {"account": "default"})
        assert queue.state().accounts[0].is_open

    @pytest.mark.parametrize("button", ["pause", "resume"])
    def test_need_their_permission(self, onlooker: Client, button: str) -> None:
        assert "<form method" not in page(onlooker).partition('id="content-main"')[2]
        assert onlooker.post(f"{PAGE}{button}/", {"account": "default"}).status_code == 403

    @pytest.mark.parametrize("button", ["pause", "resume"])
    def test_are_pressed_and_not_followed(self, operator: Client, button: str) -> None:
        assert operator.get(f"{PAGE}{button}/", {"account": "default"}).status_code == 405

    def test_an_account_that_is_none(self, operator: Client) -> None:
        response = operator.post(f"{PAGE}pause/", {"account": "<nope>"}, follow=True)
        assert "There is no account &#x27;&lt;nope&gt;&#x27;" in response.content.decode()
