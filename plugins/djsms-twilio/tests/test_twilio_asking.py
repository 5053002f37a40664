"""Asking how messages stand, what they cost, and how much credit is left."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from djsms import Balance, OutgoingText, SentText, Status
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    SendError,
    Throttled,
)
from djsms_twilio import TwilioBackend
from twilio_server import BASE, Handler, TwilioServer
from twilio_webhooks import CALLBACK, request

REF = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def ids(
    backend: TwilioBackend, twilio: TwilioServer, make_text: Callable[..., OutgoingText]
) -> list[str]:
    """The ids of three messages that were sent."""
    found = [backend.send(make_text()).parts[0].provider_id for _ in range(3)]
    twilio.requests.clear()
    return found


def test_the_price_comes_with_a_question(
    backend: TwilioBackend,
    twilio: TwilioServer,
    ids: list[str],
    make_sent: Callable[..., SentText],
) -> None:
    twilio.messages[ids[0]] |= {
        "status": "delivered",
        "price": "-0.00750",
        "price_unit": "USD",
        "num_segments": "3",
    }
    [report] = backend.fetch_reports([make_sent(ids[0])])
    assert (report.status, report.provider_status) == (Status.DELIVERED, "delivered")
    assert (report.price, report.currency) == (Decimal("0.00750"), "USD")
    assert (report.ref, report.provider_id) == (REF, ids[0])
    assert report.raw["num_segments"] == "3"
    assert "body" not in report.raw
    assert [(seen.method, seen.path) for seen in twilio.requests] == [
        ("GET", f"{BASE}/Messages/{ids[0]}.json")
    ]


def test_what_a_webhook_has_said_is_said_in_the_same_words(
    backend: TwilioBackend,
    twilio: TwilioServer,
    ids: list[str],
    make_sent: Callable[..., SentText],
) -> None:
    """So that it does not count twice."""
    twilio.messages[ids[0]] |= {"status": "undelivered", "error_code": 30003}
    [asked] = backend.fetch_reports([make_sent(ids[0])])
    fields = {
        **CALLBACK,
        "MessageSid": ids[0],
        "MessageStatus": "undelivered",
        "ErrorCode": "30003",
    }
    [told] = backend.parse_callback(request(fields, query=f"ref={REF}"))
    for name in ("ref", "provider_id", "status", "provider_status", "error_code", "price"):
        assert getattr(asked, name) == getattr(told, name)


def test_what_twilio_has_no_id_for_or_does_not_know_is_left_out(
    backend: TwilioBackend,
    twilio: TwilioServer,
    ids: list[str],
    make_sent: Callable[..., SentText],
) -> None:
    gone = f"SM{'9' * 32}"
    messages = [make_sent(), make_sent(gone), make_sent("../Balance"), make_sent(ids[1])]
    assert [report.provider_id for report in backend.fetch_reports(messages)] == [ids[1]]
    assert len(twilio.requests) == 2


def test_nothing_is_asked_about_nothing(backend: TwilioBackend, twilio: TwilioServer) -> None:
    assert backend.fetch_reports([]) == []
    assert not twilio.requests


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 20003, AuthenticationFailed),
        (400, 20005, InsufficientFunds),
        (429, 20429, Throttled),
        (500, 20500, OutcomeUnknown),
    ],
)
def test_no_answer_is_an_error(
    status: int,
    code: int,
    kind: type[SendError],
    backend: TwilioBackend,
    twilio: TwilioServer,
    make_sent: Callable[..., SentText],
) -> None:
    twilio.mishap = lambda handler: handler.refuse(status, code, "Some words")
    with pytest.raises(kind):
        backend.fetch_reports([make_sent(f"SM{'1' * 32}")])
    with pytest.raises(kind):
        backend.fetch_balance()


def test_what_was_learned_before_an_error_is_kept(
    backend: TwilioBackend,
    twilio: TwilioServer,
    ids: list[str],
    make_sent: Callable[..., SentText],
) -> None:
    def only_once(handler: Handler) -> None:
        if len(twilio.requests) == 1:
            handler.answer(200, twilio.messages[ids[0]])
        else:
            handler.refuse(429, 20429, "Too Many Requests")

    twilio.mishap = only_once
    reports = backend.fetch_reports([make_sent(sid) for sid in ids])
    assert [report.provider_id for report in reports] == [ids[0]]
    assert len(twilio.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"sid": f"SM{'2' * 32}", "status": "sent"},
        {"sid": f"SM{'1' * 32}", "status": "received"},
    ],
)
def test_an_answer_about_something_else_is_left_out(
    answer: dict[str, Any],
    backend: TwilioBackend,
    twilio: TwilioServer,
    make_sent: Callable[..., SentText],
) -> None:
    twilio.mishap = lambda handler: handler.answer(200, answer)
    assert backend.fetch_reports([make_sent(f"SM{'1' * 32}")]) == []


def test_the_balance(backend: TwilioBackend) -> None:
    balance = backend.fetch_balance()
    assert balance == Balance(amount=Decimal("12.34000"), currency="USD", raw=balance.raw)


@pytest.mark.parametrize("answer", [{}, {"balance": None}, {"balance": "much"}, [], b"<html>"])
def test_an_answer_without_a_balance(
    answer: Any, backend: TwilioBackend, twilio: TwilioServer
) -> None:
    twilio.mishap = lambda handler: handler.answer(200, answer)
    with pytest.raises(OutcomeUnknown):
        backend.fetch_balance()


def test_a_balance_below_zero(backend: TwilioBackend, twilio: TwilioServer) -> None:
    twilio.mishap = lambda handler: handler.answer(200, {"balance": "-0.5", "currency": "usd"})
    assert backend.fetch_balance().amount == Decimal("-0.5")
    assert backend.fetch_balance().currency == "USD"
