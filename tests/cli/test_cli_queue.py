"""``djsms queue``, ``pause``, ``resume`` and ``cancel``: the queue as an operator works with it."""

import io
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from scripted import Provider

from djsms import SendResult, cancel_text, enqueue_text, queue, send_text
from djsms.exceptions import (
    AuthenticationFailed,
    OutcomeUnknown,
    Refused,
    TemporarilyUnavailable,
)
from djsms.models import Gate, StatusEvent, TextMessage, Worker
from djsms.waiting.verdicts import clock_time

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"


def djsms(*arguments: str) -> str:
    out = io.StringIO()
    call_command("djsms", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def line_of(account: str, table: str) -> list[str]:
    [line] = [line for line in table.splitlines() if line.startswith(f"{account} ")]
    return [cell.strip() for cell in line.split("  ") if cell]


def wait(text: str = "Hello", **fields: Any) -> TextMessage:
    return enqueue_text(text, "Acme", TO, **fields)


def age(text: TextMessage, **ago: float) -> None:
    due = timezone.now() - timedelta(**ago)
    TextMessage.objects.filter(pk=text.pk).update(due_on=due)


def worker(**fields: Any) -> Worker:
    now = timezone.now()
    return Worker.objects.create(host="box", pid=7, started_on=now, **{"seen_on": now} | fields)


# Each account that the settings lose has a name of its own: a process makes its gate once.


class TestTheTable:
    def test_an_account_that_sends(self, provider: Provider, settings: Any) -> None:
        settings.DJSMS_RATE = "30/s"
        settings.DJSMS_CONCURRENCY = 4
        wait(priority="urgent")
        wait(priority="bulk")
        assert line_of("default", djsms("queue")) == [
            "default",
            "open",
            "1 urgent, 1 bulk",
            "0 s",
            "0 of 4",
            "30/s",
        ]

    def test_it_begins_with_what_one_wants_to_know(self, provider: Provider) -> None:
        worker()
        assert djsms("queue").startswith("Texts are sent. Nothing waits.")

    def test_it_says_when_the_next_text_is_due(self, provider: Provider) -> None:
        worker()
        first = wait(run_after=timedelta(hours=2))
        second = wait(run_after=timedelta(hours=3))
        due = clock_time(first.due_on, timezone.now())
        assert djsms("queue").startswith(
            f"Texts are sent. 2 texts wait, none of them due before {due}."
        )
        cancel_text(second)
        assert f"1 text waits, and is not due before {due}." in djsms("queue")

    def test_it_says_to_the_second_what_is_less_than_an_hour_away(self, provider: Provider) -> None:
        soon = wait(run_after=timedelta(minutes=5))
        due = timezone.localtime(soon.due_on)
        assert f"not due before {due:%H:%M:%S}." in djsms("queue")

    @pytest.mark.parametrize("workers", [[], [{"stopping": True}]], ids=["none", "one that stops"])
    def test_it_does_not_say_that_texts_are_sent_where_no_worker_is(
        self, provider: Provider, workers: list[dict[str, Any]]
    ) -> None:
        for fields in workers:
            worker(**fields)
        told = djsms("queue")
        assert told.startswith("Nobody sends just now: no djsms work was seen in the last minute.")
        assert line_of("default", told)[1] == "open"

    def test_it_believes_that_another_engine_has_workers(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_ENGINE = "tasks"
        assert djsms("queue").startswith("Texts are sent. Nothing waits.")

    def test_one_that_is_paused(self, provider: Provider) -> None:
        queue.pause("default", "wrong prices")
        told = djsms("queue")
        assert "default: paused since" in told
        assert "(wrong prices)." in told

    def test_one_that_closed_by_itself(self, provider: Provider) -> None:
        provider.fails(TemporarilyUnavailable("down"))
        for _ in range(5):
            wait()
        queue.drain()
        told = djsms("queue")
        assert told.startswith("Nothing is sent. 5 texts wait")
        assert "default: closed until" in told
        assert "5 calls in a row failed, the last by TemporarilyUnavailable" in told

    def test_one_whose_texts_nobody_takes(self, provider: Provider) -> None:
        age(wait(), minutes=6)
        told = djsms("queue")
        assert "default: nobody sends" in told
        assert "Is djsms work running?" in told

    def test_one_whose_texts_somebody_took_just_now(self, provider: Provider) -> None:
        wait()
        queue.drain()
        age(wait(), minutes=6)
        assert "nobody sends" not in djsms("queue")

    def test_one_whose_slow_rate_lets_nothing_go(self, provider: Provider, settings: Any) -> None:
        settings.DJSMS_RATE = "1/h"
        wait()
        queue.drain()
        age(wait(), minutes=6)
        Gate.objects.update(turn_on=timezone.now() - timedelta(minutes=6))
        assert "nobody sends" not in djsms("queue")

    def test_one_that_the_settings_lost(self, provider: Provider, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"lapsed": {"BACKEND": "memory"}}
        wait(using="lapsed")
        settings.DJSMS_ACCOUNTS = {}
        assert "not in the settings" in line_of("lapsed", djsms("queue"))

    def test_one_that_cannot_send(self, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"old": {"BACKEND": "gone"}}
        worker()
        told = djsms("queue")
        assert told.startswith("1 of 2 accounts sends.")
        assert "old: cannot send" in told

    def test_its_workers(self, provider: Provider) -> None:
        assert "No worker was seen in the last minute." in djsms("queue")
        worker()
        worker(stopping=True)
        told = djsms("queue")
        assert told.count("box:7") == 2
        assert told.count("stopping") == 1

    def test_it_asks_the_database_as_often_for_many_accounts(
        self, provider: Provider, settings: Any, django_assert_num_queries: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {f"a{n}": {"BACKEND": "memory"} for n in range(20)}
        for alias in settings.DJSMS_ACCOUNTS:
            wait(using=alias)
        with django_assert_num_queries(4):
            queue.state()


class TestForPrograms:
    def test_json(self, provider: Provider) -> None:
        wait()
        told = json.loads(djsms("queue", "--json"))
        [account] = told["accounts"]
        assert (account["account"], account["waiting"], account["state"]) == ("default", 1, "open")
        assert account["by_priority"] == {"urgent": 0, "normal": 1, "bulk": 0}
        assert told["workers"] == []

    def test_the_age_that_is_too_much(self, provider: Provider) -> None:
        age(wait(), minutes=10)
        djsms("queue", "--max-age=900")
        with pytest.raises(CommandError, match="default: a text has been due for 10 min"):
            djsms("queue", "--json", "--max-age=300")

    def test_what_is_not_due_has_no_age(self, provider: Provider) -> None:
        wait(run_after=timedelta(hours=1))
        djsms("queue", "--max-age=0")

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--watch"], "is for a terminal"),
            (["--watch", "--json"], "not allowed with"),
            (["--watch", "--max-age=5"], "--max-age ends at once"),
            (["--max-age=soon"], "say a number of seconds, such as 60 or 0.5, not 'soon'"),
            (["--max-age=-1"], "say from 0 to a billion seconds"),
        ],
    )
    def test_what_is_wrong_is_told(self, arguments: list[str], reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            djsms("queue", *arguments)


class TestUnknownOutcomes:
    def test_of_the_last_hour_are_told(self, provider: Provider) -> None:
        provider.fails(OutcomeUnknown("timed out"))
        for _ in range(2):
            send_text("Hi", "Bistro", TO)
        assert "\nWhether 2 texts of the last hour went out, nobody knows." in djsms("queue")

    def test_that_are_known_by_now_are_not(self, provider: Provider) -> None:
        provider.fails(OutcomeUnknown("timed out"))
        message = send_text("Hi", "Bistro", TO, status_report=True)
        provider.reports(ref=message.ref, status="delivered")
        assert "nobody knows" not in djsms("queue")

    def test_of_long_ago_are_not(self, provider: Provider) -> None:
        provider.fails(OutcomeUnknown("timed out"))
        send_text("Hi", "Bistro", TO)
        StatusEvent.objects.update(created_on=timezone.now() - timedelta(minutes=61))
        assert "nobody knows" not in djsms("queue")


class TestWorkingOnce:
    """Each in the process of the test, whose signals it leaves as they are."""

    @pytest.fixture(autouse=True)
    def signals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("signal.signal", lambda *args: None)

    def test_it_tells_how_its_calls_ended(self, provider: Provider) -> None:
        outcomes = iter([Refused("barred"), OutcomeUnknown("timed out"), None])

        def answer(message: Any) -> SendResult:
            if (error := next(outcomes)) is not None:
                raise error
            return SendResult.accepted("1")

        provider.answer = answer
        for _ in range(3):
            wait()
        told = djsms("work", "--once", "--threads=1")
        assert told.endswith("\n3 calls: 1 taken, 1 not taken, 1 unknown.\n")

    def test_it_counts_what_it_handed_over(self, provider: Provider) -> None:
        wait()
        assert djsms("work", "--once").endswith("\n1 call: 1 taken, 0 not taken, 0 unknown.\n")
        assert djsms("work", "--once").endswith("\n0 calls.\n")

    def test_it_says_why_the_texts_of_a_paused_account_stay(self, provider: Provider) -> None:
        wait()
        queue.pause("default", "wrong prices")
        told = djsms("work", "--once")
        assert "\n0 calls.\ndefault: paused since" in told
        assert told.endswith(" (wrong prices). 1 text waiting.\n")

    def test_it_says_why_the_texts_of_a_closed_account_stay(self, provider: Provider) -> None:
        provider.fails(TemporarilyUnavailable("down"))
        for _ in range(5):
            wait()
        queue.drain()
        told = djsms("work", "--once")
        assert "\ndefault: closed until" in told
        assert "5 calls in a row failed, the last by TemporarilyUnavailable" in told
        assert told.endswith(" 5 texts waiting.\n")

    def test_it_says_nothing_of_accounts_that_it_does_not_serve(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        wait()
        queue.pause("default")
        assert djsms("work", "alerts", "--once").endswith("\n0 calls.\n")

    @pytest.mark.parametrize(
        ("setting", "value", "words"),
        [
            ("DJSMS_KEEP_TEXTS", 30, r"such as timedelta\(days=30\), not 30"),
            ("DJSMS_PARTS_TIMEOUT", 30, r"such as timedelta\(minutes=30\), not 30"),
            ("DJSMS_WINDOWS", {"day": {}}, "needs FROM"),
        ],
    )
    def test_it_does_not_start_with_settings_that_would_fail_each_minute(
        self, provider: Provider, settings: Any, setting: str, value: object, words: str
    ) -> None:
        setattr(settings, setting, value)
        with pytest.raises(CommandError, match=f"{setting}.*{words}"):
            djsms("work", "--once")


class TestPausing:
    def test_nothing_goes_until_it_is_resumed(self, provider: Provider) -> None:
        wait()
        assert djsms("pause", "default", "--reason=wrong prices") == (
            "default is paused. 1 text waiting.\n"
        )
        assert queue.drain() == 0
        assert queue.state().accounts[0].reason == "wrong prices"
        djsms("resume", "default")
        assert queue.drain() == 1

    def test_one_that_closed_by_itself_is_opened(self, provider: Provider) -> None:
        provider.fails(AuthenticationFailed("wrong key"))
        wait()
        wait()
        queue.drain()
        assert not queue.state().accounts[0].is_open
        djsms("resume", "default")
        assert queue.state().accounts[0].is_open

    @pytest.mark.parametrize("command", ["pause", "resume"])
    def test_an_account_that_is_none(self, command: str) -> None:
        with pytest.raises(CommandError, match="There is no account 'nope'"):
            djsms(command, "nope")


class TestCancelling:
    def test_by_reference(self, provider: Provider) -> None:
        text = wait()
        assert "1  cancelled" in djsms("cancel", text.ref)
        text.refresh_from_db()
        assert (text.status, text.due_on) == ("cancelled", None)

    def test_it_says_for_which_it_was_too_late(self, provider: Provider) -> None:
        gone, waits = wait(), wait(run_after=timedelta(hours=1))
        queue.drain()
        out = io.StringIO()
        with pytest.raises(CommandError, match="too late for some"):
            call_command("djsms", "cancel", gone.ref, waits.ref, stdout=out)
        assert "1  cancelled" in out.getvalue()
        assert f"{gone.ref}  too late: sending (accepted by the provider)" in out.getvalue()

    def test_one_whose_call_is_under_way(self, provider: Provider) -> None:
        text = wait()
        TextMessage.objects.update(due_on=None, attempted_on=timezone.now())
        out = io.StringIO()
        with pytest.raises(CommandError):
            call_command("djsms", "cancel", text.ref, stdout=out)
        assert "the provider is being called just now" in out.getvalue()

    def test_all_of_an_account(self, provider: Provider, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        for _ in range(101):
            wait(using="alerts")
        other = wait()
        assert "101  cancelled" in djsms("cancel", "--account=alerts", "--yes")
        other.refresh_from_db()
        assert other.status == "created"

    def test_all_that_were_made_before_a_time(self, provider: Provider) -> None:
        old, new = wait(), wait()
        hour_ago = timezone.now() - timedelta(hours=1)
        TextMessage.objects.filter(pk=old.pk).update(created_on=hour_ago)
        djsms("cancel", "--account=default", "--before=30min", "--yes")
        new.refresh_from_db()
        assert new.status == "created"
        assert TextMessage.objects.get(pk=old.pk).status == "cancelled"

    def test_it_shows_first_what_it_would_cancel(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wait(priority="bulk")
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
        out = io.StringIO()
        with pytest.raises(CommandError, match="Nothing was cancelled"):
            call_command("djsms", "cancel", "--account=default", stdout=out, stderr=io.StringIO())
        assert line_of("1", out.getvalue())[-1] == "Acme"
        assert TextMessage.objects.get().status == "created"

    def test_those_of_an_account_that_the_settings_lost(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"retired": {"BACKEND": "memory"}}
        wait(using="retired")
        settings.DJSMS_ACCOUNTS = {}
        assert "1  cancelled" in djsms("cancel", "--account=retired", "--yes")

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            ([], "Which ones"),
            (["--before=1d"], "Which ones"),
            (["abc", "--account=default"], "Which ones"),
            (["abc", "--before=1d"], "Which ones"),
            (["0" * 32], "no such message"),
            (["--account=default"], "Nothing that waits fits"),
            (["--account=default", "--before=soon"], "say 30min"),
        ],
    )
    def test_what_is_wrong_is_told(self, arguments: list[str], reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            djsms("cancel", *arguments, "--yes")
