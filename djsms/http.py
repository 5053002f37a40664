"""The base of backends whose provider has an HTTP interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from djsms.backends import BaseBackend
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
)

if TYPE_CHECKING:
    import requests

# OpenSSL's names of what ends a handshake before any of the request has left. Other TLS errors may
# come later, so they prove nothing.
HANDSHAKE_FAILURES = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "NO_CERTIFICATE_OR_CRL_FOUND",
        "WRONG_VERSION_NUMBER",
        "UNSUPPORTED_PROTOCOL",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "DH_KEY_TOO_SMALL",
    }
)

__all__ = [
    "HTTPBackend",
    "json_object",
    "json_objects",
    "parameter_bytes",
    "parameter_lists",
    "parameters",
    "public_url",
    "retry_after",
]


@dataclass(frozen=True, kw_only=True)
class HTTPBackend(BaseBackend):
    """Sends with one pooled ``requests`` session, and turns its failures into ours.

    A connection that the server has closed while it lay idle is not used again; a POST is never
    repeated by itself, since nobody knows whether the first one was taken.
    """

    timeout: float = 10.0
    """Seconds to wait for the connection, and again for the answer; never without limit."""
    pool_size: int = 10
    """Connections kept open for reuse, as many as threads send at once."""

    def __post_init__(self) -> None:
        if not isinstance(self.timeout, int | float) or not 0 < self.timeout <= 300:
            raise InvalidOptions(f"timeout is {self.timeout!r}; it takes seconds, up to 300.")
        if not isinstance(self.pool_size, int) or self.pool_size < 1:
            raise InvalidOptions(f"pool_size is {self.pool_size!r}; it takes a number from 1.")

    @cached_property
    def session(self) -> requests.Session:
        """The session of this account and process; override ``configure`` to adapt it."""
        import requests
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        adapter = HTTPAdapter(
            pool_connections=1, pool_maxsize=self.pool_size, max_retries=0, pool_block=False
        )
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        self.configure(session)
        return session

    def configure(self, session: requests.Session) -> None:
        """Adapt the new session: authentication, certificates, headers."""

    def post(self, url: str, **request: Any) -> requests.Response:
        """Send one POST and return the answer of a provider that took note of it.

        ``request`` is what ``requests`` takes: ``data``, ``json``, ``headers``. Redirects are not
        followed. Raises ``TemporarilyUnavailable`` if no connection came about, ``OutcomeUnknown``
        if it was cut off or timed out later, and what ``raise_for_status`` raises.
        """
        return self._call("POST", url, **request)

    def get(self, url: str, **request: Any) -> requests.Response:
        """Send one GET; what it takes, returns and raises is as with ``post``."""
        return self._call("GET", url, **request)

    def _call(self, method: str, url: str, **request: Any) -> requests.Response:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            response = self.session.request(
                method, url, timeout=(self.timeout, self.timeout), allow_redirects=False, **request
            )
        except (RequestException, HTTPError) as error:
            # Its words hold the whole address, with secrets in the query of some providers.
            raise _failure(error) from None
        except OSError as error:
            # requests tells so of certificate files before it connects, and wraps what comes later.
            raise TemporarilyUnavailable(f"The request could not be made: {error}") from None
        self.raise_for_status(response)
        return response

    def raise_for_status(self, response: requests.Response) -> None:
        """Raise what an HTTP status that is no success means, as far as all providers agree.

        429 is ``Throttled``, 401 and 403 are ``AuthenticationFailed``, other 4xx ``Refused``; 5xx
        and redirects are ``OutcomeUnknown``. Override it for a provider that documents otherwise.
        """
        code, words = str(response.status_code), _words(response)
        match response.status_code:
            case status if status < 300:
                return
            case 429:
                raise Throttled(words, code=code, retry_after=retry_after(response.headers))
            case 401 | 403:
                raise AuthenticationFailed(words, code=code)
            case status if 400 <= status < 500:
                raise Refused(words, code=code)
            case _:
                raise OutcomeUnknown(words, code=code)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a ``Retry-After`` header, given as a number or a date; else None."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _failure(error: Exception) -> SendError:
    from requests import exceptions
    from urllib3.exceptions import LocationValueError

    # urllib3 finds some host names wrong only when it connects, and requests lets that through.
    if isinstance(
        error,
        exceptions.InvalidURL
        | exceptions.MissingSchema
        | exceptions.InvalidSchema
        | LocationValueError,
    ):
        return Refused("The provider's address is not one.")
    if isinstance(error, exceptions.InvalidHeader):
        return Refused("A header of the request holds what HTTP does not allow.")
    if isinstance(error, exceptions.InvalidJSONError):
        return Refused("The request holds what JSON does not allow.")
    if _never_connected(error):
        return TemporarilyUnavailable(f"No connection to the provider: {_cause(error)}.")
    return OutcomeUnknown(f"The connection failed after the request left: {_cause(error)}.")


def _never_connected(error: Exception) -> bool:
    from requests.exceptions import ConnectTimeout, ProxyError
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

    if isinstance(error, ConnectTimeout | ProxyError):
        return True
    reason = _reason(error)
    if isinstance(reason, SSLError):
        return getattr(reason.args[0], "reason", None) in HANDSHAKE_FAILURES
    return isinstance(reason, NewConnectionError | ConnectTimeoutError)


def _reason(error: Exception) -> Exception | None:
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", None)


def _cause(error: Exception) -> str:
    # The words of requests' errors hold the whole address, so only the kind is told.
    return type(_reason(error) or error).__name__


def _words(response: requests.Response) -> str:
    text = response.content[:1000].decode("utf-8", "replace")
    # They end up in logs, on terminals and in the database, which does not take NUL.
    words = "".join(c if c.isprintable() else " " for c in text).split()
    return " ".join(words)[:200] or str(response.reason)
