"""The engine: whether it is there, and what it says of itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from django.core.checks import WARNING, CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured

from djsms import conf
from djsms.accounts import engines
from djsms.checks.labels import place_of

__all__ = ["check"]


def check() -> Iterator[CheckMessage]:
    """Check the engine by making it, and ask it. Whatever is wrong with it, texts are stored."""
    try:
        name = conf.engine()
    except ImproperlyConfigured:
        # Told with the other settings that are malformed.
        return
    try:
        engine = engines.make()
    except ImproperlyConfigured as error:
        yield Error(
            f"Nobody is woken for texts that wait: {error}",
            hint="Install what it needs, or correct DJSMS_ENGINE and DJSMS_ENGINE_OPTIONS; "
            "djsms listbackends shows what is installed.",
            id="djsms.E011",
        )
        return
    yield from _own_check(name, engine)


def _own_check(name: str, engine: object) -> Iterator[CheckMessage]:
    own = getattr(engine, "check", None)
    try:
        found = list(own()) if own is not None else []
    except Exception as error:
        yield CheckWarning(
            f"Nobody may be woken for texts that wait: the engine {name!r} raised "
            f"{type(error).__name__}{place_of(error)}: {error}",
            hint="Correct DJSMS_ENGINE_OPTIONS, or the settings of what the engine runs on.",
            id="djsms.W014",
        )
        return
    for message in found:
        told = copy.copy(message)
        told.obj = f"engine {name!r}" if message.obj is None else message.obj
        told.id = message.id or "djsms.W013"
        # An error would keep commands from running that send nothing.
        told.level = min(message.level, WARNING)
        yield told
