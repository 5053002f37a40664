"""What the failure of a call proves of the message in it."""

from __future__ import annotations

import re
import traceback
from http.client import HTTPException

from requests import exceptions
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)

from djsms.calling.call import Call
from djsms.exceptions import OutcomeUnknown, Refused, SendError, TemporarilyUnavailable

__all__ = ["FORESEEN", "bare", "outcome"]

FORESEEN = (exceptions.RequestException, HTTPError, HTTPException, OSError)
"""What ``requests`` and what lies below it raise of a call that fails."""

NO_ADDRESS = (
    exceptions.InvalidSchema,
    exceptions.InvalidURL,
    exceptions.MissingSchema,
    # urllib3 finds some host names wrong only when it connects, and requests lets that through.
    LocationValueError,
)
BEFORE_ANYTHING_LEFT = (
    exceptions.ConnectTimeout,
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
)
TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: ([0-9]{3})")


def outcome(error: Exception, call: Call) -> SendError:
    """Return what one of ``FORESEEN`` means: surely not taken, or perhaps taken.

    Its words are ours: those of ``requests`` hold the whole address, with the secrets that some
    providers want in its query.
    """
    if not call.has_left and (refused := _refused(error, call)):
        return refused
    if call.is_too_large:
        return OutcomeUnknown("The provider's answer is larger than 1 MiB, so it was not read.")
    if not _nothing_left(error, call):
        return OutcomeUnknown(
            f"The connection failed after the request left: {_cause(error, call)}."
        )
    if isinstance(error, OSError) and not isinstance(error, exceptions.RequestException):
        # Of certificate files that are not there, before any connection.
        return TemporarilyUnavailable(f"The request could not be made: {error}")
    return TemporarilyUnavailable(f"No connection to the provider: {_cause(error, call)}.")


def bare(error: Exception) -> Exception:
    """Return an exception that nobody foresaw without the frames that it came through.

    They hold the request: the text, the number and the secrets. A note says where it came from.
    """
    for frame in traceback.extract_tb(error.__traceback__)[-1:]:
        error.add_note(f"It came from {frame.name}, in {frame.filename}, line {frame.lineno}.")
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _nothing_left(error: Exception, call: Call) -> bool:
    if call.is_watched:
        return not call.has_left
    # By connections that are not ours, only what can happen nowhere but before them is a proof.
    return isinstance(_original(error), BEFORE_ANYTHING_LEFT)


def _refused(error: Exception, call: Call) -> Refused | None:
    """Return what is wrong with the request itself, so that it could not be made."""
    # An address may as well be the proxy's, which says nothing of the request.
    if isinstance(error, NO_ADDRESS) and not call.is_by_proxy:
        return Refused("The provider's address is not one.")
    if isinstance(error, exceptions.InvalidHeader):
        return Refused("A header of the request holds what HTTP does not allow.")
    if isinstance(error, exceptions.InvalidJSONError):
        return Refused("The request holds what JSON does not allow.")
    return None


def _cause(error: Exception, call: Call) -> str:
    if call.is_late:
        return "the time allowed for the whole call was over"
    original = _original(error)
    if refused := TUNNEL_REFUSED.search(str(original)):
        return f"the proxy refused the way there with {refused[1]}"
    return type(original).__name__


def _original(error: BaseException) -> BaseException:
    """Return the error that all others are wrapped around."""
    for _ in range(10):
        wrapped = (getattr(error, "reason", None), *reversed(error.args))
        inner = next((value for value in wrapped if isinstance(value, BaseException)), None)
        if inner is None:
            break
        error = inner
    return error
