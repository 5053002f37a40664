"""Tests of how each way that a send can end reaches the caller: with a stubbed provider."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from djsms.exceptions import (
    AuthenticationFailed,
    InsufficientFunds,
    OutcomeUnknown,
    RecipientBlocked,
    Refused,
    SendError,
    TemporarilyUnavailable,
    TextMessageError,
    Throttled,
)
from djsms.testing.answers import Answer, Received
from djsms.testing.kit import hooks
from djsms.testing.kit.base import Kit, Make, Scripted, fail, require
from djsms.testing.kit.nonsense import changed, leaves, removal, replacement
from djsms.testing.kit.sending import require_result
from djsms.testing.provider import HALF_AN_ANSWER, Provider

__all__ = ["OUTCOMES", "Outcomes", "script", "scriptable"]

OUTCOMES: Mapping[str, type[SendError]] = {
    "refused": Refused,
    "throttled": Throttled,
    "authentication_failed": AuthenticationFailed,
    "insufficient_funds": InsufficientFunds,
    "recipient_blocked": RecipientBlocked,
    "temporarily_unavailable": TemporarilyUnavailable,
    "outcome_unknown": OutcomeUnknown,
}
"""What a key of ``answers`` stands for, besides ``"accepted"``."""

CUT_OFF = ("no answer", "reset", "half an answer")

NONSENSE: Mapping[str, Any] = {
    "nothing": b"",
    "a page": "<!doctype html><title>Sign in</title><p>Welcome to this network",
    "half of some JSON": '{"messages": [{"id": "1", "sta',
    "null": "null",
    "a number": "17",
    "a text": '"accepted"',
    "an empty list": "[]",
    "an empty object": "{}",
    "nested lists": "[[[[[]]]]]",
    "very deep lists": "[" * 3000 + "]" * 3000,
    "an object of nulls": '{"id": null, "status": null, "messages": null, "data": null}',
    "other types": '{"id": {}, "status": [], "messages": {"0": 1}, "data": 7}',
    "not a number": '{"id": NaN}',
    "no UTF-8": b'{"\xff\xfe\x80": "\xff"}',
    "NUL characters": b"\0\0\0\0",
}

WRONG_VALUES: tuple[Any, ...] = (None, "", 17, [], {}, "\ud83d")

SLACK = 2.0
SHORT_TIMEOUT = 0.3
MAX_DISTORTIONS = 80


class Outcomes(Kit):
    """The backend and what a provider, or the network before it, does to it."""

    def test_accepted(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        require_result(hooks.call(backend, "send", message=self.message()))
        require(
            self._sends(provider),
            "A message was accepted, but the stubbed provider received nothing: point the backend "
            "to provider.url in the fixture options.",
        )

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_answer(self, backend: Any, provider: Provider, outcome: str) -> None:
        self.need_provider(backend)
        if outcome not in self.answers:
            required = 'say what the provider answers: answers = {"refused": Answer(…)}'
            require(outcome != "refused", f'answers lacks "refused": {required}')
            pytest.skip(f"answers has no {outcome!r}")
        script(self, provider, outcome)
        error = self._error(backend, f"answers {outcome!r}")
        wanted = OUTCOMES[outcome]
        require(
            isinstance(error, wanted),
            f"The provider's answer {outcome!r} must raise {wanted.__name__}, not {_told(error)}.",
        )

    def test_answers_are_known(self, backend: Any) -> None:
        unknown = self.answers.keys() - OUTCOMES.keys() - {"accepted"}
        require(
            not unknown,
            f"answers has {hooks.joined(sorted(unknown))}; it takes "
            f"{hooks.joined(['accepted', *OUTCOMES])}.",
        )

    def test_unreachable(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        provider.close()
        error = self._error(backend, "cannot be reached")
        require(
            isinstance(error, TemporarilyUnavailable),
            "Where no connection comes about nothing was sent, which is TemporarilyUnavailable, "
            f"not {_told(error)}.",
        )

    def test_no_answer_in_time(
        self, factory: Any, make: Make, options: Mapping[str, Any], provider: Provider
    ) -> None:
        timeout, limit = None, self.patience
        if "timeout" in inspect.signature(factory).parameters:
            timeout = min(options.get("timeout") or SHORT_TIMEOUT, SHORT_TIMEOUT)
            limit = timeout + SLACK
        backend = make() if timeout is None else make(timeout=timeout)
        self.need_provider(backend)
        provider.hang(limit)
        start = time.monotonic()
        error = self._error(backend, "does not answer")
        took = time.monotonic() - start
        require(
            took < limit,
            f"A send to a provider that does not answer took {took:.1f} seconds and more; the "
            + (
                f"option timeout of {timeout} seconds is not obeyed."
                if timeout is not None
                else "backend sets no timeout, or a long one. Give it an option timeout."
            ),
        )
        self._require_unknown(error, "The provider took the request and did not answer in time")

    @pytest.mark.parametrize("how", CUT_OFF)
    def test_cut_off(self, backend: Any, provider: Provider, how: str) -> None:
        self.need_provider(backend)
        script(self, provider, how)
        error = self._error(backend, "cuts the connection")
        self._require_unknown(error, "The connection was cut after the request had left")

    @pytest.mark.parametrize("nonsense", NONSENSE)
    def test_nonsense_in_answer(self, backend: Any, provider: Provider, nonsense: str) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if not accepted.content:
            pytest.skip("the provider's answer has no body")
        headers = {"Content-Type": accepted.content_type}
        provider.respond(Answer(accepted.status, NONSENSE[nonsense], headers))
        error = self._error(backend, f"answers nonsense ({nonsense})")
        require(
            not isinstance(error, TemporarilyUnavailable),
            "An answer that cannot be read does not prove that nothing was sent: raise "
            f"OutcomeUnknown, not {_told(error)}.",
        )

    def test_distorted_answer(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if isinstance(accepted.body, bytes | str):
            pytest.skip("the provider's answer is no JSON that the kit could distort")
        for body in itertools.islice(_distorted(accepted.body), MAX_DISTORTIONS):
            provider.respond(Answer(accepted.status, body, accepted.headers))
            try:
                require_result(hooks.call(backend, "send", message=self.message()))
            except TextMessageError:
                continue
            except Exception as error:
                fail(
                    f"The answer {json.dumps(body)[:200]} makes send() raise {_told(error)}; "
                    "raise OutcomeUnknown where the answer is not what it should be."
                )

    @pytest.mark.parametrize(
        "what", [*CUT_OFF, "cut off while idle", "server error", "redirect", "throttled"]
    )
    def test_nothing_is_sent_twice(self, backend: Any, provider: Provider, what: str) -> None:
        self.need_provider(backend)
        if what == "cut off while idle":
            # Libraries repeat a request by themselves above all on a connection that worked before.
            hooks.call(backend, "send", message=self.message())
            provider.requests.clear()
            script(self, provider, "no answer")
        elif what == "server error":
            provider.respond(Answer(503, "Try again", {"Retry-After": "0"}))
        elif what == "redirect":
            provider.respond(Answer(307, "", {"Location": f"{provider.url}/elsewhere"}))
        elif what == "throttled":
            provider.respond(Answer(429, "Too many requests", {"Retry-After": "0"}))
        else:
            script(self, provider, what)
        # How it ends is for the other tests.
        with contextlib.suppress(Exception):
            hooks.call(backend, "send", message=self.message())
        sends = self._sends(provider)
        require(
            len(sends) == 1,
            f"One send made {len(sends)} requests ({what}). Nobody knows whether the first one was "
            "taken, so the recipient may get the message, and the sender the bill, as often: "
            "switch off retries and redirects in the HTTP library. If some of them hand over no "
            "message, override is_send().",
        )

    def _accepted(self, backend: Any, provider: Provider) -> Answer:
        """Return what the provider answers to a message it takes, which may depend on that."""
        answer = self.answers["accepted"]
        if isinstance(answer, Answer):
            return answer
        seen = []

        def answer_and_note(request: Received) -> Answer:
            seen.append(answer(request))
            return seen[-1]

        provider.respond(answer_and_note)
        hooks.call(backend, "send", message=self.message())
        provider.requests.clear()
        return seen[-1]

    def _error(self, backend: Any, what: str) -> TextMessageError:
        """Send one message, which must not succeed, and return the error."""
        try:
            result = hooks.call(backend, "send", message=self.message())
        except SendError as error:
            return error
        except Exception as error:
            words = (
                f"If the provider {what}, send() lets {_told(error)} out. Turn it into one of "
                "djsms.exceptions: Refused, Throttled, TemporarilyUnavailable, OutcomeUnknown."
            )
        else:
            kind = type(result).__name__
            words = f"If the provider {what}, send() must raise, and not return {kind}."
        return fail(words)

    def _require_unknown(self, error: Exception, what: str) -> None:
        require(
            isinstance(error, OutcomeUnknown),
            f"{what}, so it may have been sent: raise OutcomeUnknown, not {_told(error)}.",
        )

    def _sends(self, provider: Provider) -> list[Received]:
        return [request for request in provider.requests if self.is_send(request)]


def scriptable(answers: Mapping[str, Scripted]) -> list[str]:
    """Return what ``script`` can let happen without waiting for a timeout."""
    named = [outcome for outcome in answers if outcome == "accepted" or outcome in OUTCOMES]
    return [*named, *CUT_OFF, "nonsense", "unreachable"]


def script(kit: Kit, provider: Provider, outcome: str) -> None:
    """Let the provider treat messages so from now on."""
    if outcome in kit.answers:
        provider.respond(kit.answers[outcome])
    elif outcome == "unreachable":
        provider.close()
    elif outcome == "nonsense":
        provider.respond(Answer(200, "<p>Welcome to this network"))
    else:
        half = HALF_AN_ANSWER if outcome == "half an answer" else b""
        provider.cut_off(half, reset=outcome == "reset")


def _distorted(value: Any) -> Iterator[Any]:
    """Yield the value with each of its parts in turn missing or replaced by another type."""
    for path in leaves(value):
        for wrong in WRONG_VALUES:
            yield changed(value, path, replacement(wrong))
        yield changed(value, path, removal)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
