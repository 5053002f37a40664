"""A token that the provider lends for a while, fetched once for all threads of an account."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from djsms.calling.call import current
from djsms.exceptions import (
    AuthenticationFailed,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)

if TYPE_CHECKING:
    import requests

__all__ = ["BearerToken"]

Prepared = TypeVar("Prepared", bound="requests.PreparedRequest")

# Seconds before its end from which on a token is not relied upon; or a tenth of a short life.
MARGIN = 60.0
# A token that is refused so soon after it was fetched was not refused for its age.
FRESH = 10.0
# Seconds to wait for another thread's call, where no deadline is set.
PATIENCE = 60.0


class BearerToken:
    """Authenticates a session by a token that ``fetch`` gets from the provider.

    ``fetch`` takes nothing and returns the token and the seconds that it is good for, or None if
    the provider does not say. Give its own call another ``auth``, the credentials as a rule:

        def configure(self, session):
            session.auth = BearerToken(self._fetch)

        def _fetch(self):
            credentials = (self.client_id, self.client_secret)
            data = {"grant_type": "client_credentials"}
            answer = self.post(f"{self.url}/token", auth=credentials, data=data).json()
            return answer["access_token"], answer["expires_in"]

    One thread fetches and the others wait for it, and for its failure too. A token is renewed
    before it ends, and once after a 401, unless it had just been fetched. Whatever goes wrong with
    it, nothing of a message was sent: ``AuthenticationFailed`` if the provider refuses to give one,
    else ``TemporarilyUnavailable``.
    """

    def __init__(self, fetch: Callable[[], tuple[str, float | None]]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._token = ""
        self._fetched = self._good_until = 0.0
        self._tries = 0
        self._failure: SendError | None = None

    def __repr__(self) -> str:
        return "<BearerToken>"

    def __call__(self, request: Prepared) -> Prepared:
        request.headers["Authorization"] = f"Bearer {self._current()}"
        return request

    def is_renewed_after(self, response: requests.Response) -> bool:
        """Return whether another try is worth it: the token was refused, and there is a new one."""
        if response.status_code != 401:
            return False
        tries = self._tries
        if response.request.headers.get("Authorization") != f"Bearer {self._token}":
            return True
        if time.monotonic() - self._fetched < FRESH:
            return False
        self._renew(tries)
        return True

    def _current(self) -> str:
        tries = self._tries
        if time.monotonic() >= self._good_until:
            self._renew(tries)
        return self._token

    def _renew(self, tries: int) -> None:
        """Fetch a token, unless another thread has tried since there were so many ``tries``."""
        call = current()
        if not self._lock.acquire(timeout=call.patience() if call else PATIENCE):
            raise TemporarilyUnavailable("Another thread's call for a token takes too long.")
        try:
            if self._tries == tries:
                self._try()
            elif self._failure:
                # To ask again at once would end no better.
                raise _of_the_token(self._failure)
        finally:
            self._lock.release()

    def _try(self) -> None:
        # What ends the thread in the middle of it leaves the others a failure, and no old token.
        failure: SendError = TemporarilyUnavailable("The call for a token was broken off.")
        self._failure = failure
        try:
            token, seconds = self._fetch()
            self._token, life = _checked(token), _seconds(seconds)
        except SendError as error:
            failure = _of_the_token(error)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            failure = TemporarilyUnavailable(
                f"The answer to the call for a token is not understood: {type(error).__name__}."
            )
        else:
            self._failure = None
            self._fetched = time.monotonic()
            self._good_until = self._fetched + life - min(MARGIN, life * 0.1)
            return
        finally:
            # Only now, so that whoever began to wait in the meantime sees that it was tried.
            self._tries += 1
        self._failure = failure
        # Out here what was caught is not chained to it: its frames hold the credentials.
        raise failure


def _of_the_token(error: SendError) -> SendError:
    kind: type[SendError] = TemporarilyUnavailable
    if isinstance(error, Refused):
        kind = AuthenticationFailed
    elif isinstance(error, Throttled):
        kind = Throttled
    return kind(error.text, code=error.code, retry_after=error.retry_after)


def _checked(token: object) -> str:
    if not isinstance(token, str) or not token or not token.isascii():
        raise ValueError("no token")
    if not token.isprintable() or " " in token:
        raise ValueError("a token that no header can carry")
    return token


def _seconds(seconds: object) -> float:
    """Return how long a token lives; for ever, until it is refused, if that makes no sense."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | str):
        return math.inf
    try:
        life = float(seconds)
    except (ValueError, OverflowError):
        return math.inf
    return math.inf if math.isnan(life) else max(0.0, life)
