"""Rates of accounts and originators, accounts that close, and accounts that take over."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connections
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext
from scripted import Provider

from djsms import (
    OutgoingText,
    SendResult,
    Status,
    asend_text,
    enqueue_text,
    hookimpl,
    queue,
    resend_text,
    send_text,
    send_texts,
)
from djsms.accounts import gateways
from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    Refused,
    TemporarilyUnavailable,
    TextMessageError,
)
from djsms.ledger import clock
from djsms.ledger.transactions import database as ledger_database
from djsms.models import Gate, TextMessage
from djsms.waiting import claims, gates, queued
from djsms.waiting.cancelling import cancel_texts
from djsms.waiting.fallback import hand_over
from djsms.waiting.units import claim_units

pytestmark = pytest.mark.django_db(databases="__all__")

ALICE = "+447700900123"
ONE, TWO = "+447700900001", "+447700900002"


def waits(text: str = "Hi", frm: str = "Bistro", **fields: Any) -> TextMessage:
    return enqueue_text(text, frm, ALICE, False, **fields)


def texts(provider: Provider) -> list[str]:
    return [message.text for message in provider.sent]


def state(alias: str = "default") -> queue.AccountState:
    return next(account for account in queue.state().accounts if account.account == alias)


def let_time_pass() -> None:
    """Open what has closed, and let be due what waits again."""
    now = clock.now()
    Gate.objects.filter(closed_until__isnull=False).update(closed_until=now)
    TextMessage.objects.filter(due_on__gt=now).update(due_on=now)


class TestRate:
    def test_lets_a_burst_go_and_no_more(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_RATE = "20/min"
        for number in range(5):
            waits(str(number))
        assert queue.drain(seconds=1) == 1

    def test_is_waited_for(self, database: str, provider: Provider, settings: Any) -> None:
        settings.DJSMS_RATE = "100/s"
        for number in range(30):
            waits(str(number))
        assert queue.drain() == 30

    def test_hours_are_not_waited_for(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_RATE = "1/h"
        waits("1")
        waits("2")
        assert queue.drain() == 1

    def test_may_count_segments(self, database: str, provider: Provider, settings: Any) -> None:
        settings.DJSMS_RATE = "3 segments/h"
        waits("x" * 400)
        waits("short")
        assert queue.drain() == 1
        assert Gate.objects.get().free_at / 1e6 - clock.microseconds() / 1e6 > 3500

    def test_of_one_account_holds_up_no_other(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_RATE = "1/h"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        for number in range(3):
            waits(f"d{number}")
            waits(f"a{number}", using="alerts")
        queue.drain()
        assert sorted(texts(provider)) == ["a0", "a1", "a2", "d0"]

    def test_counts_each_account_by_itself(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_RATE = "1/h"
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory", "RATE": "1/h"}}
        gates.make("alerts")
        for number in range(2):
            waits(f"d{number}")
            waits(f"a{number}", using="alerts")
        queue.drain()
        assert sorted(texts(provider)) == ["a0", "d0"]


class TestOriginatorRate:
    @pytest.fixture(autouse=True)
    def rate(self, settings: Any) -> None:
        settings.DJSMS_ORIGINATOR_RATE = "1/h"

    def test_counts_each_originator_by_itself(self, database: str, provider: Provider) -> None:
        for frm in (ONE, TWO):
            for number in range(3):
                waits(f"{frm} {number}", frm)
        assert queue.drain() == 2
        assert sorted(texts(provider)) == [f"{ONE} 0", f"{TWO} 0"]

    def test_urgent_texts_of_another_number_go_before_a_backlog(
        self, database: str, provider: Provider
    ) -> None:
        for number in range(50):
            waits(str(number), ONE, priority="bulk")
        waits("urgent", TWO, priority="urgent")
        assert queue.drain() == 2
        assert texts(provider) == ["urgent", "0"]

    def test_urgent_texts_of_the_same_number_go_first(
        self, database: str, provider: Provider
    ) -> None:
        waits("bulk", ONE, priority="bulk")
        waits("urgent", ONE, priority="urgent")
        queue.drain()
        assert texts(provider) == ["urgent"]

    def test_is_waited_for(self, database: str, provider: Provider, settings: Any) -> None:
        settings.DJSMS_ORIGINATOR_RATE = "10/s"
        for number in range(4):
            waits(str(number), ONE)
        assert queue.drain() == 4

    def test_numbers_take_turns(self, database: str, provider: Provider, settings: Any) -> None:
        settings.DJSMS_ORIGINATOR_RATE = "1000/s"
        for text in ("a1", "a2"):
            waits(text, ONE)
        for text in ("b1", "b2"):
            waits(text, TWO)
        queue.drain()
        assert sorted(texts(provider)[:2]) == ["a1", "b1"]
        assert sorted(texts(provider)[2:]) == ["a2", "b2"]

    def test_number_that_had_no_turn_yet_goes_first(
        self, database: str, provider: Provider
    ) -> None:
        waits("old", ONE)
        waits("new", TWO)
        Gate.objects.create(account="default", slot=ONE, turn_on=clock.now())
        queue.drain(limit=1)
        assert texts(provider) == ["new"]

    def test_numbers_of_which_nothing_waits_keep_none_from_its_turn(
        self, database: str, provider: Provider
    ) -> None:
        idle = [f"+4477009002{number:02}" for number in range(claims.SLOTS)]
        Gate.objects.bulk_create(Gate(account="default", slot=slot) for slot in idle)
        Gate.objects.create(account="default", slot=ONE, turn_on=clock.now())
        waits("1", ONE)
        assert queue.drain() == 1

    def test_no_more_are_claimed_than_asked_for_whatever_their_priority(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_ORIGINATOR_RATE = "1000/s"
        for priority in ("urgent", "normal", "bulk"):
            for number in range(3):
                waits(str(number), ONE, priority=priority)
        gates.align("default", by_originator=True)
        claimed, _ = claim_units(gateways.get("default"), "me", 4)
        assert len(claimed.texts) == 4

    def test_number_pays_nothing_for_a_text_that_the_accounts_rate_holds_back(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_RATE = "50 segments/s"
        waits("x" * 3000, ONE)
        waits("short", TWO)
        gates.align("default", by_originator=True)
        Gate.objects.filter(slot=TWO).update(turn_on=clock.now())
        claimed, _ = claim_units(gateways.get("default"), "me", 2)
        assert [text.frm for text in claimed.texts] == [ONE]
        free_at = dict(Gate.objects.exclude(slot="").values_list("slot", "free_at"))
        assert free_at[ONE] > clock.microseconds()
        assert free_at[TWO] <= clock.microseconds()

    def test_text_whose_time_is_over_ends_beside_others_that_go(
        self, database: str, provider: Provider
    ) -> None:
        over = waits("over", ONE)
        TextMessage.objects.update(expires_on=clock.now() - timedelta(minutes=1))
        waits("fresh", TWO)
        assert queue.drain() == 1
        over.refresh_from_db()
        assert over.status is Status.EXPIRED

    def test_texts_whose_originator_the_provider_chooses_are_claimed_once_and_not_limited(
        self, database: str, provider: Provider
    ) -> None:
        for number in range(3):
            waits(str(number))
        TextMessage.objects.update(frm="", slot="")
        claimed, _ = claim_units(gateways.get("default"), "me", 10)
        assert [text.text for text in claimed.texts] == ["0", "1", "2"]
        assert not claimed.has_missed

    def test_many_numbers_all_get_their_turn(self, database: str, provider: Provider) -> None:
        for number in range(45):
            waits(str(number), f"+4477009001{number:02}")
        assert queue.drain() == 45

    def test_added_while_texts_wait_it_holds_for_them(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        del settings.DJSMS_ORIGINATOR_RATE
        for number in range(3):
            waits(str(number), ONE)
        settings.DJSMS_ORIGINATOR_RATE = "1/h"
        gateways.clear()
        assert queue.drain() == 1

    def test_added_while_texts_of_several_numbers_wait_it_touches_nothing_else(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        del settings.DJSMS_ORIGINATOR_RATE
        waits("out", ONE)
        queue.drain()
        waits("1", ONE)
        waits("2", TWO)
        gates.align("default", by_originator=True)
        slots = dict(TextMessage.objects.values_list("text", "slot"))
        assert slots == {"out": "", "1": ONE, "2": TWO}

    def test_texts_whose_originator_the_provider_chooses_are_not_written_again_and_again(
        self, database: str
    ) -> None:
        message = waits()
        TextMessage.objects.filter(pk=message.pk).update(frm="", slot="")
        with CaptureQueriesContext(connections[ledger_database()]) as captured:
            gates.align("default", by_originator=True)
        table = TextMessage._meta.db_table
        updates = [q["sql"] for q in captured if q["sql"].startswith("UPDATE")]
        assert not [sql for sql in updates if table in sql]

    def test_text_that_is_cancelled_is_none_of_its_number_s_any_more(self, database: str) -> None:
        message = waits("1", ONE)
        assert message.slot == ONE
        cancel_texts([message])
        message.refresh_from_db()
        assert (message.status, message.slot) == (Status.CANCELLED, "")

    def test_taken_away_while_texts_wait_it_holds_nobody_up(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        for number in range(3):
            waits(str(number), ONE)
        del settings.DJSMS_ORIGINATOR_RATE
        gateways.clear()
        assert queue.drain() == 3

    def test_text_that_waits_again_is_still_counted(
        self, database: str, provider: Provider, settings: Any
    ) -> None:
        provider.fails(TemporarilyUnavailable("down"))
        message = waits("1", ONE)
        queue.drain()
        message.refresh_from_db()
        assert message.slot == ONE


@pytest.mark.parametrize("error", [AuthenticationFailed, InsufficientFunds])
class TestDenials:
    def test_keep_all_texts_and_close_the_account(
        self, database: str, provider: Provider, error: type[TextMessageError]
    ) -> None:
        provider.fails(error("no"))
        for number in range(10):
            waits(str(number))
        assert queue.drain() == 2
        account = state()
        assert (account.waiting, account.is_open) == (10, False)
        assert account.reason.endswith(f": {error.__name__}.")

    def test_one_text_tries_and_all_go_when_it_is_well_again(
        self, database: str, provider: Provider, error: type[TextMessageError]
    ) -> None:
        provider.fails(error("no"))
        for number in range(10):
            waits(str(number))
        queue.drain()
        let_time_pass()
        assert queue.drain() == 1
        assert not state().is_open
        provider.accepts("1")
        let_time_pass()
        assert queue.drain() == 10
        assert state().is_open

    def test_text_that_is_at_fault_itself_is_refused_while_others_pass(
        self, database: str, provider: Provider, error: type[TextMessageError]
    ) -> None:
        def answer(message: OutgoingText) -> SendResult:
            if message.text == "poison":
                raise error("no")
            return SendResult.accepted("1")

        provider.answer = answer
        poison = waits("poison")
        for number in range(3):
            waits(str(number))
        assert queue.drain() == 4
        poison.refresh_from_db()
        assert poison.status is Status.CREATED
        let_time_pass()
        assert queue.drain() == 1
        poison.refresh_from_db()
        assert (poison.status, poison.error_kind) == (Status.REFUSED, error.__name__)
        assert state().is_open


class TestHangingText:
    def test_among_good_ones_it_closes_nothing(self, database: str, provider: Provider) -> None:
        def answer(message: OutgoingText) -> SendResult:
            if message.text == "hangs":
                raise OutcomeUnknown("timeout")
            return SendResult.accepted("1")

        provider.answer = answer
        for number in range(6):
            waits("hangs")
            waits(str(number))
        assert queue.drain() == 12
        assert state().is_open


class Network:
    """The providers of several accounts, of which some fail; notes who was called, in order."""

    def __init__(self) -> None:
        self.called: list[str] = []
        self.error: TextMessageError = TemporarilyUnavailable("x")
        self.failing: tuple[str, ...] = ()
        self.seconds = 0.0

    def fails(self, error: TextMessageError, *aliases: str) -> None:
        self.error, self.failing = error, aliases


def one_of_many(text: str, frm: str, to: str, **options: Any) -> TextMessage:
    return send_texts([{"text": text, "frm": frm, "to": to, **options}])[0]


def fail() -> None:
    raise ZeroDivisionError


@contextmanager
def at_each_change(work: Callable[[], object]) -> Iterator[None]:
    """Have a receiver do something when it hears of a message that changed."""

    def hear(created: bool, **facts: Any) -> None:
        if not created:
            work()

    post_save.connect(hear, sender=TextMessage)
    try:
        yield
    finally:
        post_save.disconnect(hear, sender=TextMessage)


class NetworkBackend:
    def __init__(self, network: Network, alias: str) -> None:
        self.network = network
        self.alias = alias

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        self.network.called.append(self.alias)
        time.sleep(self.network.seconds)
        if self.alias in self.network.failing:
            raise self.network.error
        return SendResult.accepted("1")


class TestFallback:
    @pytest.fixture(autouse=True)
    def accounts(self, settings: Any) -> None:
        settings.DJSMS_FALLBACK = "second"
        settings.DJSMS_ACCOUNTS = {
            "second": {"BACKEND": "memory", "FALLBACK": "third"},
            "third": {"BACKEND": "memory"},
        }

    @pytest.fixture
    def network(self) -> Iterator[Network]:
        network = Network()
        with gateways.replaced(lambda alias: NetworkBackend(network, alias)):
            yield network

    @pytest.mark.parametrize(
        "error", [TemporarilyUnavailable("x"), AuthenticationFailed("x"), InsufficientFunds("x")]
    )
    def test_takes_over_at_once_what_was_surely_not_taken(
        self, database: str, network: Network, error: TextMessageError
    ) -> None:
        network.fails(error, "default")
        message = waits()
        queue.drain()
        message.refresh_from_db()
        assert network.called == ["default", "second"]
        assert (message.status, message.account, message.attempts) == (Status.SENDING, "second", 2)

    @pytest.mark.parametrize("error", [OutcomeUnknown("x"), Refused("x")])
    def test_takes_nothing_over_that_may_be_out_or_is_wrong(
        self, database: str, network: Network, error: TextMessageError
    ) -> None:
        network.fails(error, "default")
        waits()
        send_text("Hi", "Bistro", ALICE)
        queue.drain()
        assert network.called == ["default", "default"]

    def test_is_followed_once_round(self, database: str, network: Network, settings: Any) -> None:
        settings.DJSMS_ACCOUNTS["third"]["FALLBACK"] = "default"
        network.fails(TemporarilyUnavailable("x"), "default", "second", "third")
        message = waits()
        queue.drain()
        assert network.called == ["default", "second", "third"]
        message.refresh_from_db()
        assert (message.status, message.account) == (Status.CREATED, "third")
        assert message.due_on is not None
        assert message.due_on > clock.now()

    def test_takes_over_from_an_account_that_has_closed(
        self, database: str, network: Network
    ) -> None:
        until = clock.now() + timedelta(minutes=5)
        Gate.objects.create(account="default", closings=1, closed_until=until)
        for number in range(15):
            waits(str(number))
        assert queue.drain() == 15
        assert network.called == ["second"] * 15

    def test_takes_over_at_once_also_from_a_new_originator(
        self, database: str, network: Network, settings: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS["second"]["ORIGINATOR_RATE"] = "1/h"
        network.fails(TemporarilyUnavailable("x"), "default")
        waits()
        queue.drain()
        assert network.called == ["default", "second"]

    @pytest.mark.parametrize("limited", ["default", "second"])
    def test_keeps_its_own_limits_for_what_is_enqueued_again_by_its_key(
        self, database: str, network: Network, settings: Any, limited: str
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"second": {"BACKEND": "memory"}}
        if limited == "default":
            settings.DJSMS_ORIGINATOR_RATE = "1/h"
        else:
            settings.DJSMS_ACCOUNTS["second"]["ORIGINATOR_RATE"] = "1/h"
        network.fails(TemporarilyUnavailable("x"), "default", "second")
        send_text("Hi", ONE, ALICE, key="k")
        message = enqueue_text("Hi", ONE, ALICE, False, key="k")
        assert (message.account, message.slot) == ("second", ONE if limited == "second" else "")

    def test_takes_nothing_from_an_account_that_is_paused(
        self, database: str, network: Network
    ) -> None:
        queue.pause("default")
        waits()
        queue.drain()
        assert network.called == []

    @pytest.mark.parametrize(
        "error", [TemporarilyUnavailable("x"), AuthenticationFailed("x"), InsufficientFunds("x")]
    )
    def test_takes_over_what_send_text_could_not_send(
        self, database: str, network: Network, error: TextMessageError
    ) -> None:
        network.fails(error, "default")
        message = send_text("Hi", "Bistro", ALICE)
        message.refresh_from_db()
        assert network.called == ["default", "second"]
        assert (message.status, message.account, message.attempts) == (Status.SENDING, "second", 2)
        assert (message.error_kind, message.backend) == ("", "memory")
        assert [event.source for event in message.events.order_by("pk")] == ["attempt", "answer"]

    @pytest.mark.parametrize("frm", [None, "Bistro"])
    def test_sends_under_its_own_originator_in_the_place_of_the_others_own(
        self, database: str, network: Network, settings: Any, frm: str | None
    ) -> None:
        settings.DJSMS_FROM = "Bistro"
        settings.DJSMS_ACCOUNTS["second"]["FROM"] = "Cantina"
        network.fails(TemporarilyUnavailable("x"), "default")
        assert send_text("Hi", frm, ALICE, key="1").frm == "Cantina"
        again = send_text("Hi", frm, ALICE, key="1")
        assert (again.frm, again.error_kind) == ("Cantina", "")

    def test_that_has_none_does_not_hand_the_others_own_on(
        self, database: str, network: Network, settings: Any
    ) -> None:
        settings.DJSMS_FROM = "Bistro"
        settings.DJSMS_ACCOUNTS["third"]["FROM"] = "Cantina"
        network.fails(TemporarilyUnavailable("x"), "default", "second")
        message = send_text("Hi", None, ALICE)
        assert (message.account, message.frm) == ("third", "Cantina")

    def test_takes_over_what_is_sent_again(self, database: str, network: Network) -> None:
        old = send_text("Hi", "Bistro", ALICE)
        network.called.clear()
        network.fails(TemporarilyUnavailable("x"), "default")
        new = resend_text(old)
        assert (new.account, new.status) == ("second", Status.SENDING)
        assert network.called == ["default", "second"]

    def test_keeps_an_originator_that_the_caller_chose(
        self, database: str, network: Network, settings: Any
    ) -> None:
        settings.DJSMS_FROM = "Bistro"
        settings.DJSMS_ACCOUNTS["second"]["FROM"] = "Cantina"
        network.fails(TemporarilyUnavailable("x"), "default")
        assert send_text("Hi", "Tonight", ALICE).frm == "Tonight"

    def test_that_fails_as_well_leaves_the_last_error(
        self, database: str, network: Network
    ) -> None:
        network.fails(InsufficientFunds("x"), "default", "second", "third")
        message = send_text("Hi", "Bistro", ALICE)
        assert network.called == ["default", "second", "third"]
        assert (message.status, message.error_kind) == (Status.REFUSED, "InsufficientFunds")
        with pytest.raises(InsufficientFunds):
            send_text("Hi", "Bistro", ALICE, fail_silently=False)

    def test_takes_over_for_many(self, database: str, network: Network) -> None:
        network.fails(TemporarilyUnavailable("x"), "default")
        messages = send_texts([("a", "Bistro", ALICE), ("b", "Bistro", ALICE)])
        assert [message.account for message in messages] == ["second", "second"]
        assert {message.status for message in messages} == {Status.SENDING}

    def test_takes_over_for_asynchronous_code(self, database: str, network: Network) -> None:
        network.fails(TemporarilyUnavailable("x"), "default")
        message = async_to_sync(asend_text)("Hi", "Bistro", ALICE)
        assert (message.status, message.account) == (Status.SENDING, "second")

    @pytest.mark.parametrize("send", [send_text, async_to_sync(asend_text), one_of_many])
    def test_leaves_no_moment_in_which_the_same_key_sends(
        self, database: str, network: Network, send: Callable[..., TextMessage]
    ) -> None:
        network.fails(TemporarilyUnavailable("x"), "default")
        with at_each_change(lambda: send_text("Hi", "Bistro", ALICE, key="1")):
            message = send("Hi", "Bistro", ALICE, key="1")
        message.refresh_from_db()
        assert network.called == ["default", "second"]
        assert (message.status, message.attempts) == (Status.SENDING, 2)

    @pytest.mark.parametrize("send", [send_text, async_to_sync(asend_text), one_of_many])
    def test_is_not_called_if_a_receiver_fails_and_the_key_still_sends(
        self, database: str, network: Network, send: Callable[..., TextMessage]
    ) -> None:
        network.fails(TemporarilyUnavailable("x"), "default")
        with at_each_change(fail), pytest.raises(ZeroDivisionError):
            send("Hi", "Bistro", ALICE, key="1")
        assert network.called == ["default"]
        message = TextMessage.objects.get()
        assert (message.status, message.attempted_on, message.attempts) == ("created", None, 1)
        assert send("Hi", "Bistro", ALICE, key="1").status is Status.SENDING
        assert network.called == ["default", "second"]

    def test_is_not_called_for_a_text_that_has_expired_meanwhile(
        self, database: str, network: Network
    ) -> None:
        network.fails(TemporarilyUnavailable("x"), "default")
        network.seconds = 0.3
        message = send_text("Hi", "Bistro", ALICE, expires=timedelta(seconds=0.2))
        assert network.called == ["default"]
        assert message.status is Status.FAILED

    def test_sends_what_was_handed_over_while_it_was_claimed(
        self, database: str, network: Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = waits()
        oldest_due = queued.oldest_due

        def handed_over(alias: str, *args: Any) -> list[TextMessage]:
            found = oldest_due(alias, *args)
            if alias == "default":
                hand_over(message, "second")
            return found

        monkeypatch.setattr(queued, "oldest_due", handed_over)
        queue.drain()
        assert network.called == ["second"]
