"""The examples of the recipe about testing."""

# recipe: begin
import re

import pytest

from djsms.exceptions import TemporarilyUnavailable
from shop.texts import order, send_code

pytestmark = pytest.mark.django_db


def test_the_code_that_was_sent(sms_outbox):
    send_code("+447700900123")
    [sent] = sms_outbox.sent_to("+447700900123")
    code = re.match(r"\d{6}", sent.text)
    assert code
    # … and client.post("/login/", {"code": code[0]})


def test_the_provider_is_down(sms_outbox):
    sms_outbox.fail(TemporarilyUnavailable("maintenance"), times=1)
    send_code("+447700900123")
    assert sms_outbox.failed[0].message.status == "failed"
    send_code("+447700900123")
    assert len(sms_outbox) == 1


def test_after_the_commit(sms_outbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        order("+447700900123")
        assert not sms_outbox
    assert sms_outbox.containing("order")


# recipe: end
