"""The values that cross the boundary between the core and a backend."""

import copy
import dataclasses
import json
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import djsms
from djsms import (
    Balance,
    Encoding,
    IncomingText,
    OutgoingText,
    PartOf,
    SendResult,
    SentPart,
    SentText,
    Status,
    StatusReport,
)
from djsms.exceptions import InvalidWebhook

OUTGOING = OutgoingText(
    ref="0" * 32,
    text="a secret",
    frm="Example",
    to="+447700900001",
    callback_url="https://example.com/t0ken/",
    extra={"key": "value"},
)
INCOMING = IncomingText(
    frm="+447700900001", to="+447700900000", text="a secret", raw={"text": "a secret"}
)
VALUES = [
    OUTGOING,
    INCOMING,
    SentPart(provider_id="1", price=Decimal("0.033")),
    SendResult.accepted("1", raw={"id": "1"}),
    StatusReport(status=Status.DELIVERED, ref="0" * 32),
    PartOf(ref="a1", number=1, total=2),
    SentText(
        ref="0" * 32,
        to="+447700900001",
        frm="Example",
        attempted_on=datetime(2026, 3, 29, 12, tzinfo=UTC),
        provider_ids=("1", "2"),
        status=Status.SENDING,
    ),
    Balance(amount=Decimal("-0.50"), currency="EUR", raw={"iban": "a secret"}),
]
every_value = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


class TestStatuses:
    def test_are_the_documented_six_and_five_more(self) -> None:
        assert {*Status} == (
            {"created", "sending", "sent", "delivered", "refused", "rejected"}
            | {"unknown", "failed", "expired", "cancelled", "received"}
        )

    def test_move_forward_in_this_order(self) -> None:
        ranks: dict[int, set[str]] = {}
        for status in Status:
            ranks.setdefault(status.rank, set()).add(status)
        assert [ranks[rank] for rank in sorted(ranks)] == [
            {"created"},
            {"unknown"},
            {"sending"},
            {"sent"},
            {"refused", "rejected", "failed", "expired", "cancelled"},
            {"delivered"},
            {"received"},
        ]

    def test_that_fail_are_those_that_end_without_the_handset(self) -> None:
        failures = {status for status in Status if status.is_failure}
        assert failures == {"refused", "rejected", "failed", "expired"}

    def test_that_are_final_are_those_with_no_better_news_to_come(self) -> None:
        final = {status for status in Status if status.is_final}
        failures = {"refused", "rejected", "failed", "expired"}
        assert final == failures | {"cancelled", "delivered", "received"}

    @pytest.mark.parametrize("status", Status)
    def test_are_plain_texts_everywhere(self, status: Status) -> None:
        assert status == status.value == str(status) == f"{status}"
        assert json.loads(json.dumps(status)) == status.value
        assert Status(status.value) is status
        assert pickle.loads(pickle.dumps(status)) is status
        assert copy.deepcopy(status) is status

    @pytest.mark.parametrize("status", Status)
    def test_are_each_explained(self, status: Status) -> None:
        assert status.explanation

    def test_have_no_other_words(self) -> None:
        with pytest.raises(ValueError, match="en route"):
            Status("en route")


def test_encodings_are_plain_texts() -> None:
    assert [*Encoding] == ["gsm7", "ucs2"]


class TestValues:
    @every_value
    def test_cannot_be_changed(self, value: Any) -> None:
        for field in dataclasses.fields(value):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(value, field.name, None)

    @every_value
    def test_have_no_other_fields(self, value: Any) -> None:
        assert not hasattr(value, "__dict__")

    @every_value
    def test_are_made_by_name_alone(self, value: Any) -> None:
        with pytest.raises(TypeError):
            type(value)("1")

    @every_value
    def test_can_be_compared_copied_and_passed_to_another_process(self, value: Any) -> None:
        assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value

    @every_value
    def test_tell_no_text_and_no_token(self, value: Any) -> None:
        assert "secret" not in repr(value)
        assert "t0ken" not in repr(value)

    @every_value
    def test_are_exported_by_the_package(self, value: Any) -> None:
        assert getattr(djsms, type(value).__name__) is type(value)


class TestSendResult:
    def test_accepted_is_one_part(self) -> None:
        assert SendResult.accepted("1") == SendResult(parts=(SentPart(provider_id="1"),))

    def test_accepted_without_an_id(self) -> None:
        assert SendResult.accepted().parts == (SentPart(provider_id="", status=Status.SENDING),)

    def test_accepted_with_more_that_the_provider_said(self) -> None:
        result = SendResult.accepted(
            "1", status=Status.SENT, price=Decimal("0.0330"), currency="EUR", raw={"id": "1"}
        )
        assert result == SendResult(
            parts=(SentPart(provider_id="1", status=Status.SENT, price=Decimal("0.0330")),),
            currency="EUR",
            raw={"id": "1"},
        )

    def test_does_not_share_what_was_raw(self) -> None:
        assert SendResult.accepted().raw is not SendResult.accepted().raw


def sent(**fields: Any) -> SentText:
    defaults = {
        "ref": "0" * 32,
        "to": "+447700900001",
        "frm": "Example",
        "attempted_on": datetime(2026, 3, 29, 12, tzinfo=UTC),
    }
    return SentText(**{**defaults, **fields})


