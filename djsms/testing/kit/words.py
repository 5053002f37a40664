"""How a test of the kit speaks to the author of a backend."""

from __future__ import annotations

from typing import NoReturn

import pytest

__all__ = ["fail", "require", "told"]


def fail(words: str) -> NoReturn:
    """Fail the test with words for the author; the kit's own lines would tell nothing."""
    raise pytest.fail.Exception(words, pytrace=False) from None


def require(condition: object, words: str) -> None:
    if not condition:
        fail(words)


def told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
