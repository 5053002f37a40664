"""The base of backends whose provider has an HTTP interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from djsms.backends import BaseBackend
from djsms.calling import answers
from djsms.calling.answers import retry_after
from djsms.calling.tokens import BearerToken
from djsms.exceptions import (
    AuthenticationFailed,
    InvalidOptions,
    OutcomeUnknown,
    Refused,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)
from djsms.webhooks import (
    json_object,
    json_objects,
    parameter_bytes,
    parameter_lists,
    parameters,
    public_url,
    read_each,
)

if TYPE_CHECKING:
    import requests

    from djsms.calling.exchange import Request

__all__ = [
    "BearerToken",
    "HTTPBackend",
    "json_object",
    "json_objects",
    "parameter_bytes",
    "parameter_lists",
    "parameters",
    "public_url",
    "read_each",
    "retry_after",
]

MAX_TIMEOUT = 300
MAX_DEADLINE = 600


@dataclass(frozen=True, kw_only=True)
class HTTPBackend(BaseBackend):
    """Sends with one pooled ``requests`` session, and turns its failures into ours.

    A connection that the server has closed while it lay idle is not used again; a POST is never
    repeated by itself, since nobody knows whether the first one was taken.
    """

    timeout: float = 10.0
    """Seconds to wait for the connection, and again for the answer; never without limit."""
    deadline: float = 30.0
    """Seconds that a whole call may take, from the connection to the answer's last byte, however
    steadily it drips; not counted is what the system takes to look up the host's name."""
    pool_size: int = 10
    """Connections kept open for reuse, as many as threads send at once."""

    errors_by_status: ClassVar[Mapping[int, type[SendError]]] = {}
    """The HTTP statuses that mean something else with this provider than ``raise_for_status`` says,
    as its documentation has it: ``{403: Refused, 503: TemporarilyUnavailable}``."""

    def __post_init__(self) -> None:
        _require_seconds("timeout", self.timeout, MAX_TIMEOUT)
        _require_seconds("deadline", self.deadline, MAX_DEADLINE)
        if self.deadline < self.timeout:
            raise InvalidOptions(
                f"timeout is {self.timeout!r} and deadline is {self.deadline!r}; the deadline is "
                "for the whole call, so it takes no less than the timeout."
            )
        if not isinstance(self.pool_size, int) or self.pool_size < 1:
            raise InvalidOptions(f"pool_size is {self.pool_size!r}; it takes a number from 1.")

    @cached_property
    def session(self) -> requests.Session:
        """The session of this account and process; override ``configure`` to adapt it."""
        opened = self._open()
        # From Python 3.12 on cached_property lets several threads in at once.
        kept: requests.Session = self.__dict__.setdefault("session", opened)
        if kept is not opened:
            opened.close()
        return kept

    def configure(self, session: requests.Session) -> None:
        """Adapt the new session: authentication, certificates, headers."""

    def post(self, url: str, **request: Any) -> requests.Response:
        """Send one POST and return the answer of a provider that took note of it.

        ``request`` is what ``requests`` takes: ``data``, ``json``, ``headers``. Redirects are not
        followed. Raises ``TemporarilyUnavailable`` if nothing of the request left, and
        ``OutcomeUnknown`` if it failed later, took longer than ``deadline`` seconds, or the answer
        was larger than 1 MiB; else what ``raise_for_status`` raises.
        """
        call = _request("POST", url, request)
        # Error reports show what functions hold, and both hold secrets.
        del url, request
        return self._call(call)

    def get(self, url: str, **request: Any) -> requests.Response:
        """Send one GET; what it takes, returns and raises is as with ``post``."""
        call = _request("GET", url, request)
        del url, request
        return self._call(call)

    def raise_for_status(self, response: requests.Response) -> None:
        """Raise what an HTTP status that is no success means, as far as all providers agree.

        429 is ``Throttled``, 401 and 403 are ``AuthenticationFailed``, other 4xx ``Refused``; 408,
        5xx and redirects are ``OutcomeUnknown``. 407 is ``TemporarilyUnavailable``, since it is
        from a proxy that let nothing through. ``errors_by_status`` goes before all of it; override
        the method for a provider whose words must be read.
        """
        status = response.status_code
        if status < 300:
            return
        kind = self.errors_by_status.get(status) or _usual_error(status)
        wait = retry_after(response.headers) if issubclass(kind, TemporarilyUnavailable) else None
        raise kind(answers.words(response), code=str(status), retry_after=wait)

    def _open(self) -> requests.Session:
        import requests

        from djsms.calling.adapter import WatchedAdapter

        session = requests.Session()
        adapter = WatchedAdapter(
            pool_connections=1, pool_maxsize=self.pool_size, max_retries=0, pool_block=False
        )
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        self.configure(session)
        return session

    def _call(self, request: Request) -> requests.Response:
        from djsms.calling.call import begun
        from djsms.calling.exchange import exchange

        # One deadline for both, if a token has to be renewed in between.
        with begun(timeout=self.timeout, deadline=self.deadline):
            response = exchange(self.session, request, timeout=self.timeout, deadline=self.deadline)
            auth = request.arguments.get("auth") or self.session.auth
            if isinstance(auth, BearerToken) and auth.is_renewed_after(response):
                response = exchange(
                    self.session, request, timeout=self.timeout, deadline=self.deadline
                )
        self.raise_for_status(response)
        return response


def _request(method: str, url: str, arguments: dict[str, Any]) -> Request:
    from djsms.calling.exchange import Request

    if ours := arguments.keys() & {"allow_redirects", "stream", "timeout"}:
        raise TypeError(f"{', '.join(sorted(ours))}: the backend decides, not a single request")
    return Request(method=method, url=url, arguments=arguments)


def _usual_error(status: int) -> type[SendError]:
    match status:
        case 401 | 403:
            return AuthenticationFailed
        case 407:
            return TemporarilyUnavailable
        case 408:
            return OutcomeUnknown
        case 429:
            return Throttled
        case _ if 400 <= status < 500:
            return Refused
        case _:
            return OutcomeUnknown


def _require_seconds(name: str, value: object, most: int) -> None:
    if not isinstance(value, int | float) or not 0 < value <= most:
        raise InvalidOptions(f"{name} is {value!r}; it takes seconds, up to {most}.")
