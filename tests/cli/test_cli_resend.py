"""``djsms resend`` shows what it would send again, asks, and sends each as a new message."""

import io
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from scripted import Provider

from djsms import Status, send_text
from djsms.exceptions import OutcomeUnknown, Refused, TemporarilyUnavailable
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"


def resend(*arguments: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("djsms", "resend", *arguments, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def failed(provider: Provider, error: Exception, text: str = "Hello") -> TextMessage:
    answer = provider.answer
    provider.fails(error)
    message = send_text(text, "Acme", TO)
    provider.answer = answer
    provider.sent.clear()
    return message


def test_it_sends_a_message_again_by_its_reference(provider: Provider) -> None:
    old = failed(provider, TemporarilyUnavailable("down"))
    assert "1  sending" in resend(old.ref, "--yes")
    [new] = TextMessage.objects.filter(resend_of=old)
    assert (new.text, new.to, new.status) == ("Hello", TO, Status.SENDING)
    assert len(provider.sent) == 1


def test_it_sends_all_that_failed_in_one_way(provider: Provider) -> None:
    for _ in range(3):
        failed(provider, TemporarilyUnavailable("down"))
    failed(provider, Refused("no"))
    resend("--status=failed", "--kind=TemporarilyUnavailable", "--yes")
    assert len(provider.sent) == 3


def test_it_shows_first_what_it_would_cost(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(provider, TemporarilyUnavailable("down"), "long " * 60)
    failed(provider, OutcomeUnknown("timed out"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    out = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was sent"):
        call_command("djsms", "resend", "--status=failed", "--status=unknown", stdout=out)
    told = out.getvalue()
    assert "2 to be sent again, in 3 segments" in told
    assert "1 of them may have arrived" in told
    assert provider.sent == []


def test_what_fails_once_more_is_not_tried_for_ever(provider: Provider) -> None:
    failed(provider, TemporarilyUnavailable("down"))
    provider.fails(TemporarilyUnavailable("still down"))
    with pytest.raises(CommandError, match="Not all were taken"):
        resend("--status=failed", "--yes")
    assert len(provider.sent) == 1


def test_what_was_sent_again_is_not_sent_a_third_time(provider: Provider) -> None:
    failed(provider, TemporarilyUnavailable("down"))
    resend("--status=failed", "--yes")
    with pytest.raises(CommandError, match="nothing to send again"):
        resend("--status=failed", "--yes")
    assert len(provider.sent) == 1


def test_those_whose_turn_never_came_can_be_sent(provider: Provider) -> None:
    fields = {"frm": "Acme", "to": TO, "text": "Hello", "segments": 1}
    TextMessage.objects.create(**fields)
    TextMessage.objects.create(**fields, attempted_on=timezone.now())
    resend("--status=created", "--yes")
    assert len(provider.sent) == 1


@pytest.mark.parametrize("since", ["30min", "2h", "1d"])
def test_it_minds_when_they_were_made(provider: Provider, since: str) -> None:
    old = failed(provider, TemporarilyUnavailable("down"))
    failed(provider, TemporarilyUnavailable("down"))
    two_days_ago = timezone.now() - timedelta(days=2)
    TextMessage.objects.filter(pk=old.pk).update(created_on=two_days_ago)
    resend("--status=failed", f"--since={since}", "--yes")
    assert len(provider.sent) == 1


def test_it_can_go_through_another_account(provider: Provider, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    old = failed(provider, TemporarilyUnavailable("down"))
    resend(old.ref, "--using=alerts", "--yes")
    assert TextMessage.objects.get(resend_of=old).account == "alerts"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Which ones"),
        (["--since=1d"], "Which ones"),
        (["0" * 32], "no such message"),
        (["--status=delivered"], "invalid choice"),
        (["--kind=Unlucky"], "invalid choice"),
        (["--status=failed", "--since=yesterday"], "say 30min"),
        (["--status=failed", "--account=nope"], "nothing to send again"),
    ],
)
def test_what_is_wrong_is_told(provider: Provider, arguments: list[str], reason: str) -> None:
    failed(provider, TemporarilyUnavailable("down"))
    with pytest.raises(CommandError, match=reason):
        resend(*arguments, "--yes")
    assert provider.sent == []
