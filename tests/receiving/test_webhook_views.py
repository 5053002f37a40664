"""The webhook views: whom they believe, and what they answer."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connections
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from djsms import Status, StatusReport, hookimpl, send_text
from djsms.accounts import addresses, gateways
from djsms.backends import LocalBackend
from djsms.exceptions import Forged, Misdirected
from djsms.http import json_objects, read_each
from djsms.models import StatusEvent, TextMessage
from djsms.receiving import rotation

pytestmark = [pytest.mark.django_db(databases="__all__")]

FRM, TO = "+447700900001", "+447700900002"
NAMES = [
    "frm",
    "to",
    "text",
    "provider_id",
    "received_on",
    "part",
    "ref",
    "status",
    "price",
    "currency",
    "error_code",
    "error_text",
    "occurred_on",
]
TEXT = {"frm": FRM, "to": TO, "text": "Hi", "provider_id": "a"}
REPORT = {"ref": "x", "status": "sent"}


def address(kind: str = "incoming", account: str = "default", token: str | None = None) -> str:
    token = addresses.token(account) if token is None else token
    return f"/djsms/{kind}/{account}/{token}/" if token else f"/djsms/{kind}/{account}/"


def post(path: str, body: object = TEXT, content_type: str = "application/json", **extra):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(path, data, content_type=content_type, **extra)


class TestBelief:
    def test_the_token_is_believed(self):
        assert post(address()).status_code == 200
        assert TextMessage.objects.count() == 1

    @pytest.mark.parametrize("kind", ["incoming", "callback"])
    @pytest.mark.parametrize(
        "path", ["/djsms/{}/", "/djsms/{}/default/", "/djsms/{}/default/wrong/"]
    )
    def test_without_it_or_with_a_wrong_one_a_request_is_refused(self, kind, path):
        assert post(path.format(kind)).status_code == 403
        assert not TextMessage.objects.exists()

    def test_the_token_of_one_account_does_not_open_another(self, settings):
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        path = address(account="default", token=addresses.token("alerts"))
        assert post(path).status_code == 403

    def test_a_token_of_an_older_secret_key_still_counts_while_it_is_a_fallback(self, settings):
        path = address()
        settings.SECRET_KEY, old = "another", settings.SECRET_KEY
        assert post(path).status_code == 403
        settings.SECRET_KEY_FALLBACKS = [old]
        assert post(path).status_code == 200

    def test_an_old_token_is_told_once_for_each_address(self, settings, monkeypatch, caplog):
        monkeypatch.setattr(rotation, "_told", {})
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        path, report = address(), address("callback")
        settings.SECRET_KEY = "another"
        for called in (path, path, report, report, address()):
            post(called)
        told = [r.getMessage() for r in caplog.records if "former SECRET_KEY" in r.getMessage()]
        assert [words.split(": ")[1].split()[0] for words in told] == [
            "parse_incoming",
            "parse_callback",
        ]

    @pytest.mark.parametrize("token", ["é", "a" * 5000, "%00", "..", " "])
    def test_an_odd_token_is_only_wrong(self, token):
        assert post(f"/djsms/incoming/default/{quote(token)}/").status_code in (403, 404)

    def test_a_wrong_token_is_refused_though_the_project_believes_everybody(self, settings):
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = True
        assert post(address(token="wrong")).status_code == 403

    def test_a_token_of_an_empty_key_is_wrong(self, settings):
        settings.SECRET_KEY_FALLBACKS = ["", b"", None]
        for key in ("", b""):
            assert post(address(token=addresses._token("default", key))).status_code == 403

    @pytest.mark.parametrize("debug", [True, False])
    def test_nothing_depends_on_debug(self, settings, debug):
        settings.DEBUG = debug
        assert post("/djsms/incoming/").status_code == 403

    @pytest.mark.parametrize("path", ["/djsms/incoming/", "/djsms/incoming/default/"])
    def test_a_project_may_choose_to_believe_everybody(self, settings, path):
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = True
        assert post(path).status_code == 200

    @pytest.mark.parametrize("value", ["False", "no", 1, []])
    def test_only_true_chooses_so(self, settings, value):
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = value
        assert post("/djsms/incoming/").status_code == 403

    def test_a_request_that_is_not_believed_is_not_read(self):
        class Reader(LocalBackend):
            @hookimpl
            def parse_incoming(self, request):
                pytest.fail("read")

        with gateways.replaced(lambda alias: Reader()):
            assert post("/djsms/incoming/").status_code == 403


class TestSignatures:
    @pytest.fixture(autouse=True)
    def signed(self):
        class Signed(LocalBackend):
            verifies_webhooks = True

            @hookimpl(tryfirst=True)
            def parse_incoming(self, request):
                if request.headers.get("X-Signature") != "right":
                    raise Forged("The signature is wrong.")
                return super().parse_incoming(request)

        with gateways.replaced(lambda alias: Signed()):
            yield

    def test_a_signature_needs_no_token(self):
        answer = post("/djsms/incoming/", headers={"X-Signature": "right"})
        assert answer.status_code == 200

    @pytest.mark.parametrize("headers", [{}, {"X-Signature": "wrong"}], ids=["missing", "wrong"])
    def test_a_token_does_not_replace_it(self, headers):
        assert post(address(), headers=headers).status_code == 403

    def test_nor_does_the_permission_to_believe_everybody(self, settings):
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = True
        assert post("/djsms/incoming/").status_code == 403

    def test_it_does_not_replace_a_token_that_is_there_and_wrong(self):
        path = address(token="wrong")
        assert post(path, headers={"X-Signature": "right"}).status_code == 403

    def test_a_token_beside_it_is_welcome(self):
        assert post(address(), headers={"X-Signature": "right"}).status_code == 200


class TestSignaturesOfSomeHooks:
    """A provider may sign one kind of its requests alone."""

    @pytest.fixture(autouse=True)
    def signed(self):
        class Signed(LocalBackend):
            verifies_webhooks = frozenset({"parse_callback"})

        with gateways.replaced(lambda alias: Signed()):
            yield

    def test_those_need_no_token(self):
        assert post("/djsms/callback/", {"ref": "x", "status": "sent"}).status_code == 200

    def test_the_others_do(self):
        assert post("/djsms/incoming/").status_code == 403
        assert post(address()).status_code == 200

    def test_so_do_the_others_at_the_address_of_those(self):
        class Discerning(LocalBackend):
            verifies_webhooks = frozenset({"parse_callback"})

            @hookimpl(tryfirst=True)
            def parse_callback(self, request):
                raise Misdirected("This is an incoming text.")

        with gateways.replaced(lambda alias: Discerning()):
            assert post("/djsms/callback/").status_code == 403
            assert post(address("callback")).status_code == 200


class TestProbes:
    """Providers ask if an address answers before they take it."""

    @pytest.mark.parametrize("kind", ["callback", "incoming"])
    @pytest.mark.parametrize("method", ["get", "head"])
    @pytest.mark.parametrize("query", ["", "?", "?&"])
    def test_are_answered_and_change_nothing(self, kind, method, query):
        answer = getattr(Client(), method)(address(kind) + query)
        assert (answer.status_code, answer.content) == (200, b"")
        assert not TextMessage.objects.exists()
        assert not StatusEvent.objects.exists()

    @pytest.mark.parametrize("method", ["get", "head"])
    @pytest.mark.parametrize("path", ["/djsms/incoming/", "/djsms/incoming/default/wrong/"])
    def test_tell_whether_the_address_is_right(self, method, path):
        assert getattr(Client(), method)(path).status_code == 403

    def test_by_head_change_nothing_whatever_they_say(self):
        class Reader(LocalBackend):
            @hookimpl
            def parse_incoming(self, request):
                pytest.fail("read")

        with gateways.replaced(lambda alias: Reader()):
            assert Client().head(address() + "?text=Hi").status_code == 200

    def test_a_get_with_parameters_is_none(self):
        assert Client().get(address() + "?text=Hi").status_code == 400


class TestAddressesPastedByHand:
    @pytest.mark.parametrize("append", [True, False])
    @pytest.mark.parametrize("end", ["", "/", "//"])
    @pytest.mark.parametrize(("kind", "body"), [("incoming", TEXT), ("callback", REPORT)])
    def test_may_end_without_a_slash_or_with_one_too_many(self, settings, append, end, kind, body):
        settings.APPEND_SLASH = append
        assert post(address(kind).rstrip("/") + end, body).status_code == 200

    @pytest.mark.parametrize("path", ["/djsms/incoming", "/djsms/incoming/default"])
    def test_may_do_so_without_a_token(self, settings, path):
        settings.DJSMS_ALLOW_UNVERIFIED_WEBHOOKS = True
        assert post(path).status_code == 200

    def test_end_with_a_slash_where_we_print_them(self):
        assert addresses.webhook_url("default", "callback").endswith(address("callback"))

    @pytest.mark.parametrize("path", ["incomings", "incoming/default/x/y", "callback\n"])
    def test_lead_nowhere_if_they_are_others(self, path):
        assert post(f"/djsms/{quote(path)}").status_code == 404


class TestAnswers:
    def test_no_such_account(self):
        assert post(address(account="nowhere")).status_code == 404

    def test_a_backend_that_cannot_receive(self, settings):
        settings.DJSMS_BACKEND = "dummy"
        assert post(address()).status_code == 404

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
    def test_other_methods_are_not_allowed(self, method):
        assert Client().generic(method, address()).status_code == 405

    def test_answers_are_empty_and_not_to_be_cached(self):
        answer = post(address())
        assert answer.content == b""
        assert "no-store" in answer["Cache-Control"]

    def test_no_csrf_token_is_wanted(self):
        client = Client(enforce_csrf_checks=True)
        answer = client.post(address(), json.dumps(TEXT), content_type="application/json")
        assert answer.status_code == 200

    def test_no_login_is_wanted(self, settings):
        settings.MIDDLEWARE = [
            *django_settings.MIDDLEWARE,
            "django.contrib.auth.middleware.LoginRequiredMiddleware",
        ]
        assert post(address()).status_code == 200

    def test_a_broken_store_is_a_500(self, monkeypatch):
        def refuse(*args, **kwargs):
            raise OperationalError("the disk is gone")

        monkeypatch.setattr(TextMessage, "save", refuse)
        assert post(address()).status_code == 500

    def test_a_backend_that_fails_is_a_500_and_logged(self, caplog):
        class Failing(LocalBackend):
            @hookimpl
            def parse_incoming(self, request):
                raise ZeroDivisionError

        with gateways.replaced(lambda alias: Failing()):
            assert post(address()).status_code == 500
        assert "ZeroDivisionError" in caplog.text

    def test_a_broken_backend_is_a_500(self, settings):
        settings.DJSMS_BACKEND = "no-such-backend"
        assert post(address()).status_code == 500

    def test_no_transaction_is_put_around_it(self, settings, monkeypatch):
        from djsms.receiving import views

        for view in (views.callback, views.incoming):
            assert view._non_atomic_requests == set(connections)

    @pytest.mark.parametrize("body", [b"{", b"{}", b"x" * 2_000_000])
    def test_the_token_is_not_logged(self, caplog, body):
        post(address(), body)
        Client().put(address())
        post(address(account="nowhere"))
        assert addresses.token("default") not in caplog.text
        assert addresses.token("nowhere") not in caplog.text

    def test_nothing_of_the_text_is_logged(self, caplog):
        with caplog.at_level(logging.DEBUG, logger="djsms"):
            post(address(), {**TEXT, "text": "my secret", "frm": 7})
        assert "secret" not in caplog.text


class TestBadInput:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"\xff\xfe",
            b'{"frm": "+447700900001", "to": "+447700900002", "text": "Hi", "text": "Ho"}',
            b'{"frm": 1, "to": 2, "text": 3}',
            b'{"frm": "+447700900001", "to": "+447700900002", "text": ["Hi"]}',
            b'{"frm": "+447700900001", "to": "+447700900002", "part": {"number": 3, "total": 2}}',
            b'{"frm": "+447700900001", "to": "+447700900002", "received_on": "yesterday"}',
            b"[" * 100_000,
            b'{"a": ' * 100_000,
            b'{"n": ' + b"9" * 10_000 + b"}",
            b'{"n": NaN}',
        ],
        ids=lambda body: body[-40:].decode("latin-1") or "empty",
    )
    @pytest.mark.parametrize("kind", ["incoming", "callback"])
    def test_what_cannot_be_read_is_a_400(self, kind, body):
        assert post(address(kind), body).status_code == 400
        assert not TextMessage.objects.exists()
        assert not StatusEvent.objects.exists()

    @pytest.mark.parametrize("limit", [None, 2_500_000, 100])
    def test_ten_megabytes_are_too_large(self, settings, limit):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = limit
        body = json.dumps({**TEXT, "text": "x" * 10_000_000}).encode()
        assert post(address(), body).status_code == 413

    def test_a_body_that_hides_its_length_is_too_large_as_well(self, settings, rf):
        from djsms.receiving import views

        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
        request = rf.post(address(), b"x" * 2_000_000, content_type="application/json")
        request.META["CONTENT_LENGTH"] = "7"
        request._body = b"x" * 2_000_000
        answer = views.incoming(request, "default", addresses.token("default"))
        assert answer.status_code == 413

    @pytest.mark.parametrize("length", ["many", "-1", "1e3"])
    def test_a_length_that_is_no_number_does_not_crash(self, length):
        answer = post(address(), b"{}", CONTENT_LENGTH=length)
        assert answer.status_code == 400

    @hypothesis_settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(body=st.binary(max_size=200), kind=st.sampled_from(["incoming", "callback"]))
    def test_no_bytes_crash_it(self, body, kind):
        assert post(address(kind), body).status_code == 400

    @hypothesis_settings(
        max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        values=st.dictionaries(
            st.sampled_from(NAMES),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.text(st.characters())
                | st.sampled_from(["sent", "1e400", "0001-01-01T00:00:00+14:00", "-0", "９"]),
                lambda children: st.lists(children) | st.dictionaries(st.text(), children),
                max_leaves=5,
            ),
        ),
        kind=st.sampled_from(["incoming", "callback"]),
    )
    def test_no_json_crashes_it(self, values, kind):
        assert post(address(kind), values).status_code in (200, 400)


def test_a_round_trip_with_the_address_that_the_provider_was_given(settings):
    settings.DJSMS_BASE_URL = "https://example.com/"
    message = send_text("Hi", FRM, TO, status_report=True)
    path = addresses.webhook_url("default", "callback").removeprefix("https://example.com")
    assert post(path, {"ref": message.ref, "status": "delivered"}).status_code == 200
    message.refresh_from_db()
    assert message.status == "delivered"


class TestABulkOfReports:
    @pytest.fixture(autouse=True)
    def bulk(self):
        class Bulk(LocalBackend):
            @hookimpl(tryfirst=True)
            def parse_callback(self, request):
                return read_each(json_objects(request), self.report)

            def report(self, entry):
                return StatusReport(status=Status(entry["status"]), provider_id=entry["id"])

        with gateways.replaced(lambda alias: Bulk()):
            yield

    def test_is_stored_though_some_cannot_be_read(self, caplog):
        entries = [{"id": str(n), "status": "sent"} for n in range(5)]
        entries[1:3] = [{"id": 1, "status": "sent"}, {"status": "sent"}]
        for _ in range(2):
            assert post(address("callback"), entries).status_code == 200
        events = StatusEvent.objects.order_by("pk")
        assert [event.provider_id for event in events] == ["0", "", "", "3", "4"]
        assert events[1].raw == {"unreadable": entries[1]}
        assert "Status report 2" in caplog.text

    @pytest.mark.parametrize(("entry", "status"), [({"id": 1, "status": "sent"}, 400), ({}, 500)])
    def test_of_which_none_can_be_read_is_an_error(self, entry, status):
        assert post(address("callback"), [entry]).status_code == status
        assert not StatusEvent.objects.exists()


class TestSwappedAddresses:
    @pytest.fixture(autouse=True)
    def discerning(self):
        class Discerning(LocalBackend):
            @hookimpl(tryfirst=True)
            def parse_callback(self, request):
                if b"status" not in request.body:
                    raise Misdirected("This is an incoming text.")
                return super().parse_callback(request)

            @hookimpl(tryfirst=True)
            def parse_incoming(self, request):
                if b"status" in request.body:
                    raise Misdirected("This is a status report.")
                return super().parse_incoming(request)

        with gateways.replaced(lambda alias: Discerning()):
            yield

    def test_a_text_at_the_address_for_reports_is_taken_all_the_same(self, caplog):
        assert post(address("callback")).status_code == 200
        assert TextMessage.objects.get().text == "Hi"
        assert "swapped" in caplog.text

    def test_a_report_at_the_address_for_texts_is_taken_all_the_same(self):
        assert post(address(), {"ref": "x", "status": "sent"}).status_code == 200
        assert StatusEvent.objects.get().status == "sent"

    def test_the_answer_is_what_the_backend_says(self):
        class Answering(LocalBackend):
            webhook_answer = ("text/xml", "<Response/>")

        with gateways.replaced(lambda alias: Answering()):
            response = post(address())
        assert (response.status_code, response.content) == (200, b"<Response/>")
        assert response["Content-Type"] == "text/xml"

    def test_an_answer_of_no_type_has_djangos(self):
        assert post(address())["Content-Type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize("answer", [None, "ok", ("text/xml",), (b"text/xml", b""), 7])
    def test_an_answer_that_is_none_is_an_empty_one(self, answer):
        class Slipping(LocalBackend):
            webhook_answer = answer

        with gateways.replaced(lambda alias: Slipping()):
            response = post(address())
        assert (response.status_code, response.content) == (200, b"")
        assert TextMessage.objects.get().text == "Hi"

    def test_where_the_provider_has_one_address_for_both_nothing_is_swapped(self, caplog):
        class Sharing(LocalBackend):
            shares_address = True

            @hookimpl(tryfirst=True)
            def parse_callback(self, request):
                raise Misdirected("This is an incoming text.")

        with gateways.replaced(lambda alias: Sharing()):
            assert post(address("callback")).status_code == 200
        assert TextMessage.objects.get().text == "Hi"
        assert caplog.text == ""

    def test_the_token_is_wanted_all_the_same(self):
        assert post("/djsms/callback/").status_code == 403

    def test_what_no_hook_wants_is_a_400(self):
        class Undecided(LocalBackend):
            @hookimpl(tryfirst=True)
            def parse_callback(self, request):
                raise Misdirected("Not mine.")

            @hookimpl(tryfirst=True)
            def parse_incoming(self, request):
                raise Misdirected("Not mine.")

        with gateways.replaced(lambda alias: Undecided()):
            assert post(address()).status_code == 400

    def test_a_backend_without_the_other_hook_cannot_take_it(self):
        class Deaf:
            @hookimpl
            def parse_callback(self, request):
                raise Misdirected("Not mine.")

        with gateways.replaced(lambda alias: Deaf()):
            assert post(address("callback")).status_code == 400
