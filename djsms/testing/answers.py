"""What passes between a backend and the stubbed provider: one request, one answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["NEW_ID", "Answer", "Received"]

NEW_ID = "{new-id}"
"""Stands in the body or a header of an ``Answer`` for an id that is another one each time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the stubbed provider: ``Answer(202, {"id": NEW_ID})``.

    ``body`` is sent as it is if it is bytes or text, and as JSON if it is anything else.
    ``headers`` come on top of, or in place of, the ``Content-Type`` that follows from it.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body's bytes, with the placeholder still in it."""
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()

    @property
    def content_type(self) -> str:
        for name, value in self.headers.items():
            if name.lower() == "content-type":
                return value
        return "text/plain" if isinstance(self.body, str | bytes) else "application/json"

    def with_new_id(self) -> Answer:
        """Return the answer with an id in place of the placeholder."""
        new = uuid.uuid4().hex
        headers = {name: value.replace(NEW_ID, new) for name, value in self.headers.items()}
        content = self.content.replace(NEW_ID.encode(), new.encode())
        return Answer(self.status, content, {"Content-Type": self.content_type, **headers})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as the stubbed provider received it."""

    method: str
    path: str
    query: str
    """The query as it came, without the question mark."""
    headers: Mapping[str, str]
    """By the names in lower case."""
    body: bytes = b""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query and of a form in the body; the last one of each name."""
        return dict(
            parse_qsl(self.query, keep_blank_values=True)
            + parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        )

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)
