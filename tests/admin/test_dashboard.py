"""The dashboard says what the messages of the last hours and days come to."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from admin_pages import logged_in, words
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from scripted import Provider

from djsms import Status, send_text
from djsms.admin import dashboard
from djsms.models import HourlyRollup, TextMessage
from djsms.rollups import keeping
from djsms.rollups.keeping import keep_rollups

pytestmark = pytest.mark.django_db

PAGE = "/admin/djsms/textmessage/dashboard/"
TO = "+447700900123"


@pytest.fixture
def staff(client: Client) -> Client:
    return logged_in(client, "view_textmessage", "view_texts")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page does not count by itself."""
    monkeypatch.setattr(keeping, "FEW", -1)
    return


def made(count: int = 1, ago: timedelta = timedelta(0), **fields: Any) -> list[TextMessage]:
    moment = timezone.now() - ago
    values = {"frm": "Acme", "to": TO, "created_on": moment, "attempted_on": moment} | fields
    return TextMessage.objects.bulk_create([TextMessage(**values) for _ in range(count)])


def page(client: Client, **query: str) -> str:
    response = client.get(PAGE, query)
    assert response.status_code == 200
    return response.content.decode()


def main_of(html: str) -> str:
    return html.partition('id="content-main"')[2].partition("</main>")[0]


def tile(html: str, name: str) -> str:
    return words(re.findall(f"<dt>{name}</dt>(.*?)</div>", html, re.S)[0])


class TestWhatItSays:
    def test_begins_with_a_sentence(self, staff: Client) -> None:
        made(39, status=Status.DELIVERED)
        made(1, status=Status.FAILED)
        made(2, status=Status.UNKNOWN)
        html = page(staff)
        assert (
            "42 texts were sent. Of those whose end is known 97.5 % were delivered. "
            "Of 2 nobody knows." in html
        )

    def test_never_says_all_while_one_has_failed(self, staff: Client) -> None:
        made(2999, status=Status.DELIVERED)
        made(1, status=Status.FAILED)
        assert tile(page(staff), "Delivered").startswith("99.9 %")

    def test_how_long_texts_took(self, staff: Client, provider: Provider) -> None:
        message = send_text("Hello", "Acme", TO, status_report=True)
        TextMessage.objects.update(attempted_on=timezone.now() - timedelta(minutes=12))
        provider.reports(ref=message.ref, status="delivered")
        assert re.match(r"1[123] min median", tile(page(staff), "Time to delivery"))

    def test_what_was_spent_in_each_currency(self, staff: Client) -> None:
        made(3, status=Status.SENT, price=Decimal("1234.5"), currency="EUR")
        made(1, status=Status.SENT, price=Decimal("0.0075"), currency="USD")
        assert tile(page(staff), "Spend") == "3,703.50 EUR 0.0075 USD as providers told"

    def test_why_texts_failed_the_commonest_first(self, staff: Client) -> None:
        made(1, status=Status.REJECTED, error_code="30007", error_text="Filtered")
        made(2, status=Status.FAILED, error_code="6", error_text="<b>Absent</b>")
        html = page(staff).partition("Why texts failed")[2]
        rows = [words(row) for row in html.partition("<tbody>")[2].split("</tr>")[:2]]
        assert rows == ["failed 6 &lt;b&gt;Absent&lt;/b&gt; 2", "rejected 30007 Filtered 1"]
        assert "?status__exact=failed" in html

    def test_each_account(self, staff: Client) -> None:
        made(2, status=Status.DELIVERED)
        made(1, status=Status.FAILED, account="alerts")
        html = page(staff).rpartition("<h2>Accounts</h2>")[2]
        rows = [words(row) for row in html.partition("<tbody>")[2].split("</tr>")[:2]]
        assert rows == ["alerts 1 0.0 % 1 0 – – 0", "default 2 100.0 % 0 0 – – 0"]

    def test_one_account_if_asked(self, staff: Client) -> None:
        made(2, status=Status.DELIVERED)
        made(1, status=Status.FAILED, account="alerts")
        html = page(staff, account="alerts")
        assert "1 text was sent." in html
        assert "All accounts" in html

    @pytest.mark.parametrize(
        ("period", "count"), [("day", "1 text was"), ("week", "2 texts"), ("month", "3 texts")]
    )
    def test_how_far_it_looks_back(self, staff: Client, period: str, count: str) -> None:
        for days in (0, 5, 20):
            made(1, timedelta(days=days), status=Status.SENT)
        keep_rollups()
        html = page(staff, period=period)
        assert count in html
        assert main_of(html).count('aria-current="page"') == 1

    @pytest.mark.parametrize("query", [{"period": "<x>"}, {"account": "<nobody>"}, {"p": "1"}])
    def test_takes_any_address(self, staff: Client, query: dict[str, str]) -> None:
        assert "<nobody>" not in page(staff, **query)

    def test_if_nothing_was_sent(self, staff: Client) -> None:
        html = page(staff)
        assert "Nothing was sent." in html
        assert "<svg" not in main_of(html)


