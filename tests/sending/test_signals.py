"""Signals strike between two steps of ``send_texts``, and while it waits, never in a step."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from djsms.sending.signals import Strikes

NUMBER = signal.SIGUSR1


@pytest.fixture(autouse=True)
def struck() -> Iterator[list[int]]:
    """The signals that the project's own handler heard of."""
    heard: list[int] = []
    before = signal.signal(NUMBER, lambda number, frame: heard.append(number))
    yield heard
    signal.signal(NUMBER, before)


def strike() -> None:
    signal.raise_signal(NUMBER)


def test_one_in_a_step_strikes_between_this_and_the_next(struck: list[int]) -> None:
    strikes = Strikes()
    with strikes.held_back():
        strike()
        assert struck == []
        strikes.check()
        assert struck == [NUMBER]


def test_one_in_a_step_strikes_before_there_is_a_wait(struck: list[int]) -> None:
    strikes = Strikes()
    with strikes.held_back():
        strike()
        with strikes.let_through():
            assert struck == [NUMBER]


def test_one_in_the_last_step_strikes_in_the_end(struck: list[int]) -> None:
    with Strikes().held_back():
        strike()
    assert struck == [NUMBER]


def test_one_while_there_is_a_wait_strikes_at_once(struck: list[int]) -> None:
    strikes = Strikes()
    with strikes.held_back(), strikes.let_through():
        strike()
        assert struck == [NUMBER]


def test_one_in_a_step_after_a_wait_is_held_back_again(struck: list[int]) -> None:
    strikes = Strikes()
    with strikes.held_back():
        with strikes.let_through():
            pass
        strike()
        assert struck == []


def test_the_second_in_one_step_strikes_at_once(struck: list[int]) -> None:
    with Strikes().held_back():
        strike()
        strike()
        assert struck == [NUMBER]


@pytest.mark.parametrize("steps", ["let_through", "held_back"])
def test_one_after_another_that_raised_strikes_at_once(struck: list[int], steps: str) -> None:
    def refuse(*args: object) -> None:
        struck.append(NUMBER)
        raise InterruptedError

    signal.signal(NUMBER, refuse)
    strikes = Strikes()

    def first() -> None:
        with strikes.let_through():
            strike()

    def second() -> None:
        strike()
        strikes.check()

    with strikes.held_back():
        with pytest.raises(InterruptedError):
            first() if steps == "let_through" else second()
        with pytest.raises(InterruptedError):
            strike()
    assert struck == [NUMBER, NUMBER]


def test_afterwards_the_handlers_are_those_of_before() -> None:
    before = signal.getsignal(NUMBER)
    with Strikes().held_back():
        assert signal.getsignal(NUMBER) is not before
    assert signal.getsignal(NUMBER) is before
