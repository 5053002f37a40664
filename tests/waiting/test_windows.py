"""When a window is open, in every zone that a number may lie in."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from djsms.conf import Window
from djsms.waiting.windows import opening, zones_of

LONDON, PARIS, NEW_YORK = map(ZoneInfo, ["Europe/London", "Europe/Paris", "America/New_York"])


def window(
    opens: str = "08:00", closes: str = "21:00", days: str = "0123456", zone: ZoneInfo = LONDON
) -> Window:
    return Window(
        name="day",
        opens=time.fromisoformat(opens),
        closes=time.fromisoformat(closes),
        days=frozenset(map(int, days)),
        zone=zone,
    )


def utc(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=UTC)


def interval(when: Window, zones: list[ZoneInfo], after: str) -> tuple[str, str]:
    opens, closes = opening(when, zones, utc(after))
    return f"{opens:%Y-%m-%d %H:%M}", f"{closes:%Y-%m-%d %H:%M}"


# January 15th 2026 is a Thursday.


def test_that_is_open_opens_at_once() -> None:
    assert interval(window(), [LONDON], "2026-01-15 12:00") == (
        "2026-01-15 12:00",
        "2026-01-15 21:00",
    )


def test_that_is_not_open_yet_opens_later_today() -> None:
    assert interval(window(), [LONDON], "2026-01-15 07:59")[0] == "2026-01-15 08:00"


def test_that_has_closed_opens_tomorrow() -> None:
    assert interval(window(), [LONDON], "2026-01-15 21:00")[0] == "2026-01-16 08:00"


def test_keeps_the_days_of_the_week() -> None:
    weekdays = window(days="01234")
    assert interval(weekdays, [LONDON], "2026-01-16 22:00")[0] == "2026-01-19 08:00"


def test_of_one_day_a_week_opens_within_it() -> None:
    assert interval(window(days="3"), [LONDON], "2026-01-15 21:30")[0] == "2026-01-22 08:00"


def test_over_midnight_belongs_to_the_day_it_opens_on() -> None:
    friday_night = window("22:00", "06:00", days="4")
    assert interval(friday_night, [LONDON], "2026-01-17 01:00") == (
        "2026-01-17 01:00",
        "2026-01-17 06:00",
    )
    assert interval(friday_night, [LONDON], "2026-01-16 01:00")[0] == "2026-01-16 22:00"


def test_that_never_closes_has_no_end_at_midnight() -> None:
    always = window("00:00", "00:00")
    opens, closes = opening(always, [LONDON], utc("2026-01-15 23:59"))
    assert opens == utc("2026-01-15 23:59")
    assert closes > utc("2026-01-22 00:00")


def test_is_that_of_the_recipients_wall_clock() -> None:
    assert interval(window(), [NEW_YORK], "2026-01-15 12:00")[0] == "2026-01-15 13:00"


def test_must_be_open_in_all_zones() -> None:
    assert interval(window(), [LONDON, PARIS, NEW_YORK], "2026-01-15 06:00") == (
        "2026-01-15 13:00",
        "2026-01-15 20:00",
    )


def test_that_is_never_open_in_all_zones_is_that_of_its_own() -> None:
    far = [ZoneInfo("Pacific/Auckland"), ZoneInfo("Pacific/Honolulu"), LONDON]
    assert interval(window("09:00", "12:00"), far, "2026-01-15 06:00")[0] == "2026-01-15 09:00"


def test_is_that_of_its_own_zone_where_none_is_known() -> None:
    assert interval(window(zone=PARIS), [], "2026-01-15 06:00")[0] == "2026-01-15 07:00"


class TestWhenClocksGoForward:
    """In London on 2026-03-29 01:00 UTC; the wall clock has no time from 01:00 to 02:00."""

    def test_window_that_opens_in_the_gap_opens_after_it(self) -> None:
        assert interval(window("01:30", "05:00"), [LONDON], "2026-03-29 00:00")[0] == (
            "2026-03-29 01:30"  # 02:30 by the wall clock
        )

    def test_window_that_closes_in_the_gap_closes_before_it(self) -> None:
        assert interval(window("00:00", "01:30"), [LONDON], "2026-03-29 00:00")[1] == (
            "2026-03-29 00:30"
        )

    def test_window_that_lies_in_the_gap_does_not_open_that_day(self) -> None:
        assert interval(window("01:15", "01:45"), [LONDON], "2026-03-29 00:00")[0] == (
            "2026-03-30 00:15"
        )

    def test_window_of_that_one_day_opens_a_week_later(self) -> None:
        sundays = window("01:15", "01:45", days="6")
        assert interval(sundays, [LONDON], "2026-03-28 12:00")[0] == "2026-04-05 00:15"


class TestWhenClocksGoBack:
    """In London on 2026-10-25 01:00 UTC; the wall clock has 01:00 to 02:00 twice."""

    def test_window_opens_at_the_later_of_two_such_times(self) -> None:
        assert interval(window("01:30", "05:00"), [LONDON], "2026-10-25 00:00")[0] == (
            "2026-10-25 01:30"
        )

    def test_window_closes_at_the_earlier_of_two_such_times(self) -> None:
        assert interval(window("00:00", "01:30"), [LONDON], "2026-10-25 00:00")[1] == (
            "2026-10-25 00:30"
        )


class TestZonesOfNumbers:
    def test_fixed_line_has_one(self) -> None:
        assert zones_of("+12125550123") == (NEW_YORK,)

    @pytest.mark.parametrize(("number", "least"), [("+79161234567", 11), ("+18005550123", 20)])
    def test_number_may_lie_in_many(self, number: str, least: int) -> None:
        assert len(zones_of(number)) >= least

    @pytest.mark.parametrize("number", ["+447700900123", "12345", "Acme", ""])
    def test_number_that_nothing_is_known_of_has_none(self, number: str) -> None:
        assert zones_of(number) == ()

    def test_number_of_many_zones_gets_the_hours_that_all_have(self) -> None:
        opens, closes = opening(window(), zones_of("+79161234567"), utc("2026-01-15 00:00"))
        zones = zones_of("+79161234567")
        assert all(time(8) <= opens.astimezone(zone).time() for zone in zones)
        assert all(closes.astimezone(zone).time() <= time(21) for zone in zones)
