"""The backends with no provider, and the base that they and others share."""

import copy
import json
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from hypothesis import example, given
from hypothesis import strategies as st

from djsms import IncomingText, OutgoingText, PartOf, Status, StatusReport
from djsms.backends import BaseBackend, DummyBackend, LocalBackend, MemoryBackend
from djsms.exceptions import InvalidWebhook

REF = "0123456789abcdef0123456789abcdef"
MESSAGE = OutgoingText(ref=REF, text="Hi", frm="Example", to="+447700900001")
REPORT = {"ref": REF, "status": "delivered"}
INCOMING = {"frm": "+447700900001", "to": "+447700900000", "text": "Hi"}


def post(value: Any) -> HttpRequest:
    return RequestFactory().post("/", json.dumps(value), content_type="application/json")


def report(**values: Any) -> StatusReport:
    (result,) = LocalBackend().parse_callback(post(REPORT | values))
    return result


def incoming(**values: Any) -> IncomingText:
    (result,) = LocalBackend().parse_incoming(post(INCOMING | values))
    return result


class TestStatusReports:
    def test_need_a_reference_and_a_status(self) -> None:
        assert report() == StatusReport(
            status=Status.DELIVERED, ref=REF, provider_status="delivered", raw=REPORT
        )

    def test_may_name_the_message_by_the_providers_id(self) -> None:
        assert report(ref=None, provider_id="memory-1").provider_id == "memory-1"

    def test_carry_all_that_a_provider_could_say(self) -> None:
        values = {
            "ref": REF,
            "provider_id": "memory-1",
            "status": "failed",
            "error_code": "27",
            "error_text": "Absent subscriber",
            "price": "0.0330",
            "currency": "EUR",
            "occurred_on": "2026-11-22T10:00:00+01:00",
        }
        assert report(**values) == StatusReport(
            status=Status.FAILED,
            ref=REF,
            provider_id="memory-1",
            provider_status="failed",
            error_code="27",
            error_text="Absent subscriber",
            price=Decimal("0.0330"),
            currency="EUR",
            occurred_on=datetime(2026, 11, 22, 9, tzinfo=UTC),
            raw=values,
        )

    @pytest.mark.parametrize("word", ["sent", "rejected", "expired", "unknown"])
    def test_know_the_words_of_our_own_statuses(self, word: str) -> None:
        assert report(status=word).status is Status(word)

    @pytest.mark.parametrize(
        ("slip", "meant"),
        [({"status": "delivred"}, "delivered"), ({"ocurred_on": "2026-11-22"}, "occurred_on")],
    )
    def test_tell_a_slip_of_the_pen(self, slip: dict[str, str], meant: str) -> None:
        with pytest.raises(InvalidWebhook, match=f'Did you mean "{meant}"'):
            report(**slip)

    @pytest.mark.parametrize("word", ["received", "created", "DELIVERED", "en route"])
    def test_keep_any_other_word_as_what_the_provider_said(self, word: str) -> None:
        assert report(status=word).status is Status.UNKNOWN
        assert report(status=word).provider_status == word

    @pytest.mark.parametrize(
        "values",
        [
            {"status": ""},
            {"status": None},
            {"status": 1},
            {"status": ["delivered"]},
            {"ref": ""},
            {"ref": 1},
            {"price": 0.033},
            {"price": "free"},
            {"price": "NaN"},
            {"price": "-Infinity"},
            {"occurred_on": "yesterday"},
            {"occurred_on": 1_700_000_000},
            {"occurred_on": "0001-01-01T00:00:00+14:00"},
            {"occurred_on": "9999-12-31T23:59:59-14:00"},
        ],
    )
    def test_are_refused_with_wrong_values(self, values: dict[str, Any]) -> None:
        with pytest.raises(InvalidWebhook):
            report(**values)

    def test_a_time_without_offset_is_utc(self) -> None:
        assert report(occurred_on="2026-11-22T09:00:00").occurred_on == datetime(
            2026, 11, 22, 9, tzinfo=UTC
        )


