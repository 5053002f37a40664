"""When a text that was surely not taken goes again."""

from datetime import timedelta
from typing import Any

import pytest

from djsms.waiting.schedule import lifetime, pause_before, seconds_asked_for


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 90), (3, 270), (4, 810), (5, 2430), (6, 3000), (7, 3000), (65535, 3000)],
)
def test_each_pause_is_three_times_the_one_before_give_or_take_a_fifth(
    attempts: int, seconds: int
) -> None:
    pauses = [pause_before(attempts).total_seconds() for _ in range(200)]
    assert all(seconds * 0.8 <= pause <= seconds * 1.2 for pause in pauses)
    assert max(pauses) - min(pauses) > seconds * 0.1


def test_no_pause_is_longer_than_an_hour() -> None:
    assert max(pause_before(9) for _ in range(1000)) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(5, 5.0), (0, 0.0), (1e300, 86400.0), (float("inf"), 86400.0), (10**400, 86400.0)],
)
def test_what_a_provider_asks_for_is_cut_to_a_day(asked: float, seconds: float) -> None:
    assert seconds_asked_for(asked) == seconds


@pytest.mark.parametrize("asked", [None, -1, float("nan"), "5", True, [5]])
def test_what_is_no_time_asks_for_nothing(asked: Any) -> None:
    assert seconds_asked_for(asked) is None


def test_lifetimes_are_those_of_the_priorities() -> None:
    minutes = [lifetime(lane) / timedelta(minutes=1) for lane in (0, 1, 2)]
    assert minutes == [10, 240, 1440]
