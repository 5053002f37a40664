"""Find backends and engines by name among what is installed, and import only the one asked for.

A project's own backends, of DJSMS_LOCAL_BACKENDS, are found beside the installed ones.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from typing import Any

from django.conf import settings

from djsms import conf, hookspecs
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound

if sys.version_info >= (3, 12):
    from importlib.metadata import EntryPoint, distributions
else:
    from importlib_metadata import EntryPoint, distributions

__all__ = [
    "COMMANDS",
    "ENGINES",
    "GROUP",
    "HOOKS",
    "EntryPoint",
    "describe",
    "distribution",
    "find",
    "implemented_hooks",
    "import_from",
    "installed",
    "load",
    "summary",
]

GROUP = "djsms.backends"
ENGINES = "djsms.engines"
COMMANDS = "djsms.commands"

# What the end of a distribution's name may be.
DISTRIBUTION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

# What messages call the members of a group.
KINDS = {GROUP: "backend", ENGINES: "engine", COMMANDS: "command"}

# What pluggy leaves on functions that are marked by @hookspec and @hookimpl.
SPEC, IMPL = "djsms_spec", "djsms_impl"

HOOKS = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, SPEC))
"""The names of all hooks, in the order of the specification."""


def installed(group: str = GROUP) -> list[EntryPoint]:
    """Return the entry points of all installed backends, or engines, by name; imports none."""
    return _survey(group)[0]


def find(name: str, group: str = GROUP) -> EntryPoint:
    """Return the entry point of one backend, or engine.

    Raises ``BackendNotFound``, or ``BackendConflict`` if several distributions claim the name.
    """
    kind = KINDS[group]
    entries, unreadable = _survey(group)
    claims = [entry for entry in entries if entry.name == name]
    if len(claims) == 1:
        return claims[0]
    if claims:
        owners = " and ".join(sorted(map(describe, claims)))
        is_ours = any(claim.dist is None for claim in claims)
        remedy = "rename yours in DJSMS_LOCAL_BACKENDS" if is_ours else "uninstall one"
        raise BackendConflict(f"The {kind} name {name!r} is claimed by {owners}; {remedy}.")
    names = [entry.name for entry in entries]
    # Somebody used to Django's own settings writes where the class is.
    paths = {entry.value.replace(":", "."): entry.name for entry in entries}
    guess = [paths[name]] if name in paths else difflib.get_close_matches(name, names, n=1)
    article = "an" if kind == "engine" else "a"
    hint = f" It takes the name of {article} {kind}, not a dotted path." if "." in name else ""
    if hint and not guess and group == GROUP:
        hint += (
            " For a class of the project itself give it a name: "
            f"DJSMS_LOCAL_BACKENDS = {{'{_short(name)}': {name!r}}}, and use that."
        )
    if guess:
        hint += f" Did you mean {guess[0]!r}?"
    elif DISTRIBUTION.fullmatch(name):
        hint += f" A distribution may bring it: pip install djsms-{name}, if there is one."
    if unreadable:
        hint += f" The entry points of {', '.join(unreadable)} cannot be read: reinstall it."
    known = ", ".join(map(repr, names)) or "none"
    raise BackendNotFound(f"No installed {kind} is named {name!r} (installed: {known}).{hint}")


def load(name: str, group: str = GROUP) -> Any:
    """Import one backend, or engine, and return its class.

    Raises ``BackendBroken`` with the reason if it cannot be imported.
    """
    return import_from(find(name, group))


def import_from(entry: EntryPoint) -> Any:
    """Import what an entry point names; raise ``BackendBroken`` with the reason if not."""
    try:
        return entry.load()
    except (Exception, SystemExit) as error:
        raise BackendBroken(
            f"The {KINDS[entry.group]} {entry.name!r} ({describe(entry)}) cannot be imported: "
            f"{type(error).__name__}: {error}"
        ) from error


def implemented_hooks(factory: object) -> tuple[str, ...]:
    """Return the hooks that a backend's class implements, without making one of it.

    They are in the order of the specification, those that it does not know at the end. Of a
    factory that is no class nothing can be known beforehand: none.
    """
    if not isinstance(factory, type):
        return ()
    names = {_hook_of(name, inspect.getattr_static(factory, name)) for name in dir(factory)} - {""}
    unknown = sorted(names.difference(HOOKS))
    return (*(hook for hook in HOOKS if hook in names), *unknown)


def describe(entry: EntryPoint) -> str:
    """Return the distribution and version behind an entry point, or its module if unknown."""
    name, version = distribution(entry)
    return f"{name} {version}".strip() or f"module {entry.module}"


def distribution(entry: EntryPoint) -> tuple[str, str]:
    """Return the name and the version of the distribution behind an entry point, as far as known.

    An installation that was cut off may have lost its metadata; it must not take others with it.
    """
    try:
        return (entry.dist.name or "", entry.dist.version or "") if entry.dist else ("", "")
    except Exception:
        return "", ""


def summary(entry: EntryPoint) -> str:
    """Return what the distribution behind an entry point says of itself; empty if unknown."""
    try:
        return str(entry.dist.metadata["Summary"] or "") if entry.dist else ""
    except Exception:
        return ""


def _survey(group: str) -> tuple[list[EntryPoint], list[str]]:
    """Return the entry points of a group, and the distributions whose own cannot be read."""
    entries = _local() if group == GROUP and settings.configured else []
    unreadable = []
    for name, dist in _distributions().items():
        try:
            # A line that is there twice counts once.
            entries += dict.fromkeys(dist.entry_points.select(group=group))
        except Exception:
            unreadable.append(name)
    return sorted(entries, key=lambda entry: (entry.name, describe(entry))), unreadable


def _local() -> list[EntryPoint]:
    """Return the project's own backends as if a distribution had brought them."""
    return [
        EntryPoint(name=name, value=":".join(path.rsplit(".", 1)), group=GROUP)
        for name, path in conf.local_backends().items()
    ]


def _short(path: str) -> str:
    """Return what a class may be called: ``ours`` for ``shop.texts.OursBackend``."""
    name = path.rpartition(".")[2].lower()
    return name.removesuffix("backend") or name


def _distributions() -> dict[str, Any]:
    """Return what is installed by its name: the first on the path, or the first with metadata."""
    found: dict[str, Any] = {}
    for dist in distributions():
        name = _name_of(dist)
        # pip renames what it is to remove to ~name, and if it is interrupted it stays.
        if name[:1].isalnum() and not (name in found and _has_metadata(found[name])):
            found[name] = dist
    return found


def _name_of(dist: Any) -> str:
    """Return the name of a distribution, from its folder's: to read all metadata takes long."""
    try:
        return str(getattr(dist, "_normalized_name", None) or dist.name)
    except Exception:
        return ""


def _has_metadata(dist: Any) -> bool:
    try:
        return bool(dist.name)
    except Exception:
        return False


def _hook_of(name: str, attribute: object) -> str:
    marks = getattr(attribute, IMPL, None)
    if not isinstance(marks, dict) or marks.get("wrapper") or marks.get("hookwrapper"):
        return ""
    return str(marks.get("specname") or name)