class TestItsNumbers:
    def test_are_those_of_the_last_time_they_were_counted(self, staff: Client, many: None) -> None:
        made(1, status=Status.SENT)
        keep_rollups()
        made(1, status=Status.SENT)
        html = page(staff)
        assert "1 text was sent." in html
        assert "Counted at" in html
        assert "It has not run lately" not in html

    def test_are_said_to_be_old_if_nobody_counts(self, staff: Client, many: None) -> None:
        assert "djsms tidy" in page(staff)
        keep_rollups()
        HourlyRollup.objects.update(counted_on=timezone.now() - dashboard.LATE * 2)
        assert "It has not run lately" in page(staff)

    def test_are_shown_as_they_were_if_the_database_takes_no_writes(self, staff: Client) -> None:
        made(1, status=Status.SENT)
        keep_rollups()
        HourlyRollup.objects.update(counted_on=timezone.now() - timedelta(minutes=5))
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
            try:
                assert "1 text was sent." in page(staff)
            finally:
                cursor.execute("PRAGMA query_only = OFF")

    @pytest.mark.parametrize("stored", [0, 3000])
    def test_take_as_many_queries_however_much_is_stored(
        self, staff: Client, many: None, stored: int
    ) -> None:
        made(stored, status=Status.DELIVERED)
        keep_rollups()
        with CaptureQueriesContext(connection) as captured:
            page(staff, period="month")
        asked = [sql["sql"] for sql in captured if "djsms_" in sql["sql"]]
        assert len(asked) == 2
        assert not any('FROM "djsms_textmessage"' in sql and "LIMIT" not in sql for sql in asked)


class TestThePage:
    def test_is_for_those_who_may_look_at_messages(self, client: Client) -> None:
        assert logged_in(client, "view_gate").get(PAGE).status_code == 403

    def test_is_not_for_those_who_are_not_logged_in(self, client: Client) -> None:
        assert client.get(PAGE).status_code == 302

    @pytest.mark.parametrize("address", ["/admin/djsms/", "/admin/djsms/textmessage/"])
    def test_is_linked(self, staff: Client, address: str) -> None:
        assert f'href="{PAGE}"' in staff.get(address).content.decode()

    def test_leads_to_the_queue_and_back(self, client: Client) -> None:
        staff = logged_in(client, "view_textmessage", "view_gate")
        queue = "/admin/djsms/gate/"
        tools = re.findall(r"object-tools.*?</ul>", main_of(page(staff)), re.S)
        assert [f'href="{queue}"' in tool for tool in tools] == [True]
        assert f'href="{PAGE}"' in main_of(staff.get(queue).content.decode())

    def test_has_a_graph_with_a_name_and_its_numbers_in_a_table(self, staff: Client) -> None:
        made(3, status=Status.DELIVERED)
        html = main_of(page(staff))
        assert re.search(r'<svg[^>]* role="img"><title>3 texts were sent\. ', html)
        table = html.partition("The same in numbers")[2].partition("<tbody>")[2]
        assert words(table.partition("</tbody>")[0]).endswith("3 3 0 0 0 – –")

    def test_has_no_script_and_no_style_of_its_own(self, staff: Client) -> None:
        made(3, status=Status.DELIVERED)
        html = main_of(page(staff))
        assert not re.search(r"<script|<style|\bstyle=|\bon[a-z]+=", html)
