"""``djsms forget``: says what there is of a number, asks, and erases it."""

import io
import sys
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from scripted import Provider

from djsms import enqueue_text, send_text
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

PERSON = "+447700900123"


def forget(*arguments: str) -> str:
    out = io.StringIO()
    call_command("djsms", "forget", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def message(provider: Provider) -> TextMessage:
    return send_text("Hello", "Acme", PERSON)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_it_shows_what_there_is_and_asks(message: TextMessage, answer: Any) -> None:
    enqueue_text("Hello", "Acme", PERSON)
    answer("n\n")
    out = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("djsms", "forget", PERSON, stdout=out, stderr=io.StringIO())
    assert out.getvalue().splitlines() == [
        "        2  messages sent",
        "        1  of them wait, and would be cancelled",
        "        0  messages received",
    ]
    message.refresh_from_db()
    assert message.to == PERSON


def test_a_yes_erases_and_says_how_much(message: TextMessage, answer: Any) -> None:
    answer("y\n")
    assert "        1  messages erased" in forget("+44 7700 900123").splitlines()
    message.refresh_from_db()
    assert message.to == ""


def test_one_who_is_not_known_needs_no_answer(db: None) -> None:
    assert "0  messages erased" in forget(PERSON)


def test_it_can_be_quiet(message: TextMessage) -> None:
    assert forget(PERSON, "--yes", "-v0") == ""


def test_a_message_under_way_is_named_and_left(message: TextMessage) -> None:
    TextMessage.objects.update(status="created", attempted_on=timezone.now())
    with pytest.raises(CommandError, match=message.ref):
        forget(PERSON, "--yes")


def test_what_is_no_number_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="is not an international number"):
        forget("Acme")


def test_our_own_number_is_refused(settings: Any, db: None) -> None:
    settings.DJSMS_FROM = "+447700900001"
    with pytest.raises(CommandError, match="is the sender of the account 'default'"):
        forget("+447700900001", "--yes")
