"""What enqueue_text and enqueue_texts take, store and refuse."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db.models.signals import post_save
from scripted import Provider

from djsms import Status, enqueue_text, enqueue_texts, queue, send_text
from djsms.exceptions import (
    InvalidMessage,
    InvalidNumber,
    InvalidOptions,
    KeyReused,
    TemporarilyUnavailable,
)
from djsms.ledger import clock
from djsms.models import TextMessage
from djsms.waiting.leaving import change_idle

pytestmark = pytest.mark.django_db(databases="__all__")

ALICE = "+447700900123"
NAIVE = datetime(2099, 1, 1)  # noqa: DTZ001
DAY = {"day": {"FROM": time(8), "TO": time(21), "ZONE": "Europe/London"}}


def waits(text: str = "Hi", **fields: Any) -> TextMessage:
    return enqueue_text(text, "Bistro", ALICE, **{"fail_silently": False, **fields})


def life(message: TextMessage) -> timedelta:
    assert message.due_on is not None
    assert message.expires_on is not None
    return message.expires_on - message.due_on


class TestTimes:
    @pytest.mark.parametrize(
        ("priority", "lifetime"),
        [
            ("urgent", timedelta(minutes=10)),
            ("normal", timedelta(hours=4)),
            ("bulk", timedelta(hours=24)),
        ],
    )
    def test_priority_decides_how_long_a_text_is_worth_anything(
        self, priority: str, lifetime: timedelta
    ) -> None:
        assert life(waits(priority=priority)) == lifetime

    def test_account_may_decide_it(self, settings: Any) -> None:
        settings.DJSMS_LIFETIME = timedelta(hours=2)
        assert life(waits()) == timedelta(hours=2)

    def test_caller_may_decide_it(self) -> None:
        assert life(waits(expires=timedelta(minutes=5))) == timedelta(minutes=5)

    def test_life_begins_when_it_may_go(self) -> None:
        message = waits(run_after=timedelta(days=3), expires=timedelta(hours=1))
        assert message.due_on is not None
        assert message.due_on - clock.now() > timedelta(days=2)
        assert life(message) == timedelta(hours=1)

    def test_moments_are_kept_as_they_are_given(self) -> None:
        run_after = datetime(2099, 1, 15, 12, tzinfo=ZoneInfo("Europe/Paris"))
        expires = datetime(2099, 1, 15, 12, 30, tzinfo=UTC)
        message = waits(run_after=run_after, expires=expires)
        message.refresh_from_db()
        assert (message.due_on, message.expires_on) == (run_after, expires)

    def test_moment_that_has_passed_is_now(self) -> None:
        message = waits(run_after=datetime(2020, 1, 1, tzinfo=UTC))
        assert message.due_on is not None
        assert clock.now() - message.due_on < timedelta(minutes=1)

    def test_due_time_is_the_databases_clock(self, database: str) -> None:
        before = clock.now()
        message = waits()
        assert message.due_on is not None
        assert before <= message.due_on <= clock.now()


class TestWindows:
    @pytest.fixture(autouse=True)
    def windows(self, settings: Any) -> None:
        settings.DJSMS_WINDOWS = DAY

    def hour(self, message: TextMessage, zone: str) -> int:
        assert message.due_on is not None
        return message.due_on.astimezone(ZoneInfo(zone)).hour

    NIGHT = datetime(2099, 1, 15, 3, tzinfo=UTC)

    def test_text_is_due_when_its_window_opens(self) -> None:
        message = waits(run_after=self.NIGHT, window="day")
        assert message.due_on == datetime(2099, 1, 15, 8, tzinfo=UTC)
        assert life(message) == timedelta(hours=4)

    def test_zone_of_the_recipient_decides(self) -> None:
        message = waits(run_after=self.NIGHT, window="day", zone="America/New_York")
        assert self.hour(message, "America/New_York") == 8

    def test_zone_may_be_an_object(self) -> None:
        message = waits(run_after=self.NIGHT, window="day", zone=ZoneInfo("Asia/Tokyo"))
        assert message.zone == "Asia/Tokyo"

    def test_zone_of_the_number_decides_where_none_is_given(self) -> None:
        message = enqueue_text("Hi", "Bistro", "+12125550123", run_after=self.NIGHT, window="day")
        assert self.hour(message, "America/New_York") == 8

    def test_urgent_text_goes_at_any_hour(self) -> None:
        message = waits(run_after=self.NIGHT, window="day", priority="urgent")
        assert message.due_on == self.NIGHT

    def test_window_that_has_closed_meanwhile_is_waited_for(self, provider: Provider) -> None:
        message = waits()
        shut = {"FROM": time(1), "TO": time(1, 1), "ZONE": "Europe/London", "DAYS": "mon"}
        TextMessage.objects.update(window="shut")
        from django.conf import settings

        settings.DJSMS_WINDOWS["shut"] = shut
        assert queue.drain() == 0
        message.refresh_from_db()
        assert message.due_on is not None
        assert message.due_on > clock.now()

    def test_window_that_the_settings_lost_keeps_the_text(self, provider: Provider) -> None:
        message = waits(window="day", run_after=self.NIGHT)
        TextMessage.objects.update(
            window="lost", due_on=clock.now(), expires_on=clock.now() + timedelta(days=1)
        )
        assert queue.drain() == 0
        message.refresh_from_db()
        assert message.status is Status.CREATED
        assert message.due_on is not None

    def test_provider_is_told_that_it_is_over_when_the_window_closes(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_WINDOWS = {
            "always": {"FROM": time(0), "TO": time(0), "ZONE": "UTC"},
        }
        waits(window="always", expires=timedelta(days=300))
        queue.drain()
        [sent] = provider.sent
        assert sent.expires_on is not None
        assert sent.expires_on < clock.now() + timedelta(days=30)


class TestWrongArguments:
    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"expires": datetime(2020, 1, 1, tzinfo=UTC)}, "expires is in the past"),
            ({"expires": timedelta(0)}, "expires is in the past"),
            ({"expires": timedelta(-1)}, "expires is in the past"),
            (
                {"expires": datetime(2098, 1, 1, tzinfo=UTC), "run_after": timedelta(days=36500)},
                "expires is not after run_after",
            ),
            ({"run_after": timedelta.max}, "too far in the future"),
            ({"expires": timedelta.max}, "too far in the future"),
        ],
        ids=repr,
    )
    def test_value_that_is_wrong_refuses_the_text(
        self, fields: dict[str, Any], problem: str
    ) -> None:
        with pytest.raises(InvalidMessage, match=problem):
            waits(**fields)
        assert not TextMessage.objects.exists()
        message = waits(**fields, fail_silently=True)
        assert (message.status, message.due_on) == (Status.REFUSED, None)
        assert message.error_kind == "InvalidMessage"

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"run_after": NAIVE}, "run_after .* has no time zone"),
            (
                {"expires": NAIVE},
                r"no time zone. Begin with datetime.now\(UTC\), .* or say .* timedelta\(hours=2\)",
            ),
            ({"run_after": 60}, "run_after must be an aware datetime or a timedelta, not int"),
            ({"expires": "1h"}, "expires must be an aware datetime or a timedelta, not str"),
            ({"priority": 1}, "priority must be a text, not int"),
            ({"window": 1}, "window must be a text, not int"),
            ({"zone": 1}, "zone must be a text, not int"),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("fail_silently", [True, False])
    def test_value_of_a_wrong_type_is_a_type_error(
        self, fields: dict[str, Any], problem: str, fail_silently: bool
    ) -> None:
        with pytest.raises(TypeError, match=problem):
            waits(**fields, fail_silently=fail_silently)

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"priority": "high"}, "one of 'urgent', 'normal', 'bulk', not 'high'"),
            ({"zone": "Paris", "window": "day"}, "Did you mean 'Europe/Paris'?"),
            ({"zone": "new york", "window": "day"}, "Did you mean 'America/New_York'?"),
            ({"zone": "CEST", "window": "day"}, "such as 'Europe/London', not 'CEST'.$"),
            ({"zone": "Europe/Paris"}, "there is no window: name one of DJSMS_WINDOWS"),
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("fail_silently", [True, False])
    def test_value_that_there_is_not_is_a_value_error(
        self, settings: Any, fields: dict[str, Any], problem: str, fail_silently: bool
    ) -> None:
        settings.DJSMS_WINDOWS = DAY
        with pytest.raises(ValueError, match=problem) as raised:
            waits(**fields, fail_silently=fail_silently)
        assert not isinstance(raised.value, InvalidMessage)
        assert not TextMessage.objects.exists()

    def test_slip_is_told_before_what_is_wrong_with_the_number(self) -> None:
        with pytest.raises(ValueError, match="priority must be one of"):
            enqueue_text("Hi", "Bistro", "12", priority="high")
        with pytest.raises(InvalidOptions, match="no window 'night'"):
            enqueue_text("Hi", "Bistro", "12", window="night")

    def test_zone_that_is_not_known_may_be_empty(self) -> None:
        assert waits(zone="").zone == ""

    def test_unknown_window_is_an_error_of_the_settings(self, settings: Any) -> None:
        settings.DJSMS_WINDOWS = DAY
        with pytest.raises(InvalidOptions, match=r"no window 'night' .*known: 'day'"):
            waits(window="night", fail_silently=True)

    def test_text_that_expires_before_its_window_opens_is_refused(self, settings: Any) -> None:
        settings.DJSMS_WINDOWS = DAY
        night = datetime(2099, 1, 15, 3, tzinfo=UTC)
        with pytest.raises(InvalidMessage, match="before the window opens, at 2099-01-15 08:00"):
            waits(window="day", run_after=night, expires=night + timedelta(hours=1))

    def test_wrong_number_is_a_refused_row(self) -> None:
        message = enqueue_text("Hi", "Bistro", "12")
        assert (message.status, message.due_on) == (Status.REFUSED, None)
        with pytest.raises(InvalidNumber):
            enqueue_text("Hi", "Bistro", "12", fail_silently=False)


class TestKeys:
    def test_second_text_with_a_key_is_the_first(self, database: str, provider: Provider) -> None:
        first, second = waits(key="k"), waits(key="k")
        assert first.pk == second.pk
        assert queue.drain() == 1

    def test_what_is_refused_for_its_key_does_not_wait(self, database: str) -> None:
        waits(key="k")
        refused = waits("another", key="k", fail_silently=True)
        refused.refresh_from_db()
        assert (refused.due_on, refused.slot) == (None, "")
        assert queue.state().accounts[0].waiting == 1

    def test_nor_does_it_count_among_many(self, database: str) -> None:
        assert (
            enqueue_texts(
                {"text": text, "frm": "Bistro", "to": ALICE, "key": "k"}
                for text in ("Hi", "another")
            )
            == 1
        )

    def test_another_text_with_the_key_is_refused(self, database: str) -> None:
        waits(key="k")
        with pytest.raises(KeyReused):
            waits("another", key="k")
        message = waits("another", key="k", fail_silently=True)
        assert (message.status, message.error_kind) == (Status.REFUSED, "KeyReused")

    def test_text_that_waits_is_sent_now_by_send_text(
        self, database: str, provider: Provider
    ) -> None:
        message = waits(key="k", run_after=timedelta(hours=1))
        sent = send_text("Hi", "Bistro", ALICE, key="k")
        assert (sent.pk, sent.status) == (message.pk, Status.SENDING)
        assert queue.drain() == 0
        message.refresh_from_db()
        assert message.due_on is None

    def test_text_that_surely_did_not_go_out_waits_again(
        self, database: str, provider: Provider
    ) -> None:
        provider.fails(TemporarilyUnavailable("down"))
        failed = send_text("Hi", "Bistro", ALICE, key="k")
        assert failed.status is Status.FAILED
        message = waits(key="k", priority="urgent")
        assert (message.pk, message.status) == (failed.pk, Status.CREATED)
        provider.accepts("1")
        assert queue.drain() == 1
        message.refresh_from_db()
        assert (message.status, message.lane, message.attempts) == (Status.SENDING, 0, 2)

    def test_text_whose_turn_never_came_waits_now(self, database: str, provider: Provider) -> None:
        never = TextMessage.objects.create(text="Hi", frm="Bistro", to=ALICE, key="k")
        message = waits(key="k", priority="urgent")
        assert (message.pk, message.lane) == (never.pk, 0)
        assert queue.drain() == 1

    def test_text_that_waits_since_it_was_read_is_left_as_it_is(self, database: str) -> None:
        never = TextMessage.objects.create(text="Hi", frm="Bistro", to=ALICE, key="k")
        message = waits(key="k", run_after=timedelta(hours=1))
        assert not change_idle(never, due_on=clock.stored(clock.now()))
        due_on = message.due_on
        message.refresh_from_db()
        assert message.due_on == due_on

    def test_text_that_is_out_does_not_wait_again(self, database: str, provider: Provider) -> None:
        send_text("Hi", "Bistro", ALICE, key="k")
        assert waits(key="k").status is Status.SENDING
        assert queue.drain() == 0


class TestMany:
    def test_all_wait(self, database: str) -> None:
        assert enqueue_texts([(f"Text {n}", "Bistro", ALICE) for n in range(1200)]) == 1200
        assert TextMessage.objects.filter(due_on__isnull=False, lane=2).count() == 1200

    def test_what_is_refused_is_a_row_too(self, database: str) -> None:
        count = enqueue_texts(
            [("a", "Bistro", ALICE), ("b", "Bistro", "12"), ("", "Bistro", ALICE)]
        )
        assert count == 1
        assert TextMessage.objects.filter(status=Status.REFUSED).count() == 2

    def test_each_may_have_arguments_of_its_own(self) -> None:
        to = {"frm": "Bistro", "to": ALICE}
        enqueue_texts(
            [{"text": "a", **to, "priority": "urgent"}, {"text": "b", **to}], priority="normal"
        )
        assert dict(TextMessage.objects.values_list("text", "lane")) == {"a": 0, "b": 1}

    def test_they_are_read_lazily(self) -> None:
        stored = []

        def messages() -> Iterator[tuple[str, str, str]]:
            for number in range(1001):
                if number % 500 == 0:
                    stored.append(TextMessage.objects.count())
                yield f"Text {number}", "Bistro", ALICE

        enqueue_texts(messages())
        assert stored == [0, 500, 1000]

    def test_a_key_makes_one_row(self, database: str, provider: Provider) -> None:
        messages = [{"text": "Hi", "frm": "Bistro", "to": ALICE, "key": "k"}] * 2
        assert enqueue_texts(messages) == 2
        assert enqueue_texts(messages) == 2
        assert TextMessage.objects.count() == 1

    def test_receivers_are_told_of_each(self, database: str) -> None:
        told = []

        def hear(instance: TextMessage, created: bool, **kwargs: Any) -> None:
            told.append((instance.text, created, instance.pk is not None))

        post_save.connect(hear, sender=TextMessage)
        try:
            enqueue_texts([("a", "Bistro", ALICE), ("b", "Bistro", ALICE)])
        finally:
            post_save.disconnect(hear, sender=TextMessage)
        assert told == [("a", True, True), ("b", True, True)]

    def test_slip_is_told_with_its_place_and_what_came_before_is_stored(self) -> None:
        messages: list[Any] = [("a", "Bistro", ALICE)] * 500 + [("b", "Bistro")]
        with pytest.raises(TypeError, match="The message at index 500"):
            enqueue_texts(messages)
        assert TextMessage.objects.count() == 500

    def test_value_that_there_is_not_is_told_with_its_place_and_nothing_of_its_lot_is_stored(
        self,
    ) -> None:
        first = ("a", "Bistro", ALICE)
        second = {"text": "b", "frm": "Bistro", "to": ALICE, "priority": "high"}
        with pytest.raises(ValueError, match="The message at index 1: priority must be one of"):
            enqueue_texts([first, second])
        with pytest.raises(ValueError, match="The message at index 0: priority must be one of"):
            enqueue_texts([first], priority="high")
        assert not TextMessage.objects.exists()

    def test_there_may_be_none(self) -> None:
        assert enqueue_texts([]) == 0