class TestIncomingTexts:
    def test_need_who_to_whom_and_a_text(self) -> None:
        assert incoming() == IncomingText(
            frm="+447700900001", to="+447700900000", text="Hi", raw=INCOMING
        )

    def test_may_be_empty(self) -> None:
        assert incoming(text="").text == ""
        assert incoming(text=None).text == ""

    def test_carry_all_that_a_provider_could_say(self) -> None:
        text = incoming(
            provider_id="in-1",
            received_on="2026-11-22T09:00:00Z",
            part={"ref": "a1", "number": 1, "total": 2},
        )
        assert text.provider_id == "in-1"
        assert text.received_on == datetime(2026, 11, 22, 9, tzinfo=UTC)
        assert text.part == PartOf(ref="a1", number=1, total=2)

    @pytest.mark.parametrize(
        "values",
        [
            {"frm": ""},
            {"to": None},
            {"text": 1},
            {"text": ["Hi"]},
            {"received_on": "soon"},
            {"part": "1/2"},
            {"part": {}},
            {"part": {"ref": "", "number": 1, "total": 2}},
            {"part": {"ref": "a1", "number": "1", "total": 2}},
            {"part": {"ref": "a1", "number": True, "total": 2}},
            {"part": {"ref": "a1", "number": 1.0, "total": 2}},
            {"part": {"ref": "a1", "number": 0, "total": 2}},
            {"part": {"ref": "a1", "number": 3, "total": 2}},
            {"part": {"ref": "a1", "number": 1, "total": 256}},
            {"part": {"ref": "a1", "number": 10**1000, "total": 10**1000}},
        ],
    )
    def test_are_refused_with_wrong_values(self, values: dict[str, Any]) -> None:
        with pytest.raises(InvalidWebhook):
            incoming(**values)


NAMES = ["ref", "status", "provider_id", "price", "occurred_on", "received_on", "frm", "to", "text"]
GOOD_VALUES = st.sampled_from(["delivered", "1.5", "2026-11-22", "0001-01-01T00+01"])
ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.just([]) | st.just({})
PARTS = st.dictionaries(st.sampled_from(["ref", "number", "total"]), ANYTHING)


@given(st.dictionaries(st.sampled_from([*NAMES, "part"]), ANYTHING | GOOD_VALUES | PARTS))
@example({**INCOMING, "part": {"ref": "a", "number": -1, "total": 1}})
def test_any_json_object_is_read_or_an_invalid_webhook(values: dict[str, Any]) -> None:
    for parse in (LocalBackend().parse_callback, LocalBackend().parse_incoming):
        try:
            first, second = parse(post(values)), parse(post(values))
        except InvalidWebhook:
            continue
        assert first == second


def test_local_backends_leave_it_to_the_token_whether_a_request_is_believed() -> None:
    assert LocalBackend().verifies_webhooks is False


def test_the_dummy_accepts_everything_under_our_own_reference() -> None:
    (part,) = DummyBackend().send(MESSAGE).parts
    assert part.provider_id == REF
    assert part.status is Status.SENDING


def test_the_dummy_can_read_nothing() -> None:
    assert not hasattr(DummyBackend(), "parse_callback")
    assert not hasattr(DummyBackend(), "parse_incoming")


class TestTheMemoryBackend:
    def test_keeps_what_it_is_given_in_order(self) -> None:
        backend = MemoryBackend()
        other = OutgoingText(ref="f" * 32, text="Ho", frm="Example", to="+447700900002")
        backend.send(MESSAGE)
        backend.send(other)
        assert backend.messages == [MESSAGE, other]

    def test_keeps_it_apart_from_other_accounts(self) -> None:
        MemoryBackend().send(MESSAGE)
        assert MemoryBackend().messages == []

    def test_gives_each_message_an_id_of_its_own(self) -> None:
        backend = MemoryBackend()
        ids = {backend.send(MESSAGE).parts[0].provider_id for _ in range(3)}
        assert len(ids) == 3

    def test_takes_no_options(self) -> None:
        with pytest.raises(TypeError):
            MemoryBackend(messages=[])  # type: ignore[call-arg]


class TestBackendsStayInTheirProcess:
    @pytest.mark.parametrize("backend", [BaseBackend(), DummyBackend(), MemoryBackend()])
    def test_since_they_hold_credentials_they_are_not_pickled(self, backend: BaseBackend) -> None:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="pass the account's alias instead"):
                pickle.dumps(backend, protocol)

    def test_nor_copied(self) -> None:
        for duplicate in (copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="BaseBackend holds credentials"):
                duplicate(BaseBackend())
