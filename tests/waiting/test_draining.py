"""What waits goes out by drain(): in which order, when, how often, and when not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django import Settings
from scripted import Provider

import djsms
from djsms import SendResult, Status, cancel_text, enqueue_text, queue
from djsms.accounts import gateways
from djsms.exceptions import OutcomeUnknown, Refused, TemporarilyUnavailable, Throttled
from djsms.ledger import clock
from djsms.models import Gate, TextMessage, Worker
from djsms.waiting import gates, queued
from djsms.waiting.units import claim_units

pytestmark = pytest.mark.django_db(databases="__all__")
# what is done after a commit, and what a rollback takes back
committed = pytest.mark.django_db(databases="__all__", transaction=True)

ALICE, BOB = "+447700900123", "+447700900456"


def waits(text: str = "Hi", to: str = ALICE, **fields: Any) -> TextMessage:
    return enqueue_text(text, "Bistro", to, False, **fields)


def texts(provider: Provider) -> list[str]:
    return [message.text for message in provider.sent]


def test_waiting_text_is_sent(database: str, provider: Provider) -> None:
    message = waits("Your table is ready", to=BOB)
    assert not provider.sent
    assert queue.drain() == 1
    [sent] = provider.sent
    assert (sent.text, sent.frm, sent.to, sent.ref) == (
        "Your table is ready",
        "Bistro",
        BOB,
        message.ref,
    )


def test_its_row_tells_so(database: str, provider: Provider) -> None:
    message = waits()
    assert message.status is Status.CREATED
    assert message.due_on is not None
    queue.drain()
    message.refresh_from_db()
    assert message.status is Status.SENDING
    assert message.due_on is None
    assert message.attempts == 1
    assert message.attempted_on is not None
    assert message.provider_id == f"id-{message.ref}"


def test_text_waits_on_while_no_address_for_its_report_can_be_made(
    database: str, provider: Provider, settings: Settings
) -> None:
    message = waits(status_report=True)
    settings.ROOT_URLCONF = "no_such_urls"
    queue.drain()
    message.refresh_from_db()
    assert not provider.sent
    assert message.status is Status.CREATED
    assert message.due_on is not None


def test_its_row_tells_by_which_backend_it_went(
    database: str, provider: Provider, settings: Settings
) -> None:
    message = waits()
    TextMessage.objects.update(backend="former")
    queue.drain()
    message.refresh_from_db()
    assert message.backend == "memory"


def test_bulk_may_be_bounded_by_itself(database: str, provider: Provider) -> None:
    for text, priority in [("n1", "normal"), ("n2", "normal"), ("b1", "bulk"), ("b2", "bulk")]:
        waits(text, priority=priority)
    claimed, _ = claim_units(gateways.get("default"), "me", 4, bulk_limit=1)
    assert [text.text for text in claimed.texts] == ["n1", "n2", "b1"]


def test_text_that_never_expires_is_sent(database: str, provider: Provider) -> None:
    waits()
    TextMessage.objects.update(expires_on=None)
    assert queue.drain() == 1


def test_nothing_is_sent_twice(database: str, provider: Provider) -> None:
    waits()
    assert (queue.drain(), queue.drain()) == (1, 0)
    assert len(provider.sent) == 1


def test_urgent_ones_go_first_and_bulk_last(database: str, provider: Provider) -> None:
    for text, priority in [("b", "bulk"), ("n", "normal"), ("u", "urgent"), ("n2", "normal")]:
        waits(text, priority=priority)
    queue.drain()
    assert texts(provider) == ["u", "n", "n2", "b"]


def test_the_oldest_goes_first(database: str, provider: Provider) -> None:
    for text in "abcde":
        waits(text)
    queue.drain()
    assert texts(provider) == list("abcde")


def test_one_that_is_not_due_waits(database: str, provider: Provider) -> None:
    waits("later", run_after=timedelta(hours=1))
    waits("now")
    assert queue.drain() == 1
    assert texts(provider) == ["now"]


def test_ends_after_so_many_calls(database: str, provider: Provider) -> None:
    for text in "abc":
        waits(text)
    assert queue.drain(limit=2) == 2
    assert queue.drain(limit=0) == 0
    assert texts(provider) == ["a", "b"]


def test_ends_after_its_time(database: str, provider: Provider) -> None:
    waits()
    assert queue.drain(seconds=0) == 0


def test_drains_one_account_alone(database: str, provider: Provider, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    waits("mine", using="alerts")
    waits("other")
    assert queue.drain("alerts") == 1
    assert texts(provider) == ["mine"]


def test_accounts_take_turns(database: str, provider: Provider, settings: Any) -> None:
    settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
    for text in ("d1", "d2"):
        waits(text)
    for text in ("a1", "a2"):
        waits(text, using="alerts")
    queue.drain()
    assert texts(provider) == ["d1", "a1", "d2", "a2"]


def test_account_that_is_wrong_keeps_no_other_from_it(
    database: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DJSMS_ACCOUNTS = {"broken": {"BACKEND": "no-such-backend"}}
    message = waits()
    assert queue.drain() == 1
    message.refresh_from_db()
    assert message.status is Status.SENDING
    assert "The account broken sends nothing of what waits" in caplog.text


def test_works_inside_a_transaction(database: str, provider: Provider) -> None:
    with transaction.atomic(using=database):
        waits()
        assert queue.drain() == 1


@committed
def test_what_is_rolled_back_is_never_sent(database: str, provider: Provider) -> None:
    with transaction.atomic(using=database):
        waits()
        transaction.set_rollback(True, using=database)
    assert queue.drain() == 0


def test_what_a_savepoint_takes_back_is_never_sent(database: str, provider: Provider) -> None:
    with transaction.atomic(using=database):
        waits("kept")
        with transaction.atomic(using=database):
            waits("taken back")
            transaction.set_rollback(True, using=database)
    queue.drain()
    assert texts(provider) == ["kept"]


def test_expired_one_is_not_sent(database: str, provider: Provider) -> None:
    message = waits()
    waits("fresh")
    TextMessage.objects.filter(pk=message.pk).update(expires_on=datetime(2020, 1, 1, tzinfo=UTC))
    queue.drain()
    message.refresh_from_db()
    assert (message.status, message.due_on) == (Status.EXPIRED, None)
    assert message.error_text == "Its time was over before any attempt."
    assert texts(provider) == ["fresh"]


def test_many_expired_ones_keep_none_from_being_sent(database: str, provider: Provider) -> None:
    djsms.enqueue_texts([("old", "Bistro", ALICE)] * 250, priority="normal")
    TextMessage.objects.update(expires_on=datetime(2020, 1, 1, tzinfo=UTC))
    waits("fresh")
    assert queue.drain() == 1
    assert texts(provider) == ["fresh"]
    assert TextMessage.objects.filter(status=Status.EXPIRED).count() == 250


def test_provider_is_told_how_long_it_is_worth_anything(database: str, provider: Provider) -> None:
    message = waits(expires=timedelta(hours=1))
    queue.drain()
    [sent] = provider.sent
    assert sent.expires_on == message.expires_on


class TestCancelling:
    def test_text_that_waits_is_cancelled(self, database: str, provider: Provider) -> None:
        message = waits()
        assert djsms.cancel_text(message)
        assert message.status is Status.CANCELLED
        message.refresh_from_db()
        assert (message.status, message.due_on) == (Status.CANCELLED, None)
        assert queue.drain() == 0

    def test_text_that_is_out_is_not(self, database: str, provider: Provider) -> None:
        message = waits()
        queue.drain()
        assert not djsms.cancel_text(message)
        assert message.status is Status.SENDING

    def test_text_whose_call_is_under_way_is_not(self, database: str, provider: Provider) -> None:
        message, cancelled = waits(), []

        def answer(outgoing: Any) -> SendResult:
            cancelled.append(djsms.cancel_text(message))
            return SendResult.accepted("1")

        provider.answer = answer
        queue.drain()
        message.refresh_from_db()
        assert (cancelled, message.status) == ([False], Status.SENDING)

    def test_is_told_to_receivers(self, database: str, provider: Provider) -> None:
        from django.db.models.signals import post_save

        message, told = waits(), []

        def hear(instance: TextMessage, **kwargs: Any) -> None:
            told.append(instance.status)

        post_save.connect(hear, sender=TextMessage)
        try:
            djsms.cancel_text(message)
        finally:
            post_save.disconnect(hear, sender=TextMessage)
        assert told == [Status.CANCELLED]


class TestPausing:
    def test_paused_account_sends_nothing_until_it_is_resumed(
        self, database: str, provider: Provider
    ) -> None:
        waits()
        queue.pause("default", "the menu is wrong")
        assert queue.drain() == 0
        queue.resume("default")
        assert queue.drain() == 1

    def test_state_says_why(self, database: str, provider: Provider) -> None:
        waits()
        queue.pause("default", "the menu is wrong")
        [account] = queue.state().accounts
        assert account.reason == "the menu is wrong"
        assert account.paused_on is not None
        assert not account.is_open

    def test_unknown_account_is_an_error(self, database: str) -> None:
        from djsms.exceptions import AccountNotFound

        with pytest.raises(AccountNotFound):
            queue.pause("lost")


class TestState:
    def test_of_nothing(self, database: str) -> None:
        [account] = queue.state().accounts
        assert (account.account, account.waiting, account.due, account.in_flight) == (
            "default",
            0,
            0,
            0,
        )
        assert account.oldest_due is None
        assert (account.is_open, account.rate) == (True, "")
        assert not account.is_neglected

    def test_counts_what_waits(self, database: str, settings: Any) -> None:
        settings.DJSMS_RATE = "5 segments/s"
        first = waits(priority="bulk")
        waits(priority="urgent", run_after=timedelta(hours=1))
        [account] = queue.state().accounts
        assert (account.waiting, account.due) == (2, 1)
        assert account.by_priority == {"urgent": 1, "normal": 0, "bulk": 1}
        assert account.oldest_due == first.due_on
        assert account.rate == "5 segments/s"

    def test_of_an_account_that_sends_is_not_that_of_one_on_probation(
        self, database: str, provider: Provider
    ) -> None:
        waits()
        queue.drain()
        [account] = queue.state().accounts
        assert (account.is_open, account.is_on_probation, account.is_neglected) == (
            True,
            False,
            False,
        )

    @pytest.mark.parametrize(
        ("gate", "is_neglected"),
        [
            ({}, True),
            ({"turn_on": -6}, True),
            ({"turn_on": -4}, False),
            ({"closed_until": 1}, False),
            ({"closed_until": -1}, True),
            ({"paused_on": -1}, False),
        ],
        ids=str,
    )
    def test_tells_that_nobody_takes_what_has_been_due_for_minutes(
        self, database: str, gate: dict[str, int], is_neglected: bool
    ) -> None:
        waits()
        now = clock.now()
        TextMessage.objects.update(due_on=clock.stored(now - timedelta(minutes=6)))
        moments = {name: now + timedelta(minutes=minutes) for name, minutes in gate.items()}
        Gate.objects.update_or_create(account="default", slot="", defaults=moments)
        [account] = queue.state().accounts
        assert account.is_neglected is is_neglected

    def test_shows_workers_that_were_seen_within_a_minute(self, database: str) -> None:
        now = clock.now()
        for host, seconds in (("alive", 50), ("dead", 70)):
            seen_on = now - timedelta(seconds=seconds)
            Worker.objects.create(host=host, pid=1, started_on=now, seen_on=seen_on)
        assert [worker.host for worker in queue.state().workers] == ["alive"]

    @committed
    def test_shows_accounts_that_the_settings_lost(
        self, database: str, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # as a process that has just started
        monkeypatch.setattr(gates, "_provided", set())
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        waits(using="alerts")
        del settings.DJSMS_ACCOUNTS
        _, lost = queue.state().accounts
        assert (lost.account, lost.waiting, lost.is_configured) == ("alerts", 1, False)


class TestOutcomes:
    def test_refused_is_the_end(self, database: str, provider: Provider) -> None:
        message = waits()
        provider.fails(Refused("no", code="7"))
        queue.drain()
        message.refresh_from_db()
        assert (message.status, message.error_code, message.due_on) == (Status.REFUSED, "7", None)

    def test_unknown_is_never_sent_again(self, database: str, provider: Provider) -> None:
        message = waits()
        provider.fails(OutcomeUnknown("timeout"))
        queue.drain()
        message.refresh_from_db()
        assert (message.status, message.due_on) == (Status.UNKNOWN, None)
        assert queue.drain() == 0

    def test_what_the_backend_breaks_on_is_unknown(self, database: str, provider: Provider) -> None:
        message = waits()
        provider.fails(ZeroDivisionError())
        queue.drain()
        message.refresh_from_db()
        assert message.status is Status.UNKNOWN

    def test_what_was_surely_not_taken_waits_again(self, database: str, provider: Provider) -> None:
        message = waits()
        provider.fails(TemporarilyUnavailable("down", code="503"))
        before = clock.now()
        assert queue.drain() == 1
        message.refresh_from_db()
        assert message.status is Status.CREATED
        assert (message.attempts, message.error_kind) == (1, "TemporarilyUnavailable")
        assert message.due_on is not None
        assert timedelta(seconds=24) <= message.due_on - before <= timedelta(seconds=40)
        event = message.events.get()
        assert (event.source, event.number, event.error_code) == ("attempt", 1, "503")

    def test_what_waits_again_goes_when_its_time_has_come(
        self, database: str, provider: Provider
    ) -> None:
        message = waits()
        provider.fails(TemporarilyUnavailable("down"))
        queue.drain()
        provider.accepts("id-1")
        assert queue.drain() == 0
        make_due()
        assert queue.drain() == 1
        message.refresh_from_db()
        assert (message.status, message.attempts) == (Status.SENDING, 2)
        assert message.error_kind == ""

    def test_what_is_not_worth_waiting_for_expires(self, database: str, provider: Provider) -> None:
        message = waits(expires=timedelta(seconds=10))
        provider.fails(TemporarilyUnavailable("down"))
        queue.drain()
        message.refresh_from_db()
        assert message.status is Status.EXPIRED
        assert message.error_text == "Its time was over after 1 attempts."

    @pytest.mark.parametrize(("asked", "pause"), [(7200, 7200), (1, 24)])
    def test_what_the_provider_asks_for_makes_the_pause_longer_and_never_shorter(
        self, database: str, provider: Provider, asked: float, pause: float
    ) -> None:
        message = waits()
        before = clock.now()
        provider.fails(TemporarilyUnavailable("down", retry_after=asked))
        queue.drain()
        message.refresh_from_db()
        assert clock.aware(message.due_on) - before >= timedelta(seconds=pause)

    @pytest.mark.parametrize("error", [TemporarilyUnavailable, Throttled])
    def test_text_is_not_over_because_the_provider_asks_for_longer_than_it_lives(
        self, database: str, provider: Provider, error: type[TemporarilyUnavailable]
    ) -> None:
        message = waits(expires=timedelta(minutes=10))
        provider.fails(error("later", retry_after=86_400))
        queue.drain()
        message.refresh_from_db()
        assert (message.status, message.attempts) == (Status.CREATED, 1)
        TextMessage.objects.update(expires_on=clock.stored(clock.now()))
        call_command("djsms", "tidy")
        message.refresh_from_db()
        assert message.status is Status.EXPIRED

    def test_report_takes_a_text_out_of_the_queue_that_waits_again(
        self, database: str, provider: Provider
    ) -> None:
        message = waits()
        provider.fails(TemporarilyUnavailable("a lie"))
        queue.drain()
        provider.reports(ref=message.ref, status="delivered")
        make_due()
        assert queue.drain() == 0
        message.refresh_from_db()
        assert (message.status, message.due_on) == (Status.DELIVERED, None)

    def test_receiver_that_fails_keeps_no_other_text_from_going(
        self, database: str, provider: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        from django.db.models.signals import post_save

        waits("first")
        waits("second")

        def fail(instance: TextMessage, created: bool, **kwargs: Any) -> None:
            if instance.text == "first":
                raise ZeroDivisionError

        post_save.connect(fail, sender=TextMessage)
        try:
            assert queue.drain() == 2
        finally:
            post_save.disconnect(fail, sender=TextMessage)


class TestBreaker:
    def test_five_failures_in_a_row_close_the_account(
        self, database: str, provider: Provider
    ) -> None:
        provider.fails(OutcomeUnknown("timeout"))
        for number in range(10):
            waits(str(number))
        assert queue.drain() == 5
        [account] = queue.state().accounts
        assert account.closed_until is not None
        assert "5 calls in a row failed, the last by OutcomeUnknown" in account.reason
        assert account.waiting == 5

    @pytest.mark.parametrize("error", [None, Refused("no such number")], ids=repr)
    def test_answer_of_the_provider_in_between_keeps_it_open(
        self, database: str, provider: Provider, error: Exception | None
    ) -> None:
        def answer(message: Any) -> SendResult:
            if message.text != "4":
                raise OutcomeUnknown("timeout")
            if error is not None:
                raise error
            return SendResult.accepted("1")

        provider.answer = answer
        for number in range(9):
            waits(str(number))
        assert queue.drain() == 9

    def test_one_text_tries_whether_it_may_open(self, database: str, provider: Provider) -> None:
        self.test_five_failures_in_a_row_close_the_account(database, provider)
        reopen()
        assert queue.drain() == 1
        [account] = queue.state().accounts
        assert account.closed_until is not None
        pause = account.closed_until - queue.state().moment
        assert timedelta(seconds=50) < pause <= timedelta(seconds=60)

    def test_success_opens_it(self, database: str, provider: Provider) -> None:
        self.test_five_failures_in_a_row_close_the_account(database, provider)
        reopen()
        provider.accepts("1")
        assert queue.drain() == 5
        [account] = queue.state().accounts
        assert (account.is_open, account.failures) == (True, 0)
        assert not account.is_on_probation

    def test_while_one_tries_no_other_goes(self, database: str, provider: Provider) -> None:
        self.test_five_failures_in_a_row_close_the_account(database, provider)
        reopen()
        meanwhile = []

        def answer(message: Any) -> SendResult:
            if not meanwhile:
                meanwhile.append(queue.drain())
            return SendResult.accepted("1")

        provider.answer = answer
        assert queue.drain() == 5
        assert meanwhile == [0]

    def test_resuming_opens_it(self, database: str, provider: Provider) -> None:
        self.test_five_failures_in_a_row_close_the_account(database, provider)
        provider.accepts("1")
        queue.resume("default")
        [account] = queue.state().accounts
        assert (account.is_open, account.is_on_probation, account.failures) == (True, False, 0)
        assert queue.drain() == 5

    def test_while_one_tries_those_of_other_accounts_go(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        self.test_five_failures_in_a_row_close_the_account(database, provider)
        reopen()
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        waits("a", using="alerts")
        gates.make("alerts")
        meanwhile = []

        def answer(message: Any) -> SendResult:
            if message.text != "a":
                meanwhile.append(queue.drain("alerts"))
            return SendResult.accepted("1")

        provider.answer = answer
        queue.drain("default", limit=1)
        assert meanwhile == [1]


class TestThrottling:
    def test_closes_the_account_for_as_long_as_the_provider_says(
        self, database: str, provider: Provider
    ) -> None:
        provider.fails(Throttled("slow down", retry_after=120))
        message = waits()
        waits("another")
        assert queue.drain() == 1
        state = queue.state()
        [account] = state.accounts
        assert account.closed_until is not None
        assert account.closed_until - state.moment > timedelta(seconds=110)
        assert account.failures == 0
        message.refresh_from_db()
        assert message.due_on is not None
        assert message.due_on - state.moment > timedelta(seconds=110)

    def test_needs_nobody_to_try(self, database: str, provider: Provider) -> None:
        provider.fails(Throttled("slow down"))
        for text in "abc":
            waits(text)
        queue.drain()
        reopen()
        provider.accepts("1")
        assert queue.drain() == 2


def make_due() -> None:
    TextMessage.objects.filter(due_on__isnull=False).update(
        due_on=clock.stored(clock.EPOCH) + timedelta(days=1)
    )


def reopen() -> None:
    """Let the time pass until the gate opens."""
    Gate.objects.update(closed_until=clock.stored(clock.now()))


def test_a_text_that_another_takes_in_the_middle_of_a_claim_does_not_end_it(
    database: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = waits("first"), waits("second")
    oldest_due = queued.oldest_due

    def cancelled(*args: Any) -> list[TextMessage]:
        found = oldest_due(*args)
        cancel_text(first)
        return found

    monkeypatch.setattr(queued, "oldest_due", cancelled)
    assert queue.drain() == 1
    assert texts(provider) == ["second"]
