"""How many texts a rate lets through, and when the next one may go."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from djsms.conf import Rate
from djsms.waiting.rates import SECOND, Meter

NOW = 1_800_000_000 * SECOND


def meter(count: int, seconds: int = 1, **fields: int) -> Meter:
    return Meter.of(Rate(count=count, seconds=seconds), **fields)


def segments_meter(count: int, max_segments: int = 255) -> Meter:
    return Meter.of(Rate(count=count, seconds=1, by_segment=True), max_segments=max_segments)


def test_first_burst_is_a_fifth_of_a_seconds_worth() -> None:
    taken, _ = meter(50).take(0, NOW, [1] * 100)
    assert taken == 10


def test_slow_rate_lets_one_go_at_a_time() -> None:
    taken, free_at = meter(1).take(0, NOW, [1, 1])
    assert (taken, free_at) == (1, NOW + SECOND)


def test_next_one_goes_when_its_time_has_come() -> None:
    slow = meter(2, 60)
    _, free_at = slow.take(0, NOW, [1])
    assert slow.wait(free_at, NOW) == 30
    assert slow.take(free_at, NOW + 30 * SECOND - 1, [1])[0] == 0
    assert slow.take(free_at, NOW + 30 * SECOND, [1])[0] == 1


def test_long_text_costs_its_segments() -> None:
    by_segment = segments_meter(5)
    taken, free_at = by_segment.take(0, NOW, [10, 1])
    assert (taken, by_segment.wait(free_at, NOW)) == (1, 2)


def test_long_text_costs_no_more_than_another_where_texts_are_counted() -> None:
    assert meter(5).take(0, NOW, [10])[1] == NOW + SECOND // 5


def test_what_may_go_is_known_before_the_texts_are() -> None:
    assert meter(50).free(0, NOW) == 10
    assert meter(50).free(NOW, NOW) == 1
    assert meter(50).free(NOW + 1, NOW) == 0


def test_clock_that_was_set_back_stops_nothing() -> None:
    hour_ahead = NOW + 3600 * SECOND
    assert meter(10).take(hour_ahead, NOW, [1, 1]) == (1, NOW + SECOND // 10)
    assert meter(10).wait(hour_ahead, NOW) == 0


def test_dear_text_is_waited_for_and_not_taken_for_a_wrong_clock() -> None:
    by_segment = segments_meter(5, max_segments=10)
    _, free_at = by_segment.take(0, NOW, [10])
    assert by_segment.wait(free_at, NOW) == 2


def test_slow_rate_survives_its_own_long_wait() -> None:
    hourly = meter(1, 3600)
    _, free_at = hourly.take(0, NOW, [1])
    assert hourly.wait(free_at, NOW) == 3600


def test_rates_that_divide_no_microsecond_never_go_faster() -> None:
    _, free_at = meter(3).take(NOW, NOW, [1])
    assert free_at - NOW >= SECOND / 3


@given(
    count=st.integers(1, 200),
    pauses=st.lists(st.integers(0, 500_000), min_size=1, max_size=200),
)
def test_no_second_has_more_than_rate_and_burst(count: int, pauses: list[int]) -> None:
    limit, free_at, gone = meter(count), 0, []
    for now in accumulate(pauses, initial=NOW):
        taken, free_at = limit.take(free_at, now, [1] * 300)
        gone += [now] * taken
    for start in gone:
        in_a_second = sum(start <= moment < start + SECOND for moment in gone)
        assert in_a_second <= count + max(1, count / 5) + 1


@pytest.mark.parametrize("count", [1, 7, 30, 1000])
def test_busy_account_gets_its_whole_rate(count: int) -> None:
    limit, free_at, total = meter(count), 0, 0
    for now in range(NOW, NOW + 10 * SECOND, 10_000):
        taken, free_at = limit.take(free_at, now, [1] * 300)
        total += taken
    assert count * 10 * 0.98 <= total <= count * 10.2 + 1
