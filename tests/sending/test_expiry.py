"""``expires``: after it a text is worth nothing, and the provider is told so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db.models.signals import post_save

from djsms import SendResult, send_text, send_texts
from djsms.models import TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

FRM, TO = "+447700900001", "+447700900002"
SOON = timedelta(minutes=5)


def test_a_time_is_stored_and_told_to_the_backend(provider):
    when = datetime(2099, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    send_text("Hi", FRM, TO, expires=when)
    assert TextMessage.objects.get().expires_on == when
    assert provider.sent[0].expires_on == when


def test_a_duration_counts_from_now(provider):
    before = datetime.now(UTC)
    send_text("Hi", FRM, TO, expires=SOON)
    assert before + SOON <= provider.sent[0].expires_on <= datetime.now(UTC) + SOON


def test_without_it_the_backend_is_told_nothing(provider):
    send_text("Hi", FRM, TO)
    assert provider.sent[0].expires_on is None


def test_in_a_project_without_time_zones(provider, settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "America/New_York"
    when = datetime(2099, 1, 1, 12, tzinfo=UTC)
    send_text("Hi", FRM, TO, expires=when)
    assert TextMessage.objects.get().expires_on == datetime(2099, 1, 1, 7)  # noqa: DTZ001
    assert provider.sent[0].expires_on == when


def test_of_many_for_all_or_for_one(provider):
    send_texts(
        [("a", FRM, TO), {"text": "b", "frm": FRM, "to": TO, "expires": timedelta(days=1)}],
        expires=SOON,
    )
    first, second = (text.expires_on for text in provider.sent)
    assert second - first > timedelta(hours=23)


def test_one_that_expires_before_its_turn_is_not_sent(provider):
    rows: list[TextMessage] = []

    def answer(message):
        # so long does the provider take over the first one
        for row in rows:
            row.expires_on -= 2 * SOON
        return SendResult.accepted(message.ref)

    def note(instance, created, **kwargs):
        if created:
            rows.append(instance)

    provider.answer = answer
    post_save.connect(note, sender=TextMessage)
    try:
        sent = send_texts([("a", FRM, TO), ("b", FRM, TO)], expires=SOON)
    finally:
        post_save.disconnect(note, sender=TextMessage)
    assert [message.status for message in sent] == ["sending", "expired"]
    assert sent[1].attempted_on is None
    assert len(provider.sent) == 1
