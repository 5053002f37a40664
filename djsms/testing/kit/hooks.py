"""Looking at a backend's hooks as they are written, before pluggy has judged them."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, cast

import pluggy
from django.core.checks import CheckMessage
from django.http import HttpRequest

from djsms import hookspecs
from djsms.accounts import plugins

__all__ = [
    "SPECS",
    "call",
    "entry_points",
    "implemented",
    "is_written",
    "joined",
    "readable",
    "same_type",
    "types_of",
]

SPECS: Mapping[str, Callable[..., Any]] = {
    name: value
    for name, value in vars(hookspecs).items()
    if inspect.isfunction(value) and hasattr(value, "djsms_spec")
}

# What backends import for the type checker alone.
_NAMES = {
    "HttpRequest": HttpRequest,
    "CheckMessage": CheckMessage,
    "Mapping": Mapping,
    "Sequence": Sequence,
}


def entry_points(name: str) -> list[Any]:
    """Return the entry points of this name, of whichever distribution."""
    return [entry for entry in _installed(tuple(sys.path)) if entry.name == name]


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> list[Any]:
    # Looking through all distributions takes longer than most tests, and nearly all of them ask.
    return list(plugins.installed())


def implemented(backend: Any) -> dict[str, Callable[..., Any]]:
    """Return the methods marked with ``@hookimpl``, by the hook that they mean to implement."""
    marked = _marked(cast("Hashable", type(backend)))
    return {hook: getattr(backend, name) for hook, name in marked.items()}


@cache
def _marked(kind: Hashable) -> dict[str, str]:
    manager = pluggy.PluginManager("djsms")
    found = {}
    for name in dir(kind):
        options = manager.parse_hookimpl_opts(kind, name)
        if options is not None:
            found[options.get("specname") or name] = name
    return found


def is_written(method: Callable[..., Any]) -> bool:
    """Return whether a hook does anything but raise ``NotImplementedError``."""
    code = getattr(method, "__code__", None)
    return code is None or code.co_names != ("NotImplementedError",)


def call(backend: Any, hook: str, **arguments: Any) -> Any:
    """Call a hook with those of its arguments that the backend asks for, as pluggy would."""
    method = implemented(backend)[hook]
    parameters = inspect.signature(method).parameters
    return method(**{name: value for name, value in arguments.items() if name in parameters})


def types_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a function, resolved as far as possible."""
    function = inspect.unwrap(getattr(function, "__func__", function))
    names = {**_NAMES, **getattr(function, "__globals__", {})}
    try:
        return typing.get_type_hints(function, globalns=names)
    except Exception:
        # A name that only the type checker sees: then the words are compared.
        return {name: _words(value) for name, value in function.__annotations__.items()}


def same_type(given: Any, wanted: Any) -> bool:
    """Return whether an annotation is the specification's; a kind of mapping is a mapping."""
    if given == wanted:
        return True
    if isinstance(given, str):
        return given == _words(wanted)
    if typing.get_origin(wanted) is Mapping and inspect.isclass(typing.get_origin(given)):
        is_mapping = issubclass(typing.get_origin(given), Mapping)
        return is_mapping and typing.get_args(given) == typing.get_args(wanted)
    return False


def readable(annotation: Any) -> str:
    """Return an annotation as one writes it."""
    return _words(annotation)


def joined(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _words(annotation: Any) -> str:
    words = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b[A-Za-z_]\w*\.", "", words).replace(" ", "").strip("'\"")
