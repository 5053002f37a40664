"""Tests of what a backend asks its provider besides: how messages stand, what credit is left."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from djsms.exceptions import SendError
from djsms.testing.answers import Answer, Received
from djsms.testing.kit.base import Make
from djsms.testing.kit.receiving import alike, invalid, shown
from djsms.testing.kit.secrecy import Secrecy, Secrets, found
from djsms.testing.kit.words import fail, require, told
from djsms.testing.provider import HALF_AN_ANSWER, Provider
from djsms.types import Balance, StatusReport

__all__ = ["Asking"]

ANSWERS: Mapping[str, str] = {"fetch_reports": "reports", "fetch_balance": "balance"}
each_question = pytest.mark.parametrize("hook", ANSWERS)

FAILURES: Mapping[str, Answer | None] = {
    "401": Answer(401, {"error": "who are you?"}),
    "429": Answer(429, {"error": "slow down"}, {"Retry-After": "3600"}),
    "500": Answer(500, "<p>Sorry"),
    "503": Answer(503, "<p>Sorry"),
    "a page": Answer(200, "<!doctype html><p>Welcome to this network"),
    "nothing": Answer(200, b""),
    "null": Answer(200, "null"),
    "a number": Answer(200, "17"),
    "a list": Answer(200, "[[[]]]"),
    "other types": Answer(200, {"balance": [], "value": {}, "reports": 7, "status": {}, "id": []}),
    "deep lists": Answer(200, "[" * 3000 + "]" * 3000),
    "no UTF-8": Answer(200, b'{"\xff": "\xff"}'),
    "a cut": None,
}
# What is no answer at all, so that nobody can take it for one without news.
NO_ANSWER = ("401", "429", "500", "503", "a cut", "a page")


class Asking(Secrecy):
    """The backend as one that asks."""

    @each_question
    def test_answer_is_read(self, backend: Any, provider: Provider, hook: str) -> None:
        self._need_question(backend, hook, strict=True)
        for answer in self.scripted(ANSWERS[hook]):
            provider.respond(answer, to=self._is_question)
            try:
                got = self._ask(backend, hook)
            except SendError as error:
                fail(f"{hook}() raises {told(error)} of answers[{ANSWERS[hook]!r}].")
            if hook == "fetch_balance":
                self._require_balance(got)
            else:
                self._require_reports(got)
        require(
            any(map(self._is_question, provider.requests)),
            f"{hook}() returned something, but the stubbed provider was not asked.",
        )

    @each_question
    @pytest.mark.parametrize("how", FAILURES)
    def test_no_answer_is_told(self, backend: Any, provider: Provider, how: str, hook: str) -> None:
        self._need_question(backend, hook)
        failure = FAILURES[how]
        if failure is None:
            provider.cut_off(HALF_AN_ANSWER, to=self._is_question)
        else:
            provider.respond(failure, to=self._is_question)
        try:
            got = self._ask(backend, hook)
        except SendError:
            return
        except Exception as error:
            fail(
                f"If the provider's answer is {how}, {hook}() lets {told(error)} out: raise one of "
                "the kinds of SendError."
            )
        require(
            got == [] and how not in NO_ANSWER,
            f"If the provider's answer is {how}, {hook}() must raise a SendError, and not return "
            f"{got!r}.",
        )

    @each_question
    def test_unreachable_is_told(self, backend: Any, provider: Provider, hook: str) -> None:
        self._need_question(backend, hook)
        provider.close()
        try:
            got = self._ask(backend, hook)
        except SendError:
            return
        except Exception as error:
            fail(f"If the provider cannot be reached, {hook}() lets {told(error)} out.")
        fail(f"If the provider cannot be reached, {hook}() must raise, and not return {got!r}.")

    @each_question
    def test_question_ends_in_time(
        self, factory: Any, make: Make, provider: Provider, hook: str
    ) -> None:
        limits, seconds = self.impatient(factory)
        backend = make(**limits)
        self._need_question(backend, hook)
        provider.trickle(seconds * 2, to=self._is_question)
        start = time.monotonic()
        try:
            self._ask(backend, hook, seconds=seconds * 2)
        except SendError:
            took = time.monotonic() - start
            require(
                took < seconds,
                f"{hook}() waited {took:.1f} seconds for an answer that drips: limit the whole "
                "call, as HTTPBackend's get() and post() do.",
            )
            return
        fail(f"{hook}() takes half an answer for a whole one.")

    @each_question
    def test_question_holds_no_secret(
        self,
        backend: Any,
        secret_values: Secrets,
        provider: Provider,
        hook: str,
    ) -> None:
        self._need_question(backend, hook)
        words = []
        for answer in [*self.scripted(ANSWERS[hook]), FAILURES["401"], FAILURES["500"]]:
            if answer is not None:
                provider.respond(answer, to=self._is_question)
            try:
                got = self._ask(backend, hook)
            except SendError as error:
                words.append(f"{error!r} {vars(error)}")
            else:
                values = got if isinstance(got, list) else [got]
                words.append(json.dumps([dict(value.raw) for value in values], default=str))
        for name in found(secret_values, "\n".join(words)):
            fail(f"{name} stands in what {hook}() raises, or in the raw of what it returns.")

    def test_nothing_asked_is_nothing_told(self, backend: Any, provider: Provider) -> None:
        self._need_question(backend, "fetch_reports")
        got = self.call(backend, "fetch_reports", messages=[])
        require(got == [], f"Asked about no message, fetch_reports() returns {got!r}, not [].")

    def _require_balance(self, got: Any) -> None:
        require(
            isinstance(got, Balance),
            f"fetch_balance() returned {type(got).__name__}, not a Balance.",
        )
        _require_json(got)
        expected = self.expected_balance
        require(
            expected is not None,
            "Say what fetch_balance() is to return: expected_balance = "
            "Balance(amount=Decimal(…), currency=…).",
        )
        if expected is not None:
            # A float does not hold 0.1, so what went through one shows its digits here.
            require(
                (got if expected.raw else replace(got, raw={})) == expected,
                f"fetch_balance() returned {got!r}; expected is {expected!r}. Make Decimal of the "
                "text, or of str(number).",
            )

    def _require_reports(self, got: Any) -> None:
        if problem := invalid(got, StatusReport):
            fail(f"fetch_reports() returned {problem}.")
        for report in got:
            _require_json(report)
            require(
                report.ref or report.provider_id,
                "A report of fetch_reports() names no message: give ref or provider_id.",
            )
        expected = list(self.expected_reports)
        require(
            expected,
            "Say what fetch_reports() is to return: expected_reports = [StatusReport(…)].",
        )
        require(
            alike(got, expected),
            f"fetch_reports() returned\n  {shown(got)}\nbut expected is\n  {shown(expected)}",
        )

    def _ask(self, backend: Any, hook: str, seconds: float | None = None) -> Any:
        arguments: dict[str, Sequence[Any]] = (
            {"messages": [self.sent()]} if hook == "fetch_reports" else {}
        )
        return self.call(backend, hook, seconds=seconds, **arguments)

    def _is_question(self, request: Received) -> bool:
        return not self.is_token_call(request)

    def _need_question(self, backend: Any, hook: str, *, strict: bool = False) -> None:
        self.need(backend, hook)
        name = ANSWERS[hook]
        if not self.scripted(name):
            # A backend without a provider may know by itself.
            if not self.answers:
                pytest.skip(f"{self.name} has no provider behind it: answers is empty")
            words = f"say what the provider answers to {hook}(): answers[{name!r}]"
            require(not strict, f"{hook}() is implemented, so {words}.")
            pytest.skip(words)


def _require_json(value: Any) -> None:
    try:
        json.dumps(dict(value.raw))
    except (TypeError, ValueError) as error:
        fail(f"{type(value).__name__}.raw must hold plain JSON values: {error}")