class TestSentText:
    def test_of_which_nothing_came_back_has_no_id_and_is_unknown(self) -> None:
        assert (sent().provider_ids, sent().status) == ((), Status.UNKNOWN)

    def test_may_stand_anywhere(self) -> None:
        assert [sent(status=status).status for status in Status] == [*Status]

    def test_shows_no_whole_number_in_its_repr(self) -> None:
        assert "7700900001" not in repr(sent())


class TestBalance:
    @pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
    def test_is_a_finite_amount(self, amount: str) -> None:
        with pytest.raises(ValueError, match=r"Balance\.amount is"):
            Balance(amount=Decimal(amount))

    def test_may_be_of_no_known_currency(self) -> None:
        assert Balance(amount=Decimal(3)).currency == ""


class TestASlipOfABackendShowsAtOnce:
    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            (SentPart, {"provider_id": 1}),
            (SentPart, {"error_code": 7}),
            (SentPart, {"status": "sent"}),
            (SentPart, {"price": 0.033}),
            (SentPart, {"price": "0.033"}),
            (StatusReport, {"status": "delivered"}),
        ],
    )
    def test_in_a_type(self, kind: Any, fields: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match=kind.__name__):
            kind(**fields)

    @pytest.mark.parametrize("status", [Status.CREATED, Status.RECEIVED])
    def test_in_a_status_that_no_provider_can_say(self, status: Status) -> None:
        for kind in (SentPart, StatusReport):
            with pytest.raises(ValueError, match="No provider can say"):
                kind(status=status)

    def test_but_every_possible_part_is_one(self) -> None:
        assert PartOf(ref="a1", number=255, total=255).number == 255


class TestWhatARequestBroughtAndFitsNoValue:
    """It is answered with a 400, as what cannot be read: it will not fit when it comes again."""

    @pytest.mark.parametrize(
        ("kind", "fields", "words"),
        [
            (StatusReport, {"ref": None}, "StatusReport.ref is of type NoneType, not str"),
            (StatusReport, {"provider_status": 1}, "provider_status is of type int, not str"),
            (StatusReport, {"price": 1}, "price is of type int, not Decimal"),
            (StatusReport, {"price": "1"}, "price is of type str, not Decimal"),
            (StatusReport, {"occurred_on": "now"}, "occurred_on is of type str, not datetime"),
            (StatusReport, {"status": Status.RECEIVED}, "No provider can say 'received'"),
            (StatusReport, {"status": Status.CREATED}, "No provider can say 'created'"),
            (IncomingText, {"text": b"bytes"}, "IncomingText.text is of type bytes, not str"),
            (IncomingText, {"frm": None}, "IncomingText.frm is of type NoneType, not str"),
            (IncomingText, {"received_on": 7}, "received_on is of type int, not datetime"),
            (PartOf, {"ref": 1}, "PartOf.ref is of type int, not str"),
            (PartOf, {"number": True}, "PartOf.number and PartOf.total are whole numbers"),
            (PartOf, {"total": "2"}, "PartOf.number and PartOf.total are whole numbers"),
            (PartOf, {"number": 0}, "PartOf.number counts from 1"),
            (PartOf, {"number": 3}, "PartOf.number counts from 1"),
            (PartOf, {"number": -1, "total": -1}, "PartOf.number counts from 1"),
            (PartOf, {"total": 256}, "at most 255"),
            (PartOf, {"number": 10**5000, "total": 10**5000}, "at most 255"),
        ],
    )
    def test_is_an_unreadable_webhook(self, kind: Any, fields: dict[str, Any], words: str) -> None:
        good: dict[Any, dict[str, Any]] = {
            StatusReport: {"status": Status.SENT},
            IncomingText: {"frm": "a", "to": "b", "text": "c"},
            PartOf: {"ref": "a1", "number": 1, "total": 2},
        }
        for kind_of_error in (InvalidWebhook, ValueError):
            with pytest.raises(kind_of_error, match=re.escape(words)):
                kind(**good[kind] | fields)


class TestWrongTypes:
    """A backend's slip shows when it makes the value."""

    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (lambda: SentPart(provider_id=7), "SentPart.provider_id is of type int, not str"),
            (lambda: SentPart(price=0.1), "SentPart.price is of type float, not Decimal"),
            (lambda: SentPart(status="sent"), "SentPart.status is 'sent', not a Status"),
            (
                lambda: IncomingText(frm="a", to="b", text="c", part=(1, 2)),
                "IncomingText.part is of type tuple, not PartOf",
            ),
            (lambda: sent(ref=None), "SentText.ref is of type NoneType, not str"),
            (
                lambda: sent(attempted_on=None),
                "SentText.attempted_on is of type NoneType, not datet",
            ),
            (lambda: sent(provider_ids=["1"]), "SentText.provider_ids is of type list, not tuple"),
            (lambda: sent(provider_ids=(1,)), "SentText.provider_ids has int, not str"),
            (lambda: sent(status="sent"), "SentText.status is 'sent', not a Status"),
            (lambda: Balance(amount=1.5), "Balance.amount is of type float, not Decimal"),
            (lambda: Balance(amount="1.5"), "Balance.amount is of type str, not Decimal"),
            (
                lambda: Balance(amount=Decimal(1), currency=None),
                "Balance.currency is of type NoneType, not str",
            ),
        ],
        ids=lambda words: words.split(",")[0] if isinstance(words, str) else "",
    )
    def test_are_refused(self, make: Callable[[], object], words: str) -> None:
        with pytest.raises(TypeError, match=words):
            make()
