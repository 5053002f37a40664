"""Who failed, of a backend and the extensions around it: whose code raised an error last."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterable
from types import CodeType

import pluggy

__all__ = ["raised_by"]


def raised_by(error: BaseException, implementations: Iterable[pluggy.HookImpl]) -> str:
    """Return the name of the plugin in whose hook an error was raised; empty if none is found.

    What passes through a wrapper was raised further in.
    """
    names = {code: impl.plugin_name for impl in implementations if (code := _code(impl))}
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((names[code] for code in reversed(frames) if code in names), "")


def _code(implementation: pluggy.HookImpl) -> CodeType | None:
    # A hook may be wrapped by a decorator, whose own code is of little interest.
    found = inspect.unwrap(implementation.function)
    return getattr(found, "__code__", None)
