"""Requests that pretend: recorded ones whose content is changed and whose signature is not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from djsms.testing.kit.nonsense import (
    at,
    changed,
    fields_of,
    leaves,
    removal,
    replacement,
    with_fields,
)
from djsms.testing.recorded import Recorded

__all__ = ["forgeries"]


def forgeries(sample: Recorded, unsigned: Collection[str]) -> Iterator[tuple[str, Recorded]]:
    """Yield what was done and the request: a value changed, and each header and value left out.

    Where the signature stands the kit does not know; with each part left out in turn, it is among
    those. ``unsigned`` are the names of parameters that no signature covers.
    """
    for name, request in _altered(sample, unsigned):
        yield f"{name} changed", request
        for header in request.headers:
            others = {key: value for key, value in request.headers.items() if key != header}
            yield f"{name} changed, header {header} left out", replace(request, headers=others)
        for other, shorter in _shortened(request):
            if other != name:
                yield f"{name} changed, {other} left out", shorter


def _altered(sample: Recorded, unsigned: Collection[str]) -> Iterator[tuple[str, Recorded]]:
    value = _json(sample)
    if value is None:
        fields = fields_of(sample)
        for index, (name, text) in enumerate(fields):
            if name not in unsigned and text:
                altered = [*fields[:index], (name, _other(text)), *fields[index + 1 :]]
                yield name, with_fields(sample, altered)
        return
    for path in leaves(value):
        single = at(value, path)
        if path[-1] not in unsigned and single and not isinstance(single, dict | list):
            other = changed(value, path, replacement(_other(single)))
            yield _name(path), replace(sample, body=json.dumps(other).encode())


def _shortened(sample: Recorded) -> Iterator[tuple[str, Recorded]]:
    value = _json(sample)
    if value is None:
        fields = fields_of(sample)
        for index, (name, _) in enumerate(fields):
            yield name, with_fields(sample, [*fields[:index], *fields[index + 1 :]])
        return
    for path in leaves(value):
        yield _name(path), replace(sample, body=json.dumps(changed(value, path, removal)).encode())


def _json(sample: Recorded) -> Any:
    if sample.method == "GET" or sample.body.lstrip()[:1] not in (b"{", b"["):
        return None
    return json.loads(sample.body)


def _name(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


def _other(value: Any) -> Any:
    """Return another value that looks as good: the last letter or digit is the next one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    text = str(value)
    for index in range(len(text) - 1, -1, -1):
        if text[index].isascii() and text[index].isalnum():
            following = {"9": "8", "z": "y", "Z": "Y"}.get(text[index], chr(ord(text[index]) + 1))
            return text[:index] + following + text[index + 1 :]
    return text + "x"
