"""The outbox shows what waits, and sends it when a test says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from djsms import enqueue_text, enqueue_texts, queue
from djsms.exceptions import AccountNotFound, TemporarilyUnavailable
from djsms.models import TextMessage
from djsms.testing import Outbox

# Inside a transaction that is rolled back, as in a TestCase.
pytestmark = pytest.mark.django_db

TO = "+447700900123"


def texts(messages: list[TextMessage]) -> list[str]:
    return [message.text for message in messages]


def wait(text: str = "Hello", **fields: Any) -> TextMessage:
    return enqueue_text(text, "Acme", TO, **fields)


def test_what_waits_is_not_sent(sms_outbox: Outbox) -> None:
    wait()
    assert texts(sms_outbox.waiting) == ["Hello"]
    assert sms_outbox == []


def test_what_goes_first_stands_first(sms_outbox: Outbox) -> None:
    wait("bulk", priority="bulk")
    wait("normal")
    wait("urgent", priority="urgent")
    assert texts(sms_outbox.waiting) == ["urgent", "normal", "bulk"]


def test_draining_sends_it_in_the_test_s_transaction(sms_outbox: Outbox) -> None:
    message = wait()
    assert connection.in_atomic_block
    assert sms_outbox.drain() == 1
    assert sms_outbox.waiting == []
    assert sms_outbox[0].message == message
    message.refresh_from_db()
    assert message.status == "sending"


def test_draining_leaves_what_is_due_later(sms_outbox: Outbox) -> None:
    wait(run_after=timedelta(hours=1))
    assert sms_outbox.drain() == 0
    assert len(sms_outbox.waiting) == 1


def test_what_is_to_be_tried_again_waits(sms_outbox: Outbox) -> None:
    sms_outbox.fail(TemporarilyUnavailable("down"), times=1)
    message = wait()
    assert sms_outbox.drain() == 1
    assert len(sms_outbox.failed) == 1
    assert sms_outbox.waiting == [message]


def test_draining_one_account(sms_outbox: Outbox, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    wait("one")
    wait("two", using="alerts")
    assert sms_outbox.drain("alerts") == 1
    assert texts(sms_outbox.waiting) == ["one"]


def test_draining_a_few(sms_outbox: Outbox, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    for using in ("default", "alerts", "default"):
        wait(using=using)
    assert sms_outbox.drain(limit=2) == 2
    assert len(sms_outbox.waiting) == 1


def test_what_a_fallback_takes_over_goes_too(sms_outbox: Outbox, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {
        "alerts": {"BACKEND": "memory"},
        "zeal": {"BACKEND": "memory", "FALLBACK": "alerts"},
    }
    sms_outbox.fail(TemporarilyUnavailable("down"), account="zeal")
    wait(using="zeal")
    assert sms_outbox.drain() == 2
    assert [sent.account for sent in sms_outbox] == ["alerts"]


def test_rates_are_not_waited_for(sms_outbox: Outbox, settings: Any) -> None:
    settings.DJSMS_RATE = settings.DJSMS_ORIGINATOR_RATE = "1/h"
    enqueue_texts([("Hello", "Acme", TO)] * 3)
    assert sms_outbox.drain() == 3


def test_paused_accounts_stay_so(sms_outbox: Outbox) -> None:
    wait()
    queue.pause("default")
    assert sms_outbox.drain() == 0


def test_no_settings_are_needed(sms_outbox: Outbox, settings: Any) -> None:
    del settings.DJSMS_BACKEND
    wait()
    assert sms_outbox.drain() == 1


def test_an_account_that_is_none(sms_outbox: Outbox) -> None:
    with pytest.raises(AccountNotFound):
        sms_outbox.drain("nope")
