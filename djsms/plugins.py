"""Find backends by name among the installed distributions, and import only the one asked for."""

from __future__ import annotations

import difflib
import sys
from typing import Any

from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound

if sys.version_info >= (3, 12):
    from importlib.metadata import EntryPoint, entry_points
else:
    from importlib_metadata import EntryPoint, entry_points

__all__ = ["GROUP", "describe", "find", "installed", "load"]

GROUP = "djsms.backends"


def installed() -> list[EntryPoint]:
    """Return the entry points of all installed backends by name; imports none of them."""
    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, describe(entry)))


def find(name: str) -> EntryPoint:
    """Return the entry point of one backend.

    Raises ``BackendNotFound``, or ``BackendConflict`` if several distributions claim the name.
    """
    claims = tuple(entry_points(group=GROUP, name=name))
    if len(claims) == 1:
        return claims[0]
    if claims:
        owners = " and ".join(sorted(map(describe, claims)))
        raise BackendConflict(f"The backend name {name!r} is claimed by {owners}; uninstall one.")
    names = [entry.name for entry in installed()]
    guess = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {guess[0]!r}?" if guess else ""
    known = ", ".join(map(repr, names)) or "none"
    raise BackendNotFound(f"No installed backend is named {name!r} (installed: {known}).{hint}")


def load(name: str) -> Any:
    """Import one backend and return its class; raise ``BackendBroken`` with the reason if not."""
    entry = find(name)
    try:
        return entry.load()
    except Exception as error:
        raise BackendBroken(
            f"The backend {name!r} ({describe(entry)}) cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error


def describe(entry: EntryPoint) -> str:
    """Return the distribution and version behind an entry point, or its module if unknown."""
    if entry.dist is None:
        return f"module {entry.module}"
    return f"{entry.dist.name} {entry.dist.version}"
