"""Tests of how each way that a send can end reaches the caller: with a stubbed provider."""

from __future__ import annotations

import contextlib
import functools
import gzip
import itertools
import json
import math
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from email.utils import formatdate
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
from djsms.testing.answers import NEW_ID, Answer, Received
from djsms.testing.kit import certificates, hooks
from djsms.testing.kit.base import Kit, Make
from djsms.testing.kit.exact import is_amount, lost_digits
from djsms.testing.kit.nonsense import at, changed, leaves, removal, replacement
from djsms.testing.kit.sending import require_result
from djsms.testing.kit.words import fail, require, told
from djsms.testing.provider import HALF_AN_ANSWER, Provider
from djsms.types import Status

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
"""What a key of ``answers`` stands for, besides ``"accepted"`` and those of other calls."""

OTHER_CALLS = ("token", "reports", "balance")

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

MAX_DISTORTIONS = 80
FLOOD = 24 * 1024 * 1024
WAITS = ("no answer", "a dripping answer", "dripping headers")
PAGE = "<!doctype html><title>Sorry</title><p>Something went wrong on our side."
SERVER_ERRORS = (500, 502, 503, 504, 520)
REPEATED = (408, 425, 429, 500, 502, 503, 504)
TAKEN = (Status.SENDING, Status.SENT, Status.DELIVERED)
WHOLE_AMOUNT = 9
NO_FLOAT = "Make Decimal of the text, or of str(number); a float does not hold 0.1."

RETRY_AFTER: Mapping[str, tuple[Callable[[], str] | None, float, float]] = {
    "7": (lambda: "7", 7, 7),
    "a date": (lambda: formatdate(time.time() + 90, usegmt=True), 60, 120),
    "a date that has passed": (lambda: formatdate(time.time() - 900, usegmt=True), 0, 0),
    "nonsense": (lambda: "soon", 0, 0),
    "negative": (lambda: "-5", 0, 0),
    "no end": (lambda: "9" * 400, 1, 10**9),
    "nothing": (lambda: "", 0, 0),
    "absent": (None, 0, 10**9),
}
"""What the header holds, and the least and the most seconds that may be read in it."""

STATUS_NAME = re.compile(r"(^|_)(status|state|result|outcome|success|successful|ok|accepted|code)$")
FAILURE_NAME = re.compile(r"(^|_)(errors?|failures?|failed|rejected|rejections?|error_code)$")
UNKNOWN_CODE = 987654
NO_IDS = {"None", "null", "{}"}
NOES = ("rejected", "failed", "error", "refused", "undelivered")
REFUSING = ("refused", "recipient_blocked", "insufficient_funds", "authentication_failed")


