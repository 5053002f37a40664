"""Tests of a backend that is lent a token by its provider, and sends with that."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djsms.exceptions import (
    AuthenticationFailed,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.testing.answers import NEW_ID, Answer, Received
from djsms.testing.kit import clock
from djsms.testing.kit.base import SLACK, Kit, Make
from djsms.testing.kit.nonsense import at, changed, leaves, removal, replacement
from djsms.testing.kit.secrecy import hidden, is_telling
from djsms.testing.kit.words import fail, require, told
from djsms.testing.provider import Provider

__all__ = ["Tokens"]

OUTAGES = ("500", "502", "503", "no answer", "reset", "half an answer", "a page", "{}", "waiting")
REFUSALS = ("400", "401", "403")
MAX_CALLS = 3
THREADS = 4
# Seconds after which a token that is refused was refused for its age, and before which it is good.
AGE = 30
WRONG_TOKENS: tuple[Any, ...] = (None, "", 17, [], {}, "two words", "line\r\nbreak")
ODD_VALUES: tuple[Any, ...] = (None, "", "soon", 0, 1, -1, 10**30, 1.5, [], {}, "3600")


@dataclass
class Lent:
    """The tokens that the stubbed provider has given away, in order."""

    tokens: list[str] = field(default_factory=list)

    def within(self, request: Received) -> str | None:
        """Return the last token that a request bears."""
        carried = f"{request.path}?{request.query} {request.headers} {request.body!r}"
        return next((token for token in reversed(self.tokens) if token in carried), None)


class Tokens(Kit):
    """The backend as one that is lent a token."""

    @pytest.fixture
    def lent(self, backend: Any, provider: Provider) -> Lent:
        """The tokens that are given away; skips the test of a backend that asks for none."""
        self.need_provider(backend)
        if "token" not in self.answers:
            self._require_no_token_calls(backend, provider)
            pytest.skip(f"{self.name} asks for no token: answers has no 'token'")
        return self._lend(provider)

    def test_token_is_kept(self, backend: Any, provider: Provider, lent: Lent) -> None:
        for _ in range(3):
            self._sent_with(backend, provider, lent)
        require(
            len(lent.tokens) == 1,
            f"3 texts made {len(lent.tokens)} calls for a token: keep it, in the account's "
            "instance, until shortly before it ends. djsms.http has BearerToken, which does.",
        )

    def test_token_is_the_accounts_own(
        self,
        factory: Any,
        make: Make,
        options: Mapping[str, Any],
        provider: Provider,
        lent: Lent,
    ) -> None:
        first = make()
        theirs = self._sent_with(first, provider, lent)
        for what, changes in self._other_accounts(factory, options, make):
            other = make(**changes)
            ours = self._sent_with(other, provider, lent)
            require(
                ours != theirs,
                f"An account with {what} sends with the token of another account: texts go out, "
                "and are paid, in another name. Keep the token in the instance, in a "
                "field(init=False, repr=False, compare=False) or in the session, and never in the "
                "class or the module.",
            )
        with Provider() as elsewhere:
            moved = {
                name: value.replace(provider.url, elsewhere.url)
                for name, value in options.items()
                if isinstance(value, str) and provider.url in value
            }
            if not moved:
                return
            elsewhere.respond(self.scripted("accepted")[0])
            there = self._lend(elsewhere)
            require(
                self._sent_with(make(**moved), elsewhere, there) in there.tokens,
                "An account with another url sends with the token of the first one: keep the "
                "token in the instance.",
            )

    def test_refused_token_is_renewed(self, backend: Any, provider: Provider, lent: Lent) -> None:
        old = self._sent_with(backend, provider, lent)
        accepted = self.scripted("accepted")[0]

        def answer(request: Received) -> Answer:
            if lent.within(request) == old:
                return self._refusal_of_tokens()
            return accepted if isinstance(accepted, Answer) else accepted(request)

        provider.respond(answer)
        with clock.later(AGE):
            try:
                self.send(backend)
            except TemporarilyUnavailable:
                # Surely not sent, so that it is sent again, and then by a new token.
                self._require_sends(backend, "after a token was refused", lent)
            except SendError as error:
                fail(
                    f"A token that the provider refuses, as it does when it has ended, raises "
                    f"{told(error)}: ask for a new one, and try once more."
                )
        require(
            lent.tokens[-1] != old,
            "After the provider refused the token no new one was asked for.",
        )

    def test_refused_tokens_end_in_a_failure(
        self, backend: Any, provider: Provider, lent: Lent
    ) -> None:
        provider.respond(self._refusal_of_tokens())
        for seconds in (0, AGE, 2 * AGE):
            provider.requests.clear()
            with clock.later(seconds):
                error = self._error(backend, "refuses every token")
            calls = [r for r in provider.requests if self.is_token_call(r)]
            require(
                len(provider.requests) <= 2 * MAX_CALLS and len(calls) <= MAX_CALLS,
                f"A provider that refuses every token was asked {len(provider.requests)} times for "
                "one text: try once more with a new token, and then give up.",
            )
            require(
                isinstance(error, AuthenticationFailed | TemporarilyUnavailable),
                f"If the provider refuses every token, raise AuthenticationFailed, not "
                f"{told(error)}.",
            )

    @pytest.mark.parametrize("outage", OUTAGES)
    def test_no_token_is_no_send(
        self, factory: Any, make: Make, provider: Provider, lent: Lent, outage: str
    ) -> None:
        limits, seconds = self.impatient(factory)
        backend = make(**limits)
        self._break(provider, outage, seconds)
        errors = self._all_fail(backend, outage, seconds if outage == "waiting" else None)
        for error in errors:
            require(
                isinstance(error, TemporarilyUnavailable),
                f"A call for a token that fails ({outage}) raises {told(error)}. Nothing of the "
                "text was sent: raise TemporarilyUnavailable, so that it is sent again.",
            )
        self._require_no_send(provider, f"the call for a token failed ({outage})")
        self._lend(provider, lent)
        self._require_sends(backend, f"after a call for a token failed ({outage})", lent)

    @pytest.mark.parametrize("refusal", REFUSALS)
    def test_refused_credentials(
        self, backend: Any, provider: Provider, lent: Lent, refusal: str
    ) -> None:
        words = {"error": "invalid_client", "error_description": "Unknown client"}
        provider.respond(Answer(int(refusal), words), to=self.is_token_call)
        error = self._error(backend, "refuses the credentials")
        require(
            isinstance(error, AuthenticationFailed),
            f"If the call for a token is answered {refusal}, the credentials are wrong, and not "
            f"the text: raise AuthenticationFailed, not {told(error)}.",
        )
        self._require_no_send(provider, "the credentials were refused")
        self._lend(provider, lent)
        self._require_sends(backend, "after the credentials were refused once", lent)

    def test_throttled_token_call(self, backend: Any, provider: Provider, lent: Lent) -> None:
        answer = Answer(429, {"error": "slow down"}, {"Retry-After": "3600"})
        provider.respond(answer, to=self.is_token_call)
        error = self._error(backend, "throttles the call for a token")
        require(
            isinstance(error, Throttled | TemporarilyUnavailable),
            f"If the call for a token is throttled, raise Throttled, not {told(error)}.",
        )
        self._lend(provider, lent)
        self._require_sends(backend, "after a call for a token was throttled", lent)

    def test_odd_token_answer(self, make: Make, provider: Provider, lent: Lent) -> None:
        answer = self._token_answer(provider)
        if isinstance(answer.body, bytes | str):
            pytest.skip("the answer to a call for a token is no JSON that the kit could change")
        for path in leaves(answer.body):
            is_token = NEW_ID in str(at(answer.body, path))
            changes = [replacement(wrong) for wrong in (WRONG_TOKENS if is_token else ODD_VALUES)]
            for change in [*changes, removal]:
                body = changed(answer.body, path, change)
                self._require_sense(make(), provider, lent, Answer(answer.status, body), is_token)

    def _require_sense(
        self, backend: Any, provider: Provider, lent: Lent, answer: Answer, is_token: bool
    ) -> None:
        provider.requests.clear()
        self._lend(provider, lent, answer)
        shown = json.dumps(answer.body)[:200]
        try:
            self.send(backend)
        except TemporarilyUnavailable:
            return
        except Exception as error:
            fail(
                f"The answer {shown} to a call for a token makes send() raise {told(error)}. "
                "Nothing of the text was sent: raise TemporarilyUnavailable."
            )
        require(
            not is_token,
            f"The answer {shown} to a call for a token has none that would do, yet a text was "
            "sent: raise TemporarilyUnavailable.",
        )

    def _all_fail(self, backend: Any, outage: str, seconds: float | None) -> list[SendError]:
        """Send in several threads at once, none of which may succeed, or wait for ever."""
        limit = None if seconds is None else 2 * seconds + SLACK

        def send(_: int) -> SendError:
            return self._error(backend, f"gives no token ({outage})", limit)

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(send, range(THREADS)))

    def _break(self, provider: Provider, outage: str, seconds: float) -> None:
        which = self.is_token_call
        if outage.isdigit():
            provider.respond(Answer(int(outage), "<p>Sorry"), to=which)
        elif outage == "waiting":
            provider.hang(seconds, to=which)
        elif outage in ("a page", "{}"):
            content = "<p>Welcome to this network" if outage == "a page" else {}
            provider.respond(Answer(200, content), to=which)
        else:
            half = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"
            provider.cut_off(
                half if outage == "half an answer" else b"", reset=outage == "reset", to=which
            )

    def _lend(
        self, provider: Provider, lent: Lent | None = None, answer: Answer | None = None
    ) -> Lent:
        """Let the provider give tokens, and note them."""
        lent = Lent() if lent is None else lent
        given = self.scripted("token")[0]

        def note(request: Received) -> Answer:
            lending = answer or (given if isinstance(given, Answer) else given(request))
            require(
                answer or NEW_ID.encode() in lending.content,
                'The stubbed provider gives the same token each time: in answers["token"], put '
                "NEW_ID where the token stands.",
            )
            token = uuid.uuid4().hex
            lent.tokens.append(token)
            content = lending.content.replace(NEW_ID.encode(), token.encode())
            headers = {"Content-Type": lending.content_type, **lending.headers}
            return Answer(lending.status, content, headers)

        provider.respond(note, to=self.is_token_call)
        return lent

    def _token_answer(self, provider: Provider) -> Answer:
        given = self.scripted("token")[0]
        if isinstance(given, Answer):
            return given
        return given(Received(method="POST", path="/token", query="", headers={}))

    def _sent_with(self, backend: Any, provider: Provider, lent: Lent) -> str:
        """Send a text that must be accepted, and return the token that it went with."""
        provider.requests.clear()
        self._require_sends(backend, "with a token", lent)
        sends = [request for request in provider.requests if self.is_send(request)]
        token = lent.within(sends[-1]) if sends else None
        if token is None:
            # Lent by somebody else: another account, or another provider.
            require(
                any(self.is_token_call(request) for request in provider.requests) is False,
                "The text was sent without the token: put it where the provider wants it.",
            )
        return token or ""

    def _require_sends(self, backend: Any, when: str, lent: Lent) -> None:
        try:
            self.send(backend)
        except SendError as error:
            fail(
                f"A text {when} is not sent, although the provider gives tokens and takes texts: "
                f"{told(error)}. A failed call must leave nothing behind: release locks in a "
                "finally, and keep no failure."
            )

    def _error(self, backend: Any, what: str, seconds: float | None = None) -> SendError:
        try:
            self.send(backend, seconds=seconds)
        except SendError as error:
            return error
        except Exception as error:
            fail(f"If the provider {what}, send() lets {told(error)} out.")
        return fail(f"If the provider {what}, send() must raise.")

    def _require_no_send(self, provider: Provider, why: str) -> None:
        sends = [request for request in provider.requests if self.is_send(request)]
        require(not sends, f"A text was handed over although {why}.")

    def _refusal_of_tokens(self) -> Answer:
        for answer in self.scripted("authentication_failed"):
            if isinstance(answer, Answer) and answer.status == 401:
                return answer
        return Answer(401, {"error": "invalid_token"})

    def _other_accounts(
        self, factory: Any, options: Mapping[str, Any], make: Make
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the options of accounts with other credentials, at the same address."""
        known = {*(self.secrets or ()), *hidden(factory)}
        texts = {
            name: f"{value}0"
            for name, value in options.items()
            if isinstance(value, str) and "://" not in value
        }
        secret = {n: v for n, v in texts.items() if n in known or is_telling(n)}
        for what, changes in (("other credentials", texts), ("another secret", secret)):
            try:
                make(**changes)
            except (TypeError, ValueError, ImproperlyConfigured):
                continue
            if changes:
                yield what, changes

    def _require_no_token_calls(self, backend: Any, provider: Provider) -> None:
        """Fail if the backend seems to ask for tokens, and nothing says what it is answered."""
        provider.requests.clear()
        try:
            self.send(backend)
        except Exception:
            return
        others = [request for request in provider.requests if not self.is_send(request)]
        for request in others:
            fail(
                f"A send also calls {request.method} {request.path}. If that is a call for a "
                'token, give answers["token"] = Answer(200, {"access_token": NEW_ID, …}), so that '
                " it can be tried what becomes of a text when it fails; is_token_call() "
                "tells these calls by token or auth in their path."
            )
