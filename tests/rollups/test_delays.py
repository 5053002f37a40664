"""Delays are counted in steps of a tenth; the median read off them is right to five per cent."""

import random
import statistics
from collections import Counter
from datetime import timedelta

import pytest

from djsms.rollups.delays import median, step


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


@pytest.mark.parametrize("spread", [0.3, 1, 2])
def test_the_median_is_right_to_five_per_cent(spread: float) -> None:
    delays = [random.Random(number).lognormvariate(2, spread) for number in range(2001)]
    found = median(Counter(step(seconds(delay)) for delay in delays))
    assert found is not None
    assert found.total_seconds() == pytest.approx(statistics.median(delays), rel=0.05)


@pytest.mark.parametrize("delay", [0.2, 1, 7.5, 60, 3600, 86400 * 3])
def test_one_delay_is_its_own_median(delay: float) -> None:
    found = median({step(seconds(delay)): 1})
    assert found is not None
    assert found.total_seconds() == pytest.approx(delay, rel=0.05)


def test_no_time_at_all_is_the_first_step() -> None:
    assert step(seconds(0)) == step(seconds(0.05)) == 0


def test_longer_is_never_a_lower_step() -> None:
    steps = [step(seconds(number / 10)) for number in range(1, 5000)]
    assert steps == sorted(steps)


def test_of_nothing_there_is_none() -> None:
    assert median({}) is None
