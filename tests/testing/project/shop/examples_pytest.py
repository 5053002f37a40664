"""The examples of the documentation for pytest."""

# pytest: begin
import pytest

from shop.texts import remind, welcome


@pytest.mark.django_db
def test_welcomes(sms_outbox):
    welcome("+447700900123", using="alerts")
    [sent] = sms_outbox.sent_to("+44 7700 900-123")
    assert sent.text == "Welcome!"
    assert sent.account == "alerts"
    assert sms_outbox.segments == 1


# pytest: end


# failure: begin
@pytest.mark.django_db
def test_does_without(sms_outbox):
    sms_outbox.refuse("Unknown subscriber", code="7", to="+447700900123")
    welcome("+447700900123")
    assert not sms_outbox
    assert sms_outbox.failed[0].message.status == "refused"


# failure: end


# report: begin
@pytest.mark.django_db
def test_follows(sms_outbox):
    welcome("+447700900123", frm="+447700900000")
    message = sms_outbox.report(sms_outbox[0], "delivered")
    assert message.status == "delivered"
    answer = sms_outbox.reply(message, "Thank you!")
    assert (answer.frm, answer.text) == ("+447700900123", "Thank you!")


# report: end


# waiting: begin
@pytest.mark.django_db
def test_reminds(sms_outbox):
    remind("+447700900123")
    assert [text.text for text in sms_outbox.waiting] == ["Your table is ready", "How was it?"]
    assert not sms_outbox

    assert sms_outbox.drain() == 1
    assert sms_outbox[0].text == "Your table is ready"
    assert [text.text for text in sms_outbox.waiting] == ["How was it?"]


# waiting: end
