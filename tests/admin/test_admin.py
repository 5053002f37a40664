"""The admin shows what was sent and received and what providers said of it.

Nothing can be edited, what came from outside is shown as text, and no page counts a table.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from admin_pages import words
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from scripted import Provider

from djsms import SentPart, Status, send_text
from djsms.ledger import storable
from djsms.models import IncomingPart, StatusEvent, TextMessage

pytestmark = pytest.mark.django_db

SHOP, CUSTOMER = "+447700900100", "+447700900123"
NASTY = "<script>alert('1')</script> & <b>more</b>"


@pytest.fixture
def staff(client: Client) -> Client:
    """May look at messages, and nothing else."""
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


@pytest.fixture
def superuser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def rows(count: int, **fields: Any) -> list[TextMessage]:
    fields = {"frm": SHOP, "to": CUSTOMER} | fields
    return TextMessage.objects.bulk_create([TextMessage(**fields) for _ in range(count)])


def listed(client: Client, model: str = "textmessage", **query: Any) -> HttpResponse:
    response = client.get(reverse(f"admin:djsms_{model}_changelist"), query)
    assert response.status_code == 200, response
    return response


def shown(client: Client, model: str = "textmessage", **query: Any) -> list[Any]:
    response: Any = listed(client, model, **query)
    return list(response.context["cl"].result_list)


def page_of(client: Client, row: Any) -> str:
    response = client.get(reverse(f"admin:djsms_{row._meta.model_name}_change", args=[row.pk]))
    assert response.status_code == 200
    return response.content.decode()


class TestTheList:
    def test_has_a_line_for_each_message_the_newest_first(self, staff: Client) -> None:
        first, second = rows(2, status=Status.DELIVERED, price=Decimal("0.0330"), currency="EUR")
        assert shown(staff) == [second, first]
        html = listed(staff).content.decode()
        line = words(html[html.index("<tbody>") : html.index("</tbody>")])
        assert f"{SHOP} → {CUSTOMER} default delivered 0.033 EUR 1 segment" in line

    def test_says_a_status_in_a_word_and_explains_it(self, staff: Client) -> None:
        rows(1, status=Status.EXPIRED)
        badge = f'title="{Status.EXPIRED.explanation}">expired</span>'
        assert badge in listed(staff).content.decode()

    def test_shows_times_as_all_pages_do(self, staff: Client) -> None:
        rows(1, created_on=datetime(2026, 11, 20, 17, 55, 4, tzinfo=UTC))
        assert "2026-11-20 17:55:04" in words(listed(staff).content.decode())

    def test_leads_to_the_queue_whoever_may_see_it(self, staff: Client) -> None:
        queue = f'href="{reverse("admin:djsms_gate_changelist")}"'
        tools = listed(staff).content.decode().partition('class="object-tools"')[2]
        assert queue in tools.partition("</ul>")[0]
        User.objects.get().user_permissions.set(
            Permission.objects.filter(codename="view_textmessage")
        )
        assert queue not in listed(staff).content.decode()

    def test_keeps_the_texts_to_itself(self, staff: Client) -> None:
        rows(1, text="Your code is 190357")
        assert "190357" not in listed(staff).content.decode()

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"status__exact": "failed"}, {"status": Status.FAILED}),
            ({"direction__exact": "incoming"}, {"direction": "incoming"}),
            ({"account": "alerts"}, {"account": "alerts"}),
        ],
    )
    def test_can_be_filtered(
        self, staff: Client, query: dict[str, str], field: dict[str, Any]
    ) -> None:
        rows(1)
        [wanted] = rows(1, **field)
        assert shown(staff, **query) == [wanted]

    def test_can_be_filtered_by_day(self, staff: Client) -> None:
        rows(1)
        assert shown(staff, created_on__gte="2100-01-01 00:00:00+00:00") == []

    def test_offers_the_accounts_that_have_messages_if_there_are_several(
        self, staff: Client
    ) -> None:
        rows(1)
        assert "By account" not in listed(staff).content.decode()
        rows(2, account="Alerts") + rows(1, account="codes")
        offered = re.findall(r"\?account=(\w+)", listed(staff).content.decode())
        assert sorted(offered) == ["Alerts", "codes", "default"]


class TestSearch:
    @pytest.fixture(autouse=True)
    def others(self) -> None:
        rows(3, frm="Acme", to="+447700900199", provider_id="Z")

    @pytest.mark.parametrize(
        "term",
        [
            "+447700900123",
            " +44 7700 900123 ",
            "+44 (0)7700-900.123",
            "00447700900123",
            "0044 7700 900 123",
            "447700900123",
            "\u202a+44\u00a07700\u2011900123\u202c",
        ],
    )
    def test_by_number_reads_any_notation(self, staff: Client, term: str) -> None:
        [to] = rows(1)
        [back] = rows(1, frm=CUSTOMER, to=SHOP, direction="incoming")
        assert shown(staff, q=term) == [back, to]

    @pytest.mark.parametrize("term", ["Acme", "12345"])
    def test_by_a_sender_s_name_or_short_code(self, staff: Client, term: str) -> None:
        [wanted] = rows(1, frm=term, to=CUSTOMER)
        assert wanted in shown(staff, q=term)

    def test_does_not_take_a_part_for_the_whole(self, staff: Client) -> None:
        rows(1)
        assert shown(staff, q="+44770090012") == []
        assert shown(staff, q="7700900123") == []

    def test_by_our_reference_however_it_is_written(self, staff: Client) -> None:
        [wanted] = rows(1, ref="0b57c1a95cfd4a0b8f4d2b8b9d2f0c11")
        assert shown(staff, q="0b57c1a95cfd4a0b8f4d2b8b9d2f0c11") == [wanted]
        assert shown(staff, q="0B57C1A9-5CFD-4A0B-8F4D-2B8B9D2F0C11") == [wanted]

    def test_by_the_caller_s_key(self, staff: Client) -> None:
        [wanted] = rows(1, key="order 1, paid")
        assert shown(staff, q="order 1, paid") == [wanted]

    def test_by_the_provider_s_id_in_every_account(self, staff: Client) -> None:
        wanted = rows(1, provider_id="A-1") + rows(1, provider_id="A-1", account="alerts")
        assert shown(staff, q="A-1") == wanted[::-1]

    def test_by_the_id_of_any_part(self, staff: Client, provider: Provider) -> None:
        provider.answers(SentPart(provider_id="P-1"), SentPart(provider_id="P-2"))
        message = send_text("Hello", SHOP, CUSTOMER)
        assert shown(staff, q="P-2") == [message]

    def test_by_an_id_that_was_too_long_to_be_kept(self, staff: Client) -> None:
        long = "x" * 300
        [wanted] = rows(1, provider_id=storable.fit(long, 200))
        assert shown(staff, q=long) == [wanted]

    def test_goes_together_with_filters(self, staff: Client) -> None:
        [wanted] = rows(1, status=Status.FAILED)
        rows(1)
        assert shown(staff, q=CUSTOMER, status__exact="failed") == [wanted]

    @pytest.mark.parametrize("term", ["", "  ", "+", "%", "()", "'; --", "😀", "9" * 400])
    def test_takes_anything(self, staff: Client, term: str) -> None:
        assert len(shown(staff, q=term)) in (0, 3)


class TestAMessage:
    def test_shows_all_that_is_known_and_nothing_to_edit(
        self, staff: Client, provider: Provider
    ) -> None:
        provider.accepts("A-1", price=Decimal("0.033"))
        message = send_text("Hello\nthere", SHOP, CUSTOMER, status_report=True, key="order-1")
        html = page_of(staff, message)
        for value in (SHOP, CUSTOMER, "Hello\nthere", "A-1", message.ref, "order-1", "memory"):
            assert value in html
        assert_nothing_to_edit(html)

    def test_shows_what_the_provider_said_the_oldest_first(
        self, staff: Client, provider: Provider
    ) -> None:
        provider.answers(SentPart(provider_id="P-1"), SentPart(provider_id="P-2"))
        message = send_text("Hello", SHOP, CUSTOMER, status_report=True)
        provider.reports(provider_id="P-2", status="sent", occurred_on="2026-11-20T17:55:04Z")
        provider.reports(provider_id="P-2", status="failed", error_code="6", error_text="absent")
        timeline = timeline_of(page_of(staff, message))
        for line, end in zip(
            timeline,
            [
                "Answer 1 P-1 sending – – – –",
                "Answer 2 P-2 sending – – – –",
                "Report 2 P-2 sent sent – – JSON",
                "Report 2 P-2 failed failed 6 absent – JSON",
            ],
            strict=True,
        ):
            assert end in line
        assert "2026-11-20 17:55:04" in words(page_of(staff, message))

    def test_shows_what_is_not_known_as_a_dash(self, staff: Client) -> None:
        [message] = rows(1)
        html = words(page_of(staff, message))
        assert "Price: –" in html
        assert "Text: –" in html
        assert "None" not in html

    def test_shows_a_price_to_the_last_digit_that_counts(self, staff: Client) -> None:
        [cheap, dear] = rows(2, currency="EUR")
        for message, price in ((cheap, "0.00750000"), (dear, "1200")):
            TextMessage.objects.filter(pk=message.pk).update(price=Decimal(price))
        assert "0.0075 EUR" in page_of(staff, cheap)
        assert "1200 EUR" in page_of(staff, dear)

    def test_shows_the_error_if_there_is_one(self, staff: Client) -> None:
        [failed] = rows(1, status=Status.REFUSED, error_code="15", error_text="opted out")
        assert "opted out" in page_of(staff, failed)
        [fine] = rows(1)
        assert "Error code" not in page_of(staff, fine)

    def test_shows_what_is_known_of_an_incoming_one(
        self, staff: Client, provider: Provider
    ) -> None:
        provider.delivers(frm=CUSTOMER, to=SHOP, text="Merci 😋", provider_id="B-1")
        html = page_of(staff, TextMessage.objects.get())
        assert "Merci 😋" in html
        assert "Received on" in html
        assert "What the provider said" not in html

    def test_shows_what_came_from_outside_as_text(self, staff: Client, provider: Provider) -> None:
        provider.delivers(frm=NASTY[:60], to=SHOP, text=NASTY, surprise={NASTY: [NASTY]})
        message = TextMessage.objects.get()
        StatusEvent.objects.create(
            message=message,
            source="report",
            status=Status.SENT,
            provider_id=NASTY,
            provider_status=NASTY[:60],
            error_text=NASTY,
            raw={"words": NASTY},
            fingerprint="1",
        )
        for html in (page_of(staff, message), listed(staff).content.decode()):
            assert "<script>alert" not in html
            assert "<b>more" not in html
        assert "&lt;script&gt;alert" in page_of(staff, message)

    def test_shows_raw_json_in_lines_and_in_its_own_letters(
        self, staff: Client, provider: Provider
    ) -> None:
        provider.delivers(frm=CUSTOMER, to=SHOP, text="été")
        assert "\n  &quot;text&quot;: &quot;été&quot;" in page_of(staff, TextMessage.objects.get())

    def test_cuts_a_timeline_that_has_no_end(self, staff: Client) -> None:
        [message] = rows(1)
        StatusEvent.objects.bulk_create(
            StatusEvent(message=message, source="report", status=Status.SENT, fingerprint=str(n))
            for n in range(501)
        )
        html = page_of(staff, message)
        assert len(timeline_of(html)) == 500
        assert "There are more" in html


class TestPermissions:
    def test_nobody_adds_or_changes(self, superuser: Client) -> None:
        [message] = rows(1)
        assert superuser.get(reverse("admin:djsms_textmessage_add")).status_code == 403
        change = reverse("admin:djsms_textmessage_change", args=[message.pk])
        assert superuser.post(change, {"text": "forged"}).status_code == 403
        message.refresh_from_db()
        assert message.text == ""

    def test_who_has_the_permissions_deletes_a_message_with_all_that_was_said_of_it(
        self, staff: Client, provider: Provider
    ) -> None:
        User.objects.get().user_permissions.set(Permission.objects.all())
        message = send_text("Hello", SHOP, CUSTOMER)
        provider.reports(ref=message.ref, status="delivered")
        delete = reverse("admin:djsms_textmessage_delete", args=[message.pk])
        assert "Are you sure" in staff.get(delete).content.decode()
        assert staff.post(delete, {"post": "yes"}).status_code == 302
        assert not TextMessage.objects.exists()
        assert not StatusEvent.objects.exists()

    def test_others_do_not(self, staff: Client) -> None:
        [message] = rows(1)
        delete = reverse("admin:djsms_textmessage_delete", args=[message.pk])
        assert staff.post(delete, {"post": "yes"}).status_code == 403

    def test_many_at_once_nobody_deletes(self, superuser: Client) -> None:
        rows(2)
        assert "delete_selected" not in listed(superuser).content.decode()

    def test_who_may_not_look_sees_nothing(self, client: Client) -> None:
        client.force_login(User.objects.create_user("jo", is_staff=True))
        url = reverse("admin:djsms_textmessage_changelist")
        assert client.get(url).status_code == 403


class TestLargeTables:
    """Proven by the SQL that the pages ask for."""

    QUERIES = (
        {},
        {"p": "3"},
        {"q": CUSTOMER},
        {"q": "A-1"},
        {"status__exact": "sending"},
        {"direction__exact": "outgoing"},
        {"account": "alerts"},
        {"_facets": "True"},
        {"all": ""},
    )

    @pytest.mark.parametrize("query", QUERIES, ids=str)
    def test_no_page_counts(self, staff: Client, query: dict[str, str]) -> None:
        rows(300, status=Status.SENDING, account="alerts", provider_id="A-1")
        rows(1)
        with CaptureQueriesContext(connection) as captured:
            listed(staff, **query)
        asked = [sql["sql"] for sql in captured if "djsms_" in sql["sql"]]
        assert asked
        for sql in asked:
            assert not re.search(r"\bCOUNT\(|\bDISTINCT\b|\bMIN\(|\bMAX\(", sql), sql
            assert "LIMIT" in sql, sql

    def test_the_number_of_queries_does_not_grow_with_the_rows(self, staff: Client) -> None:
        rows(1)
        with CaptureQueriesContext(connection) as few:
            listed(staff)
        rows(200)
        with CaptureQueriesContext(connection) as many:
            listed(staff)
        assert len(many) == len(few)

    def test_a_small_table_is_known_to_the_last_row(self, staff: Client) -> None:
        rows(120)
        html = listed(staff).content.decode()
        assert "120 text messages" in words(html)
        assert re.findall(r"\?p=(\d+)", html) == ["2", "3"]
        assert "more than" not in html
        assert len(shown(staff, p="3")) == 20

    def test_a_large_one_ten_pages_ahead(self, staff: Client) -> None:
        rows(700)
        html = words(listed(staff).content.decode())
        assert "more than 500 text messages" in html
        html = words(listed(staff, p="5").content.decode())
        assert "700 text messages" in html
        assert "more than" not in html

    def test_what_is_chosen_on_all_pages_is_not_given_a_number_that_nobody_knows(
        self, superuser: Client
    ) -> None:
        rows(700)
        html = words(listed(superuser).content.decode())
        assert "Select all that fit, on all pages" in html
        assert "500 selected" not in html
        assert "Select all 700" in words(listed(superuser, p="5").content.decode())

    def test_pages_hold_what_they_should(self, staff: Client) -> None:
        everything = rows(700)[::-1]
        for page in (1, 2, 10, 14):
            start = (page - 1) * 50
            assert shown(staff, p=str(page)) == everything[start : start + 50]

    @pytest.mark.parametrize("page", ["0", "-1", "x", "²", "3", "99", "1" + "0" * 30])
    def test_pages_that_are_not_there_lead_back(self, staff: Client, page: str) -> None:
        rows(10)
        url = reverse("admin:djsms_textmessage_changelist")
        response = staff.get(url, {"p": page}, follow=True)
        assert response.status_code == 200

    def test_a_search_says_how_many_it_found_if_that_is_known(self, staff: Client) -> None:
        rows(3)
        assert "3 results" in words(listed(staff, q=CUSTOMER).content.decode())
        assert "results" not in words(listed(staff).content.decode())
        rows(600)
        assert "results" not in words(listed(staff, q=CUSTOMER).content.decode())

    @pytest.mark.parametrize(
        "query", [{"q": CUSTOMER}, {"q": "A-1"}, {"status__exact": "sending"}], ids=str
    )
    def test_searches_and_statuses_use_an_index(self, staff: Client, query: dict[str, str]) -> None:
        rows(5)
        with CaptureQueriesContext(connection) as captured:
            listed(staff, **query)
        for sql in (sql["sql"] for sql in captured if "djsms_" in sql["sql"]):
            plan = explained(sql)
            assert "SCAN" not in plan.replace("SCAN djsms_textmessage USING COVERING INDEX", ""), (
                sql,
                plan,
            )

    def test_a_status_is_listed_in_the_order_of_its_index(self, staff: Client) -> None:
        rows(5)
        with CaptureQueriesContext(connection) as captured:
            listed(staff, status__exact="sending")
        plans = [explained(sql["sql"]) for sql in captured if '"status" =' in sql["sql"]]
        assert plans
        assert not any("TEMP B-TREE" in plan for plan in plans)


@pytest.mark.django_db(databases="__all__")
def test_search_filters_and_pages_work_on_every_database(database: str, client: Client) -> None:
    user = User.objects.create_superuser("root")
    client.force_login(user)
    rows(60, status=Status.SENDING, account="Alerts", provider_id="A-1")
    [wanted] = rows(1, to="+447700900188", status=Status.FAILED)
    assert shown(client, q="00447700900188") == [wanted]
    assert shown(client, status__exact="failed") == [wanted]
    assert shown(client, account="default") == [wanted]
    assert len(shown(client, q="A-1", p="2")) == 10
    assert len(shown(client, p="2")) == 11


class TestWhatWaits:
    def test_reports_that_found_no_message_have_a_list(
        self, staff: Client, provider: Provider
    ) -> None:
        provider.accepts("A-1")
        message = send_text("Hello", SHOP, CUSTOMER)
        provider.reports(provider_id="A-1", status="delivered")
        provider.reports(provider_id="B-9", status="failed", error_code="6", price="0.5")
        html = listed(staff, "statusevent").content.decode()
        assert "Status reports that have found no message" in html
        assert "B-9" in html
        assert "A-1" not in html
        waiting = StatusEvent.objects.get(message=None)
        html = page_of(staff, waiting)
        assert "failed" in html
        assert_nothing_to_edit(html)
        assert [event.pk for event in shown(staff, model="statusevent", q="B-9")] == [waiting.pk]
        assert shown(staff, model="statusevent", q="B") == []
        known = message.events.first()
        assert known is not None
        url = reverse("admin:djsms_statusevent_change", args=[known.pk])
        assert staff.get(url).status_code == 302, "it is shown with its message"

    def test_parts_that_wait_for_the_others_have_a_list(
        self, staff: Client, provider: Provider
    ) -> None:
        part = {"ref": "7", "number": 2, "total": 3}
        provider.delivers(frm=CUSTOMER, to=SHOP, text=NASTY, part=part)
        html = listed(staff, "incomingpart").content.decode()
        assert "Parts of incoming texts that wait for the others" in html
        assert CUSTOMER in html
        html = page_of(staff, IncomingPart.objects.get())
        assert "&lt;script&gt;" in html
        assert_nothing_to_edit(html)

    def test_a_part_that_ends_in_half_a_character_is_shown(
        self, staff: Client, provider: Provider
    ) -> None:
        part = {"ref": "7", "number": 1, "total": 2}
        provider.delivers(frm=CUSTOMER, to=SHOP, text="Hi \ud83d", part=part)
        assert "Hi \ufffd" in page_of(staff, IncomingPart.objects.get())

    @pytest.mark.parametrize("model", ["statusevent", "incomingpart"])
    def test_their_lists_do_not_count(self, staff: Client, model: str) -> None:
        with CaptureQueriesContext(connection) as captured:
            listed(staff, model)
        assert not any("COUNT(" in sql["sql"] for sql in captured)


def test_the_styles_are_there_and_name_every_status() -> None:
    from django.contrib.staticfiles import finders

    file = finders.find("djsms/admin.css")
    assert isinstance(file, str)
    css = Path(file).read_text()
    plain = {Status.CREATED}
    assert {status for status in Status if f".djsms-status-{status}" not in css} == plain


def assert_nothing_to_edit(html: str) -> None:
    form = html[html.index('id="content-main"') : html.rindex("</form>")]
    assert "<textarea" not in form
    assert "<select" not in form
    assert set(re.findall(r'<input[^>]* type="(\w+)"', form)) <= {"hidden"}
    assert 'name="_save"' not in form


def timeline_of(html: str) -> list[str]:
    section = html[html.index('id="djsms-timeline"') :]
    body = section[section.index("<tbody>") : section.index("</tbody>")]
    return [words(row) for row in body.split("</tr>")[:-1]]


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}".replace("%", "%%"))
        return "; ".join(row[3] for row in cursor.fetchall())
