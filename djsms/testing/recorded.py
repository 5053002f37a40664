"""Webhook requests of a provider, recorded, with what they are to be read as."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode

from djsms.types import IncomingText, StatusReport

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["Recorded"]

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as a provider sent it, and the values that a backend is to read in it.

    ``Recorded.json``, ``Recorded.form`` and ``Recorded.get`` write the common kinds. Where
    ``expected`` leaves ``raw`` empty it is not compared.
    """

    expected: Sequence[StatusReport | IncomingText] = ()
    method: str = "POST"
    host: str = "example.com"
    path: str = "/djsms/"
    query: str = ""
    """As it stands in the address, percent-encoded, without the question mark."""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""

    @classmethod
    def json(
        cls, value: Any, expected: Sequence[StatusReport | IncomingText] = (), **more: Any
    ) -> Self:
        """Return a POST of a value as JSON, or of a text that is JSON already."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        body = text.encode("utf-8", "surrogatepass")
        return cls(expected=expected, content_type="application/json", body=body, **more)

    @classmethod
    def form(
        cls,
        fields: Mapping[str, str] | str,
        expected: Sequence[StatusReport | IncomingText] = (),
        **more: Any,
    ) -> Self:
        """Return a POST of a form: its fields, or the body as it came."""
        body = fields if isinstance(fields, str) else urlencode(fields)
        return cls(expected=expected, content_type=FORM, body=body.encode(), **more)

    @classmethod
    def get(
        cls,
        query: Mapping[str, str] | str,
        expected: Sequence[StatusReport | IncomingText] = (),
        **more: Any,
    ) -> Self:
        """Return a GET: its parameters, or the query as it came."""
        query = query if isinstance(query, str) else urlencode(query)
        return cls(expected=expected, method="GET", query=query, **more)

    def request(self) -> HttpRequest:
        """Return the request as Django hands it to a view; a new one each time."""
        from django.core.handlers.wsgi import WSGIRequest

        environment = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "SERVER_NAME": self.host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": self.host,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.content_type,
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(self.body),
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            plain = key in ("CONTENT_TYPE", "CONTENT_LENGTH")
            environment[key if plain else f"HTTP_{key}"] = value
        return WSGIRequest(environment)