class Outcomes(Kit):
    """The backend and what a provider, or the network before it, does to it."""

    def test_accepted(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        require_result(self.send(backend))
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
        wanted = OUTCOMES[outcome]
        for number, answer in enumerate(self.scripted(outcome)):
            provider.respond(answer)
            error = self._error(backend, f"answers {outcome!r}")
            which = f"{outcome!r}, number {number}," if number else f"{outcome!r}"
            require(
                isinstance(error, wanted),
                f"The provider's answer {which} must raise {wanted.__name__}, not {told(error)}.",
            )

    def test_answers_are_known(self, backend: Any) -> None:
        unknown = self.answers.keys() - OUTCOMES.keys() - {"accepted", *OTHER_CALLS}
        require(
            not unknown,
            f"answers has {hooks.joined(sorted(unknown))}; it takes "
            f"{hooks.joined(['accepted', *OUTCOMES, *OTHER_CALLS])}.",
        )

    def test_unreachable(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        provider.close()
        error = self._error(backend, "cannot be reached")
        require(
            isinstance(error, TemporarilyUnavailable),
            "Where no connection comes about nothing was sent, which is TemporarilyUnavailable, "
            f"not {told(error)}.",
        )

    @pytest.mark.parametrize("how", WAITS)
    def test_no_answer_in_time(
        self, factory: Any, make: Make, provider: Provider, how: str
    ) -> None:
        limits, seconds = self.impatient(factory)
        backend = make(**limits)
        self.need_provider(backend)
        match how:
            case "no answer":
                provider.hang(seconds, to=self.is_send)
            case "a dripping answer":
                provider.trickle(seconds * 2, to=self.is_send)
            case _:
                provider.trickle(seconds * 2, to=self.is_send, headers=True)
        start = time.monotonic()
        error = self._error(backend, f"gives {how}", seconds=seconds * 2)
        took = time.monotonic() - start
        obeyed = " and ".join(f"{name} of {limit} seconds" for name, limit in limits.items())
        require(
            took < seconds,
            f"A send to a provider that gives {how} took {took:.1f} seconds; "
            + (
                f"the option {obeyed} is not obeyed by the call as a whole. "
                if limits
                else "the backend sets no timeout, or a long one. Give it an option timeout. "
            )
            + "A timeout of most HTTP libraries begins anew with each byte; djsms.http has a "
            "deadline for the whole call.",
        )
        self._require_unknown(error, "The provider took the request and did not answer in time")

    @pytest.mark.parametrize("how", ["as it is", "packed"])
    def test_endless_answer(self, backend: Any, provider: Provider, how: str) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if how == "packed":
            content = gzip.compress(accepted.with_new_id().content + b" " * FLOOD, 1)
            headers = {**accepted.headers, "Content-Type": accepted.content_type}
            headers["Content-Encoding"] = "gzip"
            provider.respond(Answer(accepted.status, content, headers))
        else:
            provider.flood(accepted, FLOOD, to=self.is_send)
        error = self._error(backend, f"answers with {FLOOD >> 20} MiB ({how})")
        require(
            provider.written < FLOOD // 2,
            f"send() read {provider.written >> 20} MiB of an answer before it gave up: whoever "
            "stands between you and the provider can fill the memory. Read piece by piece, and "
            "stop at 1 MiB.",
        )
        self._require_unknown(error, "The provider took the request and answered without end")

    @pytest.mark.parametrize("provider", certificates.KINDS, indirect=True)
    def test_certificate_is_looked_at(
        self, backend: Any, provider: Provider, request: pytest.FixtureRequest
    ) -> None:
        self.need_provider(backend)
        kind = request.node.callspec.params["provider"]
        with certificates.trusted(kind), warnings.catch_warnings():
            # Libraries warn of what is tried here, and a warning may be an error.
            warnings.simplefilter("ignore")
            # How it ends is for the other tests.
            with contextlib.suppress(Exception):
                self.send(backend)
        require(
            not provider.requests,
            f"The credentials went to a server whose certificate is {kind}: anybody on the way "
            "can read them. Leave the checks of certificates on; for a provider with one of its "
            "own, give the session its file: session.verify = path.",
        )

    @pytest.mark.parametrize("status", SERVER_ERRORS)
    def test_server_error_proves_nothing(
        self, backend: Any, provider: Provider, status: int
    ) -> None:
        self.need_provider(backend)
        if status in self._documented():
            pytest.skip(f"answers says what {status} means with this provider")
        provider.respond(Answer(status, PAGE, {"Content-Type": "text/html", "Retry-After": "0"}))
        error = self._error(backend, f"answers {status}")
        require(
            isinstance(error, OutcomeUnknown),
            f"A bare {status} does not say whether the message was taken: a proxy may have passed "
            f"it on, or the provider have failed after it. Raise OutcomeUnknown, not "
            f"{told(error)}. If the provider documents that it means something else, give its "
            "answer in answers.",
        )

    @pytest.mark.parametrize("header", RETRY_AFTER)
    def test_retry_after(self, backend: Any, provider: Provider, header: str) -> None:
        self.need_provider(backend)
        throttled = [answer for answer in self.scripted("throttled") if isinstance(answer, Answer)]
        if not throttled:
            pytest.skip("answers has no 'throttled' that could bear the header Retry-After")
        value, least, most = RETRY_AFTER[header]
        for answer in throttled:
            others = {k: v for k, v in answer.headers.items() if k.lower() != "retry-after"}
            given = {} if value is None else {"Retry-After": value()}
            provider.respond(Answer(answer.status, answer.body, {**others, **given}))
            error = self._error(backend, f"throttles with Retry-After: {header}")
            require(
                isinstance(error, Throttled),
                f"With Retry-After: {header}, throttling must still be Throttled, not "
                f"{told(error)}.",
            )
            wait = error.retry_after
            # A provider that says it elsewhere, or not at all, has the backend wait as ever.
            if wait is not None and wait == self._usual_wait(backend, provider, answer):
                continue
            is_number = isinstance(wait, int | float) and not isinstance(wait, bool)
            require(
                wait is None or (is_number and math.isfinite(wait) and least <= wait <= most),
                f"With Retry-After: {header}, retry_after is {wait!r}; it takes seconds from now, "
                f"here from {least} to {most}, or None. djsms.http has retry_after(), which reads "
                "numbers and dates.",
            )

    def _usual_wait(self, backend: Any, provider: Provider, answer: Answer) -> float | None:
        headers = {k: v for k, v in answer.headers.items() if k.lower() != "retry-after"}
        provider.respond(Answer(answer.status, answer.body, headers))
        return self._error(backend, "throttles").retry_after

    def test_rejection_in_a_success(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if isinstance(accepted.body, bytes | str):
            pytest.skip("the provider's answer is no JSON that the kit could change")
        if self._refusals_in(accepted.status):
            pytest.skip("answers has refusals with the status of an acceptance")
        for name, bodies in rejections(accepted.body):
            taken = [body for body in bodies if self._is_taken(backend, provider, accepted, body)]
            require(
                len(taken) < len(bodies),
                f"The answer {json.dumps(taken[0])[:200] if taken else ''} is taken for "
                f"acceptance, whatever {name!r} says: a provider says no in a success as well. "
                "Look at it, and raise Refused, or OutcomeUnknown for what you do not know. If it "
                "has other words for no, give one of them in answers['refused'].",
            )

    def _is_taken(self, backend: Any, provider: Provider, accepted: Answer, body: Any) -> bool:
        provider.respond(Answer(accepted.status, body, accepted.headers))
        try:
            result = self.send(backend)
        except TextMessageError:
            return False
        return all(part.status in TAKEN for part in result.parts)

    def _refusals_in(self, status: int) -> bool:
        refusals = [answer for kind in REFUSING for answer in self.scripted(kind)]
        return any(isinstance(answer, Answer) and answer.status == status for answer in refusals)

    def test_answer_without_an_id(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if isinstance(accepted.body, bytes | str):
            pytest.skip("the provider's answer is no JSON that the kit could change")
        paths = [path for path, value in _values(accepted.body) if NEW_ID in str(value)]
        for path in paths:
            if isinstance(at(accepted.body, path), dict | list):
                continue
            for change in (removal, replacement(None), replacement(""), replacement({})):
                body = changed(accepted.body, path, change)
                provider.respond(Answer(accepted.status, body, accepted.headers))
                with contextlib.suppress(TextMessageError):
                    ids = [part.provider_id for part in self.send(backend).parts]
                    require(
                        any(ids) and not NO_IDS & {*ids},
                        f"The answer {json.dumps(body)[:200]} has lost an id, yet send() returned "
                        f"{ids}: no status report would find this message. Raise OutcomeUnknown.",
                    )

    def test_prices_in_answers_keep_their_digits(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if isinstance(accepted.body, bytes | str):
            pytest.skip("the provider's answer is no JSON that the kit could change")

        def price(path: tuple[Any, ...], value: Any) -> Decimal | None:
            body = changed(accepted.body, path, replacement(value))
            provider.respond(Answer(accepted.status, body, accepted.headers))
            try:
                parts = self.send(backend).parts
            except TextMessageError:
                return None
            return next((part.price for part in parts if part.price is not None), None)

        for path, value in _values(accepted.body):
            found = price(path, value) if is_amount(value) else None
            if found is None or price(path, type(value)(WHOLE_AMOUNT)) in (found, None):
                continue
            problem = lost_digits(value, found, functools.partial(price, path))
            require(not problem, f"A price loses its digits: {problem}. {NO_FLOAT}")

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
            f"OutcomeUnknown, not {told(error)}.",
        )

    def test_distorted_answer(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        accepted = self._accepted(backend, provider)
        if isinstance(accepted.body, bytes | str):
            pytest.skip("the provider's answer is no JSON that the kit could distort")
        for body in itertools.islice(_distorted(accepted.body), MAX_DISTORTIONS):
            provider.respond(Answer(accepted.status, body, accepted.headers))
            try:
                require_result(self.send(backend))
            except TextMessageError:
                continue
            except Exception as error:
                fail(
                    f"The answer {json.dumps(body)[:200]} makes send() raise {told(error)}; "
                    "raise OutcomeUnknown where the answer is not what it should be."
                )

    @pytest.mark.parametrize(
        "what", [*CUT_OFF, "cut off while idle", "redirect", *map(str, REPEATED)]
    )
    def test_nothing_is_sent_twice(self, backend: Any, provider: Provider, what: str) -> None:
        self.need_provider(backend)
        if what == "cut off while idle":
            # Libraries repeat a request by themselves above all on a connection that worked before.
            self.send(backend)
            provider.requests.clear()
            script(self, provider, "no answer")
        elif what == "redirect":
            provider.respond(Answer(307, "", {"Location": f"{provider.url}/elsewhere"}))
        elif what.isdigit():
            provider.respond(Answer(int(what), "Try again", {"Retry-After": "0"}))
        else:
            script(self, provider, what)
        # How it ends is for the other tests.
        with contextlib.suppress(Exception):
            self.send(backend)
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
        answer = self.scripted("accepted")[0]
        if isinstance(answer, Answer):
            return answer
        seen = []

        def answer_and_note(request: Received) -> Answer:
            seen.append(answer(request))
            return seen[-1]

        provider.respond(answer_and_note)
        self.send(backend)
        provider.requests.clear()
        return seen[-1]

    def _documented(self) -> set[int]:
        """Return the HTTP statuses that the provider has for something else than a failure."""
        answers = [answer for outcome in OUTCOMES for answer in self.scripted(outcome)]
        return {answer.status for answer in answers if isinstance(answer, Answer)}

    def _error(self, backend: Any, what: str, seconds: float | None = None) -> SendError:
        """Send one message, which must not succeed, and return the error."""
        try:
            result = self.send(backend, seconds=seconds)
        except SendError as error:
            return error
        except Exception as error:
            words = (
                f"If the provider {what}, send() lets {told(error)} out. Turn it into one of "
                "djsms.exceptions: Refused, Throttled, TemporarilyUnavailable, OutcomeUnknown."
            )
        else:
            kind = type(result).__name__
            words = f"If the provider {what}, send() must raise, and not return {kind}."
        return fail(words)

    def _require_unknown(self, error: Exception, what: str) -> None:
        require(
            isinstance(error, OutcomeUnknown),
            f"{what}, so it may have been sent: raise OutcomeUnknown, not {told(error)}.",
        )

    def _sends(self, provider: Provider) -> list[Received]:
        return [request for request in provider.requests if self.is_send(request)]


def scriptable(kit: Kit) -> list[str]:
    """Return what ``script`` can let happen without waiting for a timeout."""
    named = [outcome for outcome in kit.answers if outcome == "accepted" or outcome in OUTCOMES]
    return [*named, *CUT_OFF, "nonsense", "unreachable"]


def script(kit: Kit, provider: Provider, outcome: str) -> None:
    """Let the provider treat messages so from now on."""
    if answers := kit.scripted(outcome):
        provider.respond(answers[0])
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


def rejections(body: Any) -> Iterator[tuple[str, list[Any]]]:
    """Yield what may say no in an accepting answer, and that answer with different noes there."""
    for path, value in _values(body):
        name = next((str(key) for key in reversed(path) if isinstance(key, str)), "")
        name = re.sub(r"(?<=[a-z])(?=[A-Z])|[-. ]", "_", name).lower()
        if bodies := [changed(body, path, replacement(no)) for no in _noes(name, value)]:
            yield ".".join(map(str, path)), bodies


def _noes(name: str, value: Any) -> Iterator[Any]:
    if NEW_ID in str(value):
        return
    if FAILURE_NAME.search(name) and not value:
        match value:
            case bool():
                yield True
            case int():
                yield 1
            case list():
                yield [{"code": "987", "message": "rejected"}]
            case dict():
                yield {"code": "987", "message": "rejected"}
            case _:
                yield "rejected"
    elif STATUS_NAME.search(name) and not isinstance(value, dict | list | None | float):
        match value:
            case bool():
                yield False
            case int():
                yield UNKNOWN_CODE
            case str() if value.isdigit():
                yield str(UNKNOWN_CODE)
            case _:
                yield from (words.upper() if value.isupper() else words for words in NOES)


def _values(body: Any) -> list[tuple[tuple[Any, ...], Any]]:
    return [(path, at(body, path)) for path in leaves(body)]
