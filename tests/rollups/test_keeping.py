"""The sums of each hour are true after each run, also if reports come late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone
from scripted import Provider

from djsms import Status, cancel_text, enqueue_text, send_text
from djsms.ledger import clock, erasure
from djsms.models import HourlyRollup, StatusEvent, TextMessage
from djsms.rollups import keeping
from djsms.rollups.counting import HOUR, count_hour
from djsms.rollups.figures import Figures
from djsms.rollups.keeping import keep_if_few, keep_rollups
from djsms.rollups.periods import PERIODS, overview

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

TO = "+447700900123"
NOW = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)

SetTo = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> SetTo:
    """Return a function that sets the clock by which hours are chosen."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_to


def made(moment: datetime, **fields: Any) -> TextMessage:
    stored = clock.stored(moment)
    values = {"frm": "Acme", "to": TO, "attempted_on": stored, "status": Status.SENT}
    return TextMessage.objects.create(
        **values | {"created_on": stored, "updated_on": stored} | fields
    )


def delivered(message: TextMessage, moment: datetime) -> None:
    TextMessage.objects.filter(pk=message.pk).update(
        status=Status.DELIVERED, updated_on=clock.stored(moment)
    )
    StatusEvent.objects.create(
        message=message,
        source="report",
        account=message.account,
        status=Status.DELIVERED,
        fingerprint=message.ref,
        created_on=clock.stored(moment),
    )


def sums() -> tuple[int, int]:
    """How many the stored sums say were sent, and delivered."""
    total = overview(PERIODS["month"]).total
    return total.called, total.delivered


def test_a_text_and_its_report_count(provider: Provider) -> None:
    message = send_text("Hello", "Acme", TO)
    keep_rollups()
    assert sums() == (1, 0)
    provider.reports(ref=message.ref, status="delivered")
    keep_rollups()
    assert sums() == (1, 1)


@pytest.mark.parametrize("late", [timedelta(hours=3), timedelta(days=6), timedelta(days=29)])
def test_a_report_that_comes_late_changes_the_hour_of_its_text(at: SetTo, late: timedelta) -> None:
    message = made(NOW)
    at(NOW)
    keep_rollups()
    at(NOW + late - timedelta(minutes=1))
    keep_rollups()
    delivered(message, NOW + late)
    at(NOW + late + timedelta(minutes=1))
    keep_rollups()
    assert sums() == (1, 1)
    changed = HourlyRollup.objects.get(hour=clock.stored(clock.hour_of(NOW)))
    assert changed.figures["default"]["statuses"] == {"delivered": 1}


def test_hours_that_are_not_counted_any_more_lose_the_providers_words(at: SetTo) -> None:
    codes = {"error_code": "9", "error_text": "No lobster"}
    for hours in range(3):
        made(NOW - timedelta(hours=hours), status=Status.FAILED, **codes)
    made(NOW - timedelta(hours=2), status=Status.FAILED, **codes | {"error_text": "No crab"})
    made(NOW + timedelta(days=1), status=Status.FAILED, **codes)
    at(NOW + timedelta(days=1))
    keep_rollups()
    at(NOW + timedelta(days=30, hours=2))
    keep_rollups()
    failures = [
        rollup.figures["default"]["failures"]
        for rollup in HourlyRollup.objects.order_by("hour")
        if rollup.figures
    ]
    bare, whole = [["failed", "9", "", 1]], [["failed", "9", "No lobster", 1]]
    assert failures == [[["failed", "9", "", 2]], bare, bare, whole]


def test_what_is_erased_while_it_is_counted_is_counted_once_more(
    at: SetTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = made(NOW, status=Status.FAILED, error_code="9", error_text="No lobster")

    def erase_meanwhile(hour: datetime) -> dict[str, Figures]:
        found = count_hour(hour)
        erasure.erase([message.pk])
        return found

    at(NOW)
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "count_hour", erase_meanwhile)
        keep_rollups()
    keep_rollups()
    assert "lobster" not in str(list(HourlyRollup.objects.values_list("figures", flat=True)))
    assert overview(PERIODS["month"]).total.failed == 1


def test_what_took_long_to_be_committed_counts(at: SetTo) -> None:
    message = made(NOW)
    at(NOW + timedelta(hours=2))
    keep_rollups()
    # It was said before the last run, and is seen only now.
    delivered(message, NOW + timedelta(hours=2) - timedelta(minutes=4))
    at(NOW + timedelta(hours=2, minutes=1))
    keep_rollups()
    assert sums() == (1, 1)


def test_what_is_cancelled_counts(at: SetTo, provider: Provider) -> None:
    at(timezone.now())
    message = enqueue_text("Hello", "Acme", TO, run_after=timedelta(hours=5))
    long_ago = clock.stored(timezone.now() - timedelta(hours=3))
    TextMessage.objects.filter(pk=message.pk).update(created_on=long_ago)
    keep_rollups()
    assert overview(PERIODS["day"]).total.waiting == 1
    cancel_text(message)
    at(timezone.now() + timedelta(minutes=1))
    keep_rollups()
    total = overview(PERIODS["day"]).total
    assert (total.waiting, total.statuses["cancelled"]) == (0, 1)


