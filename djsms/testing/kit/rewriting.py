"""The same request, written otherwise: what a signature over bytes tells, and a reader does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from djsms.testing.kit.nonsense import fields_of
from djsms.testing.recorded import FORM, Recorded

__all__ = ["rewritten"]


def rewritten(sample: Recorded) -> Iterator[tuple[str, Recorded]]:
    """Yield requests with the values of a sample, and how each is written."""
    if sample.method != "GET" and sample.body.lstrip()[:1] in (b"{", b"["):
        value = json.loads(sample.body)
        for how, text in (
            ("JSON with spaces and line breaks", json.dumps(value, indent=3, ensure_ascii=False)),
            ("JSON without spaces", json.dumps(value, separators=(",", ":"), ensure_ascii=False)),
            ("JSON with characters escaped", json.dumps(value, ensure_ascii=True)),
        ):
            body = text.encode("utf-8", "surrogatepass")
            yield how, replace(sample, body=body)
            yield f"{how}, and a line break at the end", replace(sample, body=body + b"\n")
        return
    if sample.method != "GET" and not sample.content_type.startswith(FORM):
        return
    fields = fields_of(sample)
    for how, text in (
        ("spaces as %20", "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in fields)),
        ("lower-case escapes", "&".join(f"{_lower(n)}={_lower(v)}" for n, v in fields)),
    ):
        if sample.method == "GET":
            yield how, replace(sample, query=text)
        else:
            yield how, replace(sample, body=text.encode())


def _lower(text: str) -> str:
    """Return a text with all but letters and digits as escapes in lower case."""
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02x}"
        for byte in text.encode("utf-8", "surrogatepass")
    )
