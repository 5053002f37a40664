"""One request and its answer, or what its failure means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from djsms.calling.answers import read
from djsms.calling.call import begun
from djsms.calling.failures import FORESEEN, bare, outcome

__all__ = ["Request", "exchange"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Request:
    """What to ask for. Its repr tells nothing, since error reports show what functions hold."""

    method: str
    url: str
    arguments: Mapping[str, Any]
    """What ``requests`` takes besides: ``data``, ``json``, ``headers`` and so on."""

    def __repr__(self) -> str:
        return f"<Request {self.method}>"


def exchange(
    session: requests.Session, request: Request, *, timeout: float, deadline: float
) -> requests.Response:
    """Return the whole answer, whatever it says; raise a ``SendError`` if there is none."""
    with begun(timeout=timeout, deadline=deadline) as call:
        try:
            response = session.request(
                request.method,
                request.url,
                timeout=(timeout, timeout),
                allow_redirects=False,
                stream=True,
                **request.arguments,
            )
            read(response, call)
            return response
        except FORESEEN as error:
            told: Exception = outcome(error, call)
        except Exception as error:
            told = bare(error)
    # Out here the error that was caught is not chained to it, with the whole request in its frames.
    raise told
