"""``djsms send`` sends one text, tells what became of it, and exits with 1 if it was not taken."""

import io
import sys
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from scripted import Provider

from djsms import SentPart, Status
from djsms.exceptions import OutcomeUnknown, Refused
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

TO = "+447700900123"


def send(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("djsms", "send", *arguments, "--from=Acme", stdout=out, **options)
    return out.getvalue()


def facts(told: str) -> dict[str, str]:
    return {line[:12].strip(): line[13:].strip() for line in told.splitlines()}


def test_it_tells_what_became_of_the_text(provider: Provider) -> None:
    provider.answers(SentPart(provider_id="A1", price=Decimal("0.0330")), currency="EUR")
    told = facts(send(TO, "Hello"))
    assert told == {
        "status": "sending (accepted by the provider)",
        "account": "default (memory)",
        "ref": TextMessage.objects.get().ref,
        "provider id": "A1",
        "segments": "1, gsm7",
        "price": "0.033 EUR",
    }


def test_it_names_what_made_the_text_expensive(provider: Provider) -> None:
    assert facts(send(TO, "Très bien ç 🎉"))["segments"] == "1, ucs2, because of ç 🎉"


def test_it_can_be_quiet(provider: Provider) -> None:
    assert send(TO, "Hello", "-v0") == ""
    assert len(provider.sent) == 1


def test_it_takes_what_send_text_takes(provider: Provider, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    for _ in range(2):
        send("+44 7700 900-123", "Hello", "--using=alerts", "--status-report", "--key=order-1")
    [message] = provider.sent
    assert (message.to, message.frm, message.text) == (TO, "Acme", "Hello")
    assert message.status_report
    assert TextMessage.objects.get().account == "alerts"


def test_a_text_may_come_from_standard_input(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("two\nlines\n"))
    send(TO, "-")
    assert provider.sent[0].text == "two\nlines"


def test_a_refused_one_is_an_error_with_the_provider_s_words(provider: Provider) -> None:
    provider.fails(Refused("no \x1b[31mcredit", code="9"))
    out = io.StringIO()
    with pytest.raises(CommandError, match="refused: the provider said no") as error:
        call_command("djsms", "send", TO, "Hello", "--from=Acme", stdout=out)
    assert error.value.returncode == 1
    assert facts(out.getvalue())["error"] == r"9 no \x1b[31mcredit"


def test_one_of_unknown_fate_is_an_error_too(provider: Provider) -> None:
    provider.fails(OutcomeUnknown("timed out"))
    with pytest.raises(CommandError, match="unknown: "):
        send(TO, "Hello")
    assert TextMessage.objects.get().status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("to", "text", "options", "reason"),
    [
        ("07700 900123", "Hello", [], "not an international number"),
        (TO, "", [], "The text is empty"),
        (TO, "Hello", ["--using=nope"], "no account 'nope'"),
        (TO, "Hello", ["--key="], "key must be"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    provider: Provider, to: str, text: str, options: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        send(to, text, *options)
    assert provider.sent == []
