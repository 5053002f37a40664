"""Samples with one of their values changed or left out, whatever they are written in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from djsms.testing.recorded import FORM, Recorded

__all__ = ["Value", "lists_of_objects", "values_of", "with_json"]


@dataclass(frozen=True)
class Value:
    """One value in a sample: of a JSON document, or of a parameter."""

    sample: Recorded
    place: tuple[Any, ...] | int
    value: Any

    @property
    def name(self) -> str:
        if isinstance(self.place, int):
            return fields_of(self.sample)[self.place][0]
        return ".".join(map(str, self.place))

    def changed(self, new: Any) -> Recorded:
        """Return the sample with another value in this place."""
        if isinstance(self.place, tuple):
            return with_json(self.sample, changed(_json(self.sample), self.place, replacement(new)))
        fields = fields_of(self.sample)
        fields[self.place] = (fields[self.place][0], str(new))
        return with_fields(self.sample, fields)

    def left_out(self) -> Recorded:
        """Return the sample without it."""
        if isinstance(self.place, tuple):
            return with_json(self.sample, changed(_json(self.sample), self.place, removal))
        fields = fields_of(self.sample)
        del fields[self.place]
        return with_fields(self.sample, fields)


def values_of(sample: Recorded) -> Iterator[Value]:
    """Yield each single value in a sample; of a body that is neither JSON nor a form, none."""
    document = _json(sample)
    if document is not None:
        for path in leaves(document):
            value = at(document, path)
            if not isinstance(value, dict | list):
                yield Value(sample, path, value)
    elif sample.method == "GET" or sample.content_type.startswith(FORM):
        for index, (_, text) in enumerate(fields_of(sample)):
            yield Value(sample, index, text)


def lists_of_objects(sample: Recorded) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """Yield the path to each list of objects in a JSON document, and the list."""
    document = _json(sample)
    for path in [(), *leaves(document)] if document is not None else ():
        value = at(document, path)
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            yield path, value


def with_json(sample: Recorded, document: Any) -> Recorded:
    """Return the sample with another document in its body."""
    text = json.dumps(document, ensure_ascii=False)
    return replace(sample, body=text.encode("utf-8", "surrogatepass"))


def _json(sample: Recorded) -> Any:
    if sample.method == "GET" or sample.body.lstrip()[:1] not in (b"{", b"["):
        return None
    return json.loads(sample.body)
