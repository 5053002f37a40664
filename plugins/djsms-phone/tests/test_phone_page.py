"""The page and its JSON: who may see it, what it shows, and what it never shows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core import checks, mail
from django.test import Client
from djsms import gateway, send_text
from djsms.models import TextMessage
from djsms_phone import calls
from djsms_phone.checks import check_addresses, check_place
from djsms_phone.models import Call, Handset
from djsms_phone.playground import Playground

pytestmark = pytest.mark.django_db(transaction=True)

SHOP, SAM = "+447700900100", "+447700900123"
ATTACK = "<img src=x onerror=alert(1)>\u202e</script><script>alert(2)</script>"


@pytest.fixture
def developing(settings: Any) -> None:
    settings.DEBUG = True


def phone(number: str = SAM) -> Handset:
    return Handset.objects.get_or_create(number=number)[0]


def post(client: Client, path: str, **values: str) -> Any:
    return client.post(path, values, headers={"accept": "application/json"})


class TestWhoMaySeeIt:
    def test_everybody_while_one_develops(self, client: Client, developing: None) -> None:
        assert client.get("/phone/").status_code == 200

    def test_nobody_without_debug_and_the_setting(self, client: Client, settings: Any) -> None:
        settings.DJSMS_PHONE = False
        client.force_login(User.objects.create_superuser("root"))
        assert client.get("/phone/").status_code == 404

    @pytest.mark.parametrize(
        ("is_staff", "permissions", "answer"),
        [
            (False, ["view_textmessage", "view_texts"], 403),
            (True, [], 403),
            (True, ["view_textmessage"], 403),
            (True, ["view_textmessage", "view_texts"], 200),
        ],
    )
    def test_with_the_setting_staff_that_may_view_texts(
        self, client: Client, is_staff: bool, permissions: list[str], answer: int
    ) -> None:
        user = User.objects.create(username="sam", is_staff=is_staff)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client.force_login(user)
        assert client.get("/phone/").status_code == answer

    def test_nobody_who_has_not_logged_in(self, client: Client) -> None:
        paths = ["", "h/1/", "changes/", "phones/", "text/a/"]
        assert {client.get(f"/phone/{path}").status_code for path in paths} == {403}
        posts = ["take/", "network/", "h/1/reply/", "h/1/read/", "h/1/network/"]
        assert {client.post(f"/phone/{path}").status_code for path in posts} == {403}

    def test_no_other_site(self, developing: None) -> None:
        strict = Client(enforce_csrf_checks=True)
        assert strict.post("/phone/take/").status_code == 403
        assert strict.post("/phone/network/", {"behaviour": "off"}).status_code == 403

    def test_a_check_tells_where_it_is_a_mistake(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # What tells a test run from a server.
        monkeypatch.delattr(mail, "outbox")
        assert check_place() == []
        settings.DJSMS_PHONE = False
        [error] = check_place()
        assert (error.id, error.level) == ("djsms_phone.E001", checks.ERROR)
        settings.DEBUG = True
        assert check_place() == []

    def test_a_check_tells_where_the_phones_cannot_report(self, settings: Any) -> None:
        assert check_addresses() == []
        settings.ROOT_URLCONF = "django.contrib.auth.urls"
        [warning] = check_addresses()
        assert warning.id == "djsms_phone.W002"
        assert 'path("djsms/", include("djsms.urls"))' in str(warning.hint)
        settings.DJSMS_BACKEND = "memory"
        assert check_addresses() == []

    def test_a_check_tells_where_the_app_is_missing(self, settings: Any) -> None:
        assert gateway().check("", "") == []
        settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "djsms_phone"]
        [warning] = gateway().check("", "")
        assert warning.id == "djsms_phone.W001"
        assert 'Add "djsms_phone" to INSTALLED_APPS' in str(warning.hint)


@pytest.mark.usefixtures("developing")
class TestThePage:
    def test_is_sealed(self, client: Client) -> None:
        headers = client.get("/phone/").headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in headers["Cache-Control"]

    def test_has_no_script_or_style_of_its_own(self, client: Client) -> None:
        page = client.get(f"/phone/h/{phone().pk}/").content.decode()
        assert not re.search(r"<script(?![^>]*( src=| type=\"application/json\"))", page)
        assert not re.search(r"<style| style=| on\w+=", page)

    def test_shows_texts_as_texts_whatever_they_hold(self, client: Client) -> None:
        TextMessage.objects.create(
            backend="phone", frm=ATTACK[:60], to=SAM, text=ATTACK, status="sent"
        )
        page = client.get(f"/phone/h/{phone().pk}/").content.decode()
        assert "&lt;img src=x" in page
        assert "<img src=x" not in page
        assert "<script>alert" not in page

    def test_never_shows_a_token(self, client: Client, phone_network: Playground) -> None:
        message = send_text("Hi", SHOP, SAM, status_report=True)
        [call, *_] = phone_network.play()
        token = calls.path(call).rstrip("/").rpartition("/")[2]
        for path in (f"h/{phone().pk}/", "changes/?after=2020-01-01T00:00:00Z", "phones/"):
            assert token not in client.get(f"/phone/{path}").content.decode()
        assert token not in client.get(f"/phone/text/{message.ref}/").content.decode()

    def test_names_accounts_whose_texts_do_not_come(self, client: Client, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "dummy"}}
        assert (
            "The account “alerts” uses the backend “dummy”"
            in client.get("/phone/").content.decode()
        )

    @pytest.mark.parametrize("size", [1, 40])
    def test_asks_the_database_as_often_whatever_there_is(
        self, client: Client, size: int, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(size):
            send_text("Hi", SHOP, f"+4477009001{number:02}")
        with django_assert_max_num_queries(12):
            client.get(f"/phone/h/{Handset.objects.first().pk}/")  # type: ignore[union-attr]


@pytest.mark.usefixtures("developing")
class TestChanges:
    def test_are_none_if_nothing_is_new(self, client: Client) -> None:
        assert client.get("/phone/changes/", {"after": "2099-01-01T00:00:00Z"}).status_code == 204

    def test_tell_new_texts_and_where_old_ones_stand(
        self, client: Client, phone_network: Playground
    ) -> None:
        message = send_text("Hi", SHOP, SAM, status_report=True)
        asked = {"after": message.created_on.isoformat(), "open": str(phone().pk)}
        told = client.get("/phone/changes/", asked).json()
        assert [text["status"] for text in told["texts"]] == ["sending"]
        assert [row["unread"] for row in told["rows"]] == [1]
        phone_network.play()
        told = client.get("/phone/changes/", asked).json()
        assert [text["status"] for text in told["texts"]] == ["delivered"]
        assert [call["what"] for call in told["calls"]] == ["delivered", "sent"]

    @pytest.mark.parametrize("after", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01"])
    def test_since_no_moment_are_those_of_now(self, client: Client, after: str) -> None:
        assert client.get("/phone/changes/", {"after": after, "open": "x"}).status_code == 204


@pytest.mark.usefixtures("developing")
class TestTheScriptsRequests:
    def test_take_a_call_make_it_and_settle_it(self, client: Client) -> None:
        message = send_text("Hi", SHOP, SAM, status_report=True)
        Call.objects.update(due_on=message.created_on)
        values: dict[str, str] = {}
        while (answer := post(client, "/phone/take/", **values)).status_code == 200:
            call = answer.json()
            made = Client().post(call["path"], call["body"], content_type="application/json")
            values = {"done": str(call["id"]), "answer": str(made.status_code), "ms": "3"}
        message.refresh_from_db()
        assert message.status == "delivered"
        assert set(Call.objects.values_list("answer", "milliseconds")) == {(200, 3)}

    def test_write_a_reply(self, client: Client) -> None:
        path = f"/phone/h/{phone().pk}/reply/"
        assert post(client, path, text="Hi", to=SHOP, account="default").json() == {"calls": 1}
        assert Call.objects.get().body["text"] == "Hi"

    @pytest.mark.parametrize(
        ("field", "value"), [("text", " \n"), ("text", "a" * 2001), ("to", ""), ("account", "no")]
    )
    def test_tell_what_is_wrong_with_a_reply(self, client: Client, field: str, value: str) -> None:
        values = {"text": "Hi", "to": SHOP, "account": "default"} | {field: value}
        answer = post(client, f"/phone/h/{phone().pk}/reply/", **values)
        assert answer.status_code == 400
        assert list(answer.json()["problems"]) == [field]

    def test_make_a_phone(self, client: Client) -> None:
        answer = post(client, "/phone/phones/", number="+44 7700 900199").json()
        assert answer["address"] == f"/phone/h/{Handset.objects.get().pk}/"
        assert "number" in post(client, "/phone/phones/", number="12").json()["problems"]

    def test_find_phones_by_number_and_by_text(self, client: Client) -> None:
        send_text("Your parcel is here.", SHOP, SAM)
        send_text("Your table is ready.", SHOP, "+447700900142")
        for asked, found in (("parcel", [SAM]), ("900142", ["+447700900142"]), ("nobody", [])):
            rows = client.get("/phone/phones/", {"q": asked}).json()["rows"]
            assert [row["number"] for row in rows] == found

    def test_switch_one_phone_or_all(self, client: Client) -> None:
        one, other = phone(), phone("+447700900124")
        post(client, f"/phone/h/{one.pk}/network/", behaviour="off")
        other.refresh_from_db()
        assert (phone().behaviour, other.behaviour) == ("off", "delivers")
        post(client, "/phone/network/", behaviour="slow")
        assert set(Handset.objects.values_list("behaviour", flat=True)) == {"slow"}
        assert post(client, "/phone/network/", behaviour="sings").status_code == 404

    def test_tell_the_way_of_a_text(self, client: Client, phone_network: Playground) -> None:
        message = send_text("Hi", SHOP, SAM, status_report=True)
        phone_network.play()
        way = client.get(f"/phone/text/{message.ref}/").json()
        assert [event["word"] for event in way["events"]] == ["sending", "sent", "delivered"]
        assert ["Price", "0.04 EUR"] in way["facts"]
        assert client.get("/phone/text/no/").status_code == 404

    def test_tell_older_texts(self, client: Client) -> None:
        sent = [send_text(f"Text {n}", SHOP, SAM) for n in range(3)]
        path = f"/phone/h/{phone().pk}/texts/?before={sent[2].pk}"
        assert [text["text"] for text in client.get(path).json()["texts"]] == ["Text 0", "Text 1"]


def test_the_script_puts_nothing_in_as_markup() -> None:
    from importlib.resources import files

    script = (files("djsms_phone") / "static/djsms_phone/phone.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
    assert json.dumps("use strict") in script