def test_what_was_there_before_the_first_run_counts(at: SetTo) -> None:
    for days in (0, 3, 29, 31):
        made(NOW - timedelta(days=days))
    at(NOW)
    keep_rollups()
    assert sums() == (3, 0)


def test_hours_that_nothing_ran_in_count_the_next_time(at: SetTo) -> None:
    at(NOW - timedelta(days=2))
    keep_rollups()
    made(NOW - timedelta(days=1))
    at(NOW)
    keep_rollups()
    assert sums() == (1, 0)


def test_a_second_run_changes_nothing(at: SetTo) -> None:
    made(NOW)
    at(NOW)
    assert keep_rollups() == 1
    assert keep_rollups() == 0


def test_an_old_hour_is_not_counted_without_a_reason(at: SetTo) -> None:
    made(NOW)
    at(NOW)
    keep_rollups()
    for hours in (2, 5):
        at(NOW + timedelta(hours=hours))
        keep_rollups()
    counted_on = HourlyRollup.objects.get(hour=clock.stored(clock.hour_of(NOW))).counted_on
    assert clock.aware(counted_on) == NOW + timedelta(hours=2)


def test_what_is_left_when_the_time_is_over_has_its_turn_later(
    at: SetTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hours in range(4):
        made(NOW - timedelta(hours=hours))
    at(NOW)
    ticking = SimpleNamespace(monotonic=partial(next, iter(range(100))))
    monkeypatch.setattr(keeping, "time", ticking)
    keep_rollups(seconds=2)
    assert 0 < overview(PERIODS["day"]).stale < 4
    for minute in (1, 2, 3):
        at(NOW + timedelta(minutes=minute))
        keep_rollups(seconds=2)
    assert overview(PERIODS["day"]).stale == 0
    assert sums() == (4, 0)


def test_an_hour_of_very_many_is_counted_anew_only_so_often(at: SetTo) -> None:
    made(NOW)
    at(NOW)
    keep_rollups()
    HourlyRollup.objects.filter(hour=clock.stored(clock.hour_of(NOW))).update(texts=240_000)
    made(NOW)
    at(NOW + timedelta(seconds=60))
    keep_rollups()
    assert sums() == (1, 0)
    assert overview(PERIODS["day"]).stale == 1
    at(NOW + timedelta(seconds=121))
    keep_rollups()
    assert sums() == (2, 0)


def test_without_time_zones(at: SetTo, settings: Any) -> None:
    settings.USE_TZ = False
    settings.TIME_ZONE = "Asia/Kolkata"
    message = made(NOW)
    at(NOW + timedelta(hours=2))
    keep_rollups()
    delivered(message, NOW + timedelta(hours=2, minutes=1))
    at(NOW + timedelta(hours=2, minutes=2))
    keep_rollups()
    assert sums() == (1, 1)


class TestAPageThatCounts:
    def test_does_so_where_there_are_few(self, at: SetTo) -> None:
        made(NOW)
        at(NOW)
        keep_if_few()
        assert sums() == (1, 0)

    def test_does_not_where_there_are_many(
        self, at: SetTo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeping, "FEW", 2)
        for _ in range(3):
            made(NOW)
        at(NOW)
        keep_if_few()
        assert not HourlyRollup.objects.exists()

    def test_does_not_twice_in_a_minute(self, at: SetTo) -> None:
        at(NOW)
        keep_if_few()
        made(NOW)
        at(NOW + timedelta(seconds=59))
        keep_if_few()
        assert sums() == (0, 0)
        at(NOW + timedelta(seconds=61))
        keep_if_few()
        assert sums() == (1, 0)


class TestAPeriod:
    @pytest.mark.parametrize(("name", "count"), [("day", 24), ("week", 28), ("month", 30)])
    def test_has_its_slices_the_oldest_first(self, at: SetTo, name: str, count: int) -> None:
        at(NOW)
        starts = [part.start for part in overview(PERIODS[name]).slices]
        assert len(starts) == count
        assert starts == sorted(starts)
        assert starts[-1] <= NOW < starts[-1] + HOUR * PERIODS[name].slice_hours

    def test_each_text_is_in_one_slice(self, at: SetTo) -> None:
        for hours in range(0, 24 * 7, 3):
            made(NOW - timedelta(hours=hours))
        at(NOW)
        keep_rollups()
        for name in ("day", "week"):
            found = overview(PERIODS[name])
            assert sum(part.figures.called for part in found.slices) == found.total.called
        assert overview(PERIODS["day"]).total.called == 8

    def test_days_are_those_of_the_place(self, at: SetTo) -> None:
        with timezone.override("America/New_York"):
            # the evening of the nineteenth there
            made(datetime(2026, 11, 20, 3, tzinfo=UTC))
            at(NOW)
            keep_rollups()
            slices = overview(PERIODS["month"]).slices
            [day] = [part for part in slices if part.figures.called]
            assert timezone.localtime(day.start).day == 19

    def test_can_be_that_of_one_account(self, at: SetTo) -> None:
        made(NOW)
        made(NOW, account="alerts")
        at(NOW)
        keep_rollups()
        found = overview(PERIODS["day"], "alerts")
        assert found.total.called == 1
        assert sorted(found.accounts) == ["alerts", "default"]
