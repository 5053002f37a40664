"""A borrowed token is fetched once, renewed in time, and its trouble is never a message's."""

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from djsms.exceptions import (
    AuthenticationFailed,
    OutcomeUnknown,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.http import BearerToken, HTTPBackend
from djsms.testing import Answer, Provider, Received

SECRET = "s3cret-of-acme"


@dataclass(frozen=True, kw_only=True)
class Acme(HTTPBackend):
    url: str
    client_secret: str = field(default=SECRET, repr=False)
    timeout: float = 2.0

    def configure(self, session: requests.Session) -> None:
        session.auth = BearerToken(self._fetch)

    def _fetch(self) -> tuple[str, float]:
        credentials = ("acme", self.client_secret)
        data = {"grant_type": "client_credentials"}
        answer = self.post(f"{self.url}/token", auth=credentials, data=data).json()
        return answer["access_token"], answer["expires_in"]

    def send(self) -> requests.Response:
        return self.post(f"{self.url}/send", json={"text": "Hi"})


class Lender:
    """The provider: lends ``token-1``, ``token-2`` and so on, and takes the last one alone."""

    def __init__(self, provider: Provider) -> None:
        self.lent = 0
        self.life: Any = 3600
        self.instead: Answer | None = None
        self.takes_any = False
        self.takes_none = False
        self.provider = provider
        provider.respond(self._answer)

    def _answer(self, request: Received) -> Answer:
        if request.path == "/token":
            if self.instead:
                return self.instead
            self.lent += 1
            return Answer(200, {"access_token": f"token-{self.lent}", "expires_in": self.life})
        good = request.headers.get("authorization") == f"Bearer token-{self.lent}"
        if self.takes_none or not (good or self.takes_any):
            return Answer(401, {"error": "expired"})
        return Answer(202, {"id": "1"})

    def calls(self, path: str) -> int:
        return sum(request.path == path for request in self.provider.requests)


@pytest.fixture
def lender() -> Iterator[Lender]:
    with Provider() as provider:
        yield Lender(provider)


@pytest.fixture
def acme(lender: Lender) -> Iterator[Acme]:
    backend = Acme(url=lender.provider.url)
    yield backend
    backend.session.close()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock of tokens on."""
    moved = [0.0]
    real = time.monotonic
    monkeypatch.setattr("djsms.calling.tokens.time.monotonic", lambda: real() + moved[0])

    def move(seconds: float) -> None:
        moved[0] += seconds

    return move


def failure(acme: Acme) -> SendError:
    with pytest.raises(SendError) as caught:
        acme.send()
    return caught.value


class TestItIsFetched:
    def test_once_for_all_messages(self, acme: Acme, lender: Lender) -> None:
        for _ in range(3):
            assert acme.send().status_code == 202
        assert lender.lent == 1

    def test_once_for_all_threads(self, acme: Acme, lender: Lender) -> None:
        together = threading.Barrier(8, timeout=5)

        def send(_: int) -> int:
            together.wait()
            return acme.send().status_code

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(send, range(8))) == [202] * 8
        assert lender.lent == 1

    def test_for_each_account_by_itself(self, acme: Acme, lender: Lender) -> None:
        other = Acme(url=lender.provider.url)
        lender.takes_any = True
        acme.send()
        other.send()
        other.session.close()
        assert lender.lent == 2

    def test_with_the_credentials_that_the_message_is_not_sent_with(
        self, acme: Acme, lender: Lender
    ) -> None:
        acme.send()
        fetched, sent = lender.provider.requests
        assert fetched.headers["authorization"].startswith("Basic ")
        assert sent.headers["authorization"] == "Bearer token-1"


class TestItIsRenewed:
    def test_before_it_ends(self, acme: Acme, lender: Lender, later: Any) -> None:
        acme.send()
        later(3600 - 61)
        acme.send()
        assert lender.lent == 1
        later(2)
        acme.send()
        assert (lender.lent, lender.calls("/send")) == (2, 3)

    def test_not_at_once_if_it_is_short_lived(self, acme: Acme, lender: Lender, later: Any) -> None:
        lender.life = 60
        acme.send()
        later(50)
        acme.send()
        assert lender.lent == 1
        later(5)
        acme.send()
        assert lender.lent == 2

    @pytest.mark.parametrize("life", [None, "soon", True, "NaN", [], 1e400])
    def test_when_it_is_refused_if_its_end_is_not_told(
        self, life: Any, acme: Acme, lender: Lender, later: Any
    ) -> None:
        lender.life = life
        acme.send()
        later(10_000_000)
        acme.send()
        assert lender.lent == 1

    def test_once_when_it_is_refused(self, acme: Acme, lender: Lender, later: Any) -> None:
        acme.send()
        later(600)
        lender.lent += 1  # lent to somebody else, so that ours is no longer good
        assert acme.send().status_code == 202
        assert (lender.lent, lender.calls("/send")) == (3, 3)

    def test_not_for_ever_when_none_is_taken(self, acme: Acme, lender: Lender, later: Any) -> None:
        acme.send()
        later(600)
        lender.takes_none = True
        assert type(failure(acme)) is AuthenticationFailed
        assert (lender.lent, lender.calls("/send")) == (2, 3)
        # This one is fresh, so that another would be refused as well.
        assert type(failure(acme)) is AuthenticationFailed
        assert (lender.lent, lender.calls("/send")) == (2, 4)

    def test_by_one_thread_when_it_is_refused_in_many(
        self, acme: Acme, lender: Lender, later: Any
    ) -> None:
        acme.send()
        later(600)
        lender.lent += 1
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: acme.send().status_code, range(8)))
        assert answers == [202] * 8
        assert lender.lent == 3


class TestAFailingCallForIt:
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            (Answer(400, {"error": "invalid_client"}), AuthenticationFailed),
            (Answer(401, {"error": "invalid_client"}), AuthenticationFailed),
            (Answer(403, "no"), AuthenticationFailed),
            (Answer(429, "slowly", {"Retry-After": "7"}), Throttled),
            (Answer(500, "oops"), TemporarilyUnavailable),
            (Answer(503, "oops"), TemporarilyUnavailable),
            (Answer(302, "there"), TemporarilyUnavailable),
            (Answer(200, "no JSON"), TemporarilyUnavailable),
            (Answer(200, "[]"), TemporarilyUnavailable),
            (Answer(200, {"token": "x"}), TemporarilyUnavailable),
            (Answer(200, {"access_token": "", "expires_in": 1}), TemporarilyUnavailable),
            (Answer(200, {"access_token": "a\r\nb", "expires_in": 1}), TemporarilyUnavailable),
            (Answer(200, {"access_token": 7, "expires_in": 1}), TemporarilyUnavailable),
        ],
    )
    def test_leaves_the_message_surely_not_sent(
        self, answer: Answer, kind: type[SendError], acme: Acme, lender: Lender
    ) -> None:
        lender.instead = answer
        error = failure(acme)
        assert type(error) is kind
        assert error.retry_after == (7 if kind is Throttled else None)
        assert lender.calls("/send") == 0

    @pytest.mark.parametrize("bad", ["hang", "cut_off", "close"])
    def test_without_an_answer_is_not_unknown(
        self, bad: str, lender: Lender, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acme = Acme(url=lender.provider.url, timeout=0.2)
        lender.provider.hang(5) if bad == "hang" else getattr(lender.provider, bad)()
        assert type(failure(acme)) is TemporarilyUnavailable
        acme.session.close()

    def test_keeps_no_lock(self, acme: Acme, lender: Lender) -> None:
        lender.instead = Answer(500, "oops")
        failure(acme)
        lender.instead = None
        assert acme.send().status_code == 202

    def test_keeps_no_lock_when_it_is_broken_off(self, acme: Acme, lender: Lender) -> None:
        fetch, ends = acme._fetch, [SystemExit()]
        acme.session.auth = BearerToken(lambda: _raise(ends.pop()) if ends else fetch())
        with pytest.raises(SystemExit):
            acme.send()
        assert acme.send().status_code == 202

    def test_is_the_failure_of_all_that_waited_for_it(self, acme: Acme, lender: Lender) -> None:
        waiting = threading.Barrier(4, timeout=5)

        class Watched(BearerToken):
            def __call__(self, request: Any) -> Any:
                # The first one waits in its fetch, and the others on their way to the lock.
                if lender.lent:
                    threading.Thread(target=waiting.wait).start()
                return super().__call__(request)

        def fetch() -> tuple[str, float]:
            lender.lent += 1
            first.set()
            waiting.wait()
            threading.Event().wait(0.3)
            raise OutcomeUnknown("silence")

        first = threading.Event()
        acme.session.auth = Watched(fetch)
        with ThreadPoolExecutor(4) as pool:
            failing = [pool.submit(failure, acme)]
            first.wait(5)
            failing += [pool.submit(failure, acme) for _ in range(3)]
            kinds = {type(future.result()) for future in failing}
        assert kinds == {TemporarilyUnavailable}
        assert lender.lent == 1

    def test_tells_no_secret(
        self, acme: Acme, lender: Lender, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        lender.instead = Answer(500, "oops")
        told = "".join(traceback.format_exception(failure(acme)))
        lender.instead = None
        acme.send()
        told += caplog.text + repr(acme) + repr(acme.session.auth)
        for secret in (SECRET, "token-1", "Basic "):
            assert secret not in told


def _raise(error: BaseException) -> Any:
    raise error
