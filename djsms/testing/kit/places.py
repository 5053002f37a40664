"""Where a signature stands in a request, and what can be done to it there."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from djsms.testing.kit.nonsense import fields_of, with_fields
from djsms.testing.recorded import FORM, Recorded

__all__ = ["Place", "altered", "foreign", "is_time_of_now", "places", "secret_parts", "without"]

PART = re.compile(r"[A-Za-z0-9+/_-]+")
# What is shorter is a version or the like, which a backend may pass over.
MIN_PART = 6
# Seconds within which a sample is signed and looked at.
NOW = 3600


@dataclass(frozen=True)
class Place:
    """A header, or a parameter of the query, of a form or of a JSON object."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{'header' if self.kind == 'header' else 'parameter'} {self.name}"


def places(request: Recorded, sign: Callable[[Recorded], Recorded]) -> list[Place]:
    """Return where ``sign`` puts something: what comes back if it is left out."""
    return [
        place for place in _contents(request) if place in _contents(sign(without(request, [place])))
    ]


def is_time_of_now(request: Recorded, place: Place) -> bool:
    """Return whether a UNIX time of these days stands there, in seconds or milliseconds."""
    numbers = re.findall(
        r"(?<![0-9A-Za-z])[0-9]{10}(?:[0-9]{3})?(?![0-9A-Za-z])", str(_contents(request)[place])
    )
    return any(abs(time.time() - int(number[:10])) < NOW for number in numbers)


def without(request: Recorded, left_out: Collection[Place]) -> Recorded:
    """Return the request without what stands in these places."""
    for place in left_out:
        request = _with(request, place, None)
    return request


def altered(request: Recorded, place: Place, unsigned: Collection[str]) -> Iterator[Recorded]:
    """Yield the request with each part of what stands there altered and cut short."""
    value = str(_contents(request)[place])
    for match in PART.finditer(value):
        label = re.search(r"(\w+)=\W?$", value[: match.start()])
        names = {place.name, label.group(1) if label else ""}
        if len(match.group()) < MIN_PART or _is_a_label(value, match) or names & {*unsigned}:
            continue
        for part in _others(match.group()):
            yield _with(request, place, value[: match.start()] + part + value[match.end() :])


def foreign(request: Recorded, place: Place) -> Iterator[Recorded]:
    """Yield the request with characters there that are in no signature."""
    value = str(_contents(request)[place])
    words = ["é"]
    words += [value[: m.start()] + "é" + value[m.start() + 1 :] for m in PART.finditer(value)]
    if place.kind != "header":
        words += ["€", "👋"]
    if place.kind == "json":
        words.append("\ud83d")
    for word in words:
        yield _with(request, place, word)


def secret_parts(request: Recorded, place: Place) -> set[str]:
    """Return the parts of what stands there that are long enough to be a proof."""
    return {part for part in PART.findall(str(_contents(request)[place])) if len(part) >= 16}


def _contents(request: Recorded) -> dict[Place, Any]:
    found: dict[Place, Any] = {
        Place("header", name): value for name, value in request.headers.items()
    }
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        found[Place("query", name)] = value
    if request.method != "GET" and request.content_type.startswith(FORM):
        found |= {Place("form", name): value for name, value in fields_of(request)}
    found |= {Place("json", name): value for name, value in (_object(request) or {}).items()}
    return {place: value for place, value in found.items() if not isinstance(value, dict | list)}


def _with(request: Recorded, place: Place, value: str | None) -> Recorded:
    """Return the request with another value in a place, or with none."""
    change = {} if value is None else {place.name: value}
    if place.kind == "header":
        others = {k: v for k, v in request.headers.items() if k != place.name}
        return replace(request, headers={**others, **change})
    if place.kind == "json":
        fields = {k: v for k, v in (_object(request) or {}).items() if k != place.name}
        return replace(request, body=json.dumps({**fields, **change}).encode())
    if place.kind == "query":
        # Written as that of a GET, and put back where it stood.
        as_get = replace(request, method="GET")
        return replace(_with_field(as_get, place.name, value), method=request.method)
    return _with_field(request, place.name, value)


def _with_field(request: Recorded, name: str, value: str | None) -> Recorded:
    fields = [(k, v if k != name else value) for k, v in fields_of(request)]
    return with_fields(request, [(k, v) for k, v in fields if v is not None])


def _object(request: Recorded) -> dict[str, Any] | None:
    if request.method == "GET" or request.body.lstrip()[:1] != b"{":
        return None
    value: dict[str, Any] = json.loads(request.body)
    return value


def _is_a_label(value: str, match: re.Match[str]) -> bool:
    """Return whether it names what follows: ``v1=…``, ``Bearer …``."""
    after = value[match.end() :]
    return bool(re.match(r"=[^=,;\s]|\s", after)) and not value[: match.start()].endswith("=")


def _others(part: str) -> Iterator[str]:
    for index in sorted({0, len(part) // 2, len(part) - 1}):
        yield part[:index] + _other(part[index]) + part[index + 1 :]
    for length in sorted({0, 8, len(part) // 2, len(part) - 1}):
        if length < len(part):
            yield part[:length]


def _other(character: str) -> str:
    """Return another character, which stands for other bits also at the end of some base64.

    There the last bits do not count. A digit stays one, so that a time stays a time.
    """
    for first, count, step in (("0", 10, 4), ("a", 26, 16), ("A", 26, 16)):
        place = ord(character) - ord(first)
        if 0 <= place < count:
            return chr(ord(first) + (place + step) % count)
    return "A"
