"""Webhook requests that no provider sends: made up, and made of real ones by distortion."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from djsms.testing.recorded import FORM, Recorded

__all__ = [
    "ENCODINGS",
    "at",
    "changed",
    "fields_of",
    "leaves",
    "nonsense",
    "removal",
    "replacement",
    "with_fields",
]

ENCODINGS = ("json", "form", "query", "other")

JSON_TEXTS = (
    b"",
    b"   ",
    b"{",
    b'{"id": "1", "status": "deliv',
    b"[]",
    b"{}",
    b"[{}]",
    b"[[], 1, null]",
    b"null",
    b"true",
    b"17",
    b'"delivered"',
    b'{"id": 1, "id": 2, "status": "a", "status": "b"}',
    b'{"id": "\xff\xfe", "status": "\x80"}',
    b"\xff\xfe\x00",
    b"\0\0\0\0",
    b'{"id": "a\\u0000b", "status": "\\u0000"}',
    b'{"id": "\\ud83d", "status": "\\udc00"}',
    b'{"id": NaN, "status": Infinity, "price": -Infinity}',
    b'{"price": 1e999, "time": -1e999}',
    b'{"time": ' + b"9" * 5000 + b"}",
    b'{"time": "' + b"9" * 5000 + b'"}',
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"<xml/>",
)
FORM_TEXTS = (
    "",
    "&&&===",
    "a",
    "=",
    "id=1&id=2&status=a&status=b",
    "id=%ff%fe&status=%80",
    "id=%00&status=a%00b",
    "id=%ED%A0%BD&status=%ED%B0%80",
    "id=%zz&status=%",
    "time=" + "9" * 5000,
    "price=NaN&time=Infinity",
    "&".join(f"p{n}=x" for n in range(1500)),
    "%",
)
# What stands in place of a value, as text and, for JSON, as something else.
WRONG_TEXTS = ("", " ", "\0", "x" * 5000, "-1", "9" * 400, "NaN", "1e999", "\ud83d", "٣٤", "+")
WRONG_VALUES: tuple[Any, ...] = (None, True, 17, -1, 10**40, 1.5, [], ["x"], {}, {"x": {"y": []}})


def nonsense(encoding: str, samples: Sequence[Recorded]) -> Iterator[Recorded]:
    """Yield requests in one encoding that are wrong in some way, or just not what is expected."""
    if encoding == "json":
        for body in JSON_TEXTS:
            yield Recorded(content_type="application/json", body=body)
    elif encoding == "form":
        for text in FORM_TEXTS:
            yield Recorded.form(text)
        for body in JSON_TEXTS:
            yield Recorded(content_type=FORM, body=body)
    elif encoding == "query":
        for text in FORM_TEXTS:
            yield Recorded.get(text)
    else:
        yield from _odd_ones()
    for sample in samples:
        if _encoding_of(sample) == encoding:
            yield from _distorted(sample)
        else:
            yield _moved(sample, encoding)


def fields_of(sample: Recorded) -> list[tuple[str, str]]:
    """Return the parameters of a sample's query or form, in order."""
    text = sample.query if sample.method == "GET" else sample.body.decode("utf-8", "replace")
    return parse_qsl(text, keep_blank_values=True)


def with_fields(sample: Recorded, fields: Sequence[tuple[str, str]]) -> Recorded:
    """Return the sample with these parameters in its query or form."""
    text = "&".join(f"{quote_plus(name)}={_quoted(value)}" for name, value in fields)
    if sample.method == "GET":
        return replace(sample, query=text)
    return replace(sample, body=text.encode())


def leaves(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each single value within a JSON value, and to each container."""
    if isinstance(value, dict):
        items: Any = value.items()
    else:
        items = enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from leaves(inner, *path, key)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a path within a JSON value."""
    for key in path:
        value = value[key]
    return value


def changed(value: Any, path: tuple[Any, ...], change: Callable[[Any, Any], Any]) -> Any:
    """Return a copy of a JSON value in which ``change(container, key)`` was done at a path."""
    value = copy.deepcopy(value)
    container = value
    for key in path[:-1]:
        container = container[key]
    change(container, path[-1])
    return value


def replacement(new: Any) -> Callable[[Any, Any], None]:
    """Return a change for ``changed`` that puts a value in place of what is there."""

    def change(container: Any, key: Any) -> None:
        container[key] = new

    return change


def removal(container: Any, key: Any) -> None:
    """Take away what is there: a change for ``changed``."""
    del container[key]


def _odd_ones() -> Iterator[Recorded]:
    for method in ("GET", "POST", "PUT"):
        yield Recorded(method=method)
        yield Recorded(method=method, content_type="application/json; charset=no-such-charset")
        yield Recorded(method=method, content_type="text/plain", body=b"delivered")
    for content_type in ("", "multipart/form-data", "multipart/form-data; boundary=x", "\xff/\xff"):
        yield Recorded(
            content_type=content_type, body=b'--x\r\nContent-Disposition: form-data; name="'
        )
    yield Recorded(content_type="application/octet-stream", body=bytes(range(256)) * 4)


def _encoding_of(sample: Recorded) -> str:
    if sample.method == "GET":
        return "query"
    if sample.content_type.startswith(FORM):
        return "form"
    return "json" if sample.body.lstrip()[:1] in (b"{", b"[") else "other"


def _moved(sample: Recorded, encoding: str) -> Recorded:
    """Return a sample with its content where another encoding has it."""
    content = sample.query.encode() if sample.method == "GET" else sample.body
    if encoding == "query":
        return replace(sample, method="GET", query=content.decode("latin-1"), body=b"")
    kinds = {"json": "application/json", "form": FORM, "other": "text/plain"}
    return replace(sample, method="POST", query="", body=content, content_type=kinds[encoding])


def _distorted(sample: Recorded) -> Iterator[Recorded]:
    for name in sample.headers:
        yield replace(sample, headers=_without(sample.headers, name))
        for wrong in ("", "x", "Bearer", "Bearer x.y.z", "=" * 500, "٣"):
            yield replace(sample, headers={**sample.headers, name: wrong})
    if _encoding_of(sample) == "json":
        yield from _distorted_json(sample)
        return
    if _encoding_of(sample) == "other":
        return
    fields = fields_of(sample)
    for index, (name, value) in enumerate(fields):
        before, after = fields[:index], fields[index + 1 :]
        yield with_fields(sample, [*before, *after])
        yield with_fields(sample, [*before, (name, value), (name, value + "x"), *after])
        for wrong in WRONG_TEXTS:
            yield with_fields(sample, [*before, (name, wrong), *after])


def _distorted_json(sample: Recorded) -> Iterator[Recorded]:
    for end in range(0, len(sample.body), max(1, len(sample.body) // 10)):
        yield replace(sample, body=sample.body[:end])
    value = json.loads(sample.body)
    for path in leaves(value):
        for wrong in (*WRONG_TEXTS, *WRONG_VALUES):
            yield _with_json(sample, changed(value, path, replacement(wrong)))
        yield _with_json(sample, changed(value, path, removal))


def _with_json(sample: Recorded, value: Any) -> Recorded:
    return replace(sample, body=json.dumps(value).encode())


def _quoted(value: str) -> str:
    return quote_plus(value.encode("utf-8", "surrogatepass"))


def _without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}
