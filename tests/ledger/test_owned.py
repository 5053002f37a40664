"""Saving a stored row writes what is the application's: the instance may be older than the row."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connections
from django.db.models.signals import post_save

from djsms import send_text
from djsms.models import StatusEvent, TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"


def stored() -> TextMessage:
    return TextMessage.objects.get()


def test_an_old_instance_undoes_nothing_that_events_have_done(provider):
    old = send_text("Hi", FRM, TO)
    provider.reports(ref=old.ref, status="delivered", price="0.05", currency="EUR")
    old.save()
    assert (stored().status, stored().price) == ("delivered", Decimal("0.05"))


def test_a_receiver_that_saves_its_instance_undoes_nothing(provider):
    old = send_text("Hi", FRM, TO)

    def save(instance, update_fields, **kwargs):
        if "status" in update_fields:
            old.save()

    post_save.connect(save, sender=TextMessage)
    try:
        provider.reports(ref=old.ref, status="delivered")
    finally:
        post_save.disconnect(save, sender=TextMessage)
    assert stored().status == "delivered"


def test_what_is_the_applications_is_written(provider):
    message = send_text("Hi", FRM, TO, key="k")
    message.frm = message.to = message.text = "erased"
    message.extra, message.key = {"table": 7}, None
    message.save()
    row = stored()
    assert (row.frm, row.to, row.text) == ("erased", "erased", "erased")
    assert (row.extra, row.key) == ({"table": 7}, None)


def test_a_field_that_was_not_read_is_not_written(provider):
    send_text("Hi", FRM, TO)
    message = TextMessage.objects.defer("text").get()
    TextMessage.objects.update(text="erased")
    message.save()
    assert stored().text == "erased"


@pytest.mark.parametrize("name", ["status", "price", "due_on", "provider_id"])
def test_to_ask_for_what_events_own_is_an_error(provider, name):
    message = send_text("Hi", FRM, TO)
    with pytest.raises(ValueError, match=f"does not write {name}: events decide"):
        message.save(update_fields=["text", name])


def test_to_ask_for_less_is_not(provider):
    message = send_text("Hi", FRM, TO)
    message.text = message.to = "erased"
    message.save(update_fields=["text"])
    assert (stored().text, stored().to) == ("erased", TO)


def test_a_deleted_row_does_not_come_back(provider):
    message = send_text("Hi", FRM, TO)
    TextMessage.objects.all().delete()
    with pytest.raises(DatabaseError):
        message.save()


def test_a_new_instance_is_no_update():
    with pytest.raises(ValueError, match="Cannot force both insert and updating"):
        TextMessage(frm=FRM, to=TO, text="Hi").save(force_update=True)
    assert not TextMessage.objects.exists()


def test_it_is_saved_where_it_is_told_to(provider, database):
    message = send_text("Hi", FRM, TO)
    other = next(alias for alias in connections if alias != database)
    message.text = "erased"
    with pytest.raises(DatabaseError):
        message.save(using=other)
    assert stored().text == "Hi"


def test_a_new_instance_does_not_take_the_place_of_a_row(provider):
    message = send_text("Hi", FRM, TO)
    with pytest.raises(IntegrityError):
        TextMessage(pk=message.pk, frm=FRM, to=TO, text="other").save()


def test_a_copy_is_a_new_row(provider):
    message = send_text("Hi", FRM, TO)
    message.pk, message.ref = None, "other"
    message.save()
    assert TextMessage.objects.count() == 2


def test_of_an_event_only_what_may_have_to_be_erased_is_written(provider):
    send_text("Hi", FRM, TO)
    event = StatusEvent.objects.get()
    event.raw, event.status = {}, "failed"
    event.save()
    assert StatusEvent.objects.get().status == "sending"
    with pytest.raises(ValueError, match="does not write status"):
        event.save(update_fields=["status"])
