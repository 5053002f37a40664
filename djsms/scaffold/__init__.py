"""A new backend as a complete distribution, written from templates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from djsms.scaffold.choices import AUTH, WEBHOOKS, placeholders
from djsms.scaffold.names import InvalidName, Names

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["AUTH", "WEBHOOKS", "InvalidName", "Names", "write"]

SUFFIX = ".template"


def write(name: str, parent: Path, *, auth: str = "key", webhooks: str = "token") -> list[Path]:
    """Write the distribution of a backend into a new folder and return its files.

    ``auth`` and ``webhooks`` are keys of ``AUTH`` and ``WEBHOOKS``: what the provider is like.

    Raises ``InvalidName`` if the name cannot be or is taken, ``FileExistsError`` if the folder is
    there, and another ``OSError`` if it cannot be written; then nothing of it is left.
    """
    names = Names.of(name)
    names.require_free()
    folder = parent / names.distribution
    if folder.exists():
        raise FileExistsError(f"{folder} is there already.")
    contents = dict(_contents(names, placeholders(auth, webhooks)))
    try:
        for path, text in contents.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except BaseException:
        # Half of it would stand in the way of the next try.
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return [folder / path for path in contents]


def _contents(names: Names, chosen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the path of each file within the distribution, and its text."""
    core = version("django-simple-sms")
    values = {
        **asdict(names),
        "core": core,
        "next_core": str(int(core.split(".")[0]) + 1),
        "year": str(datetime.now(UTC).year),
    }
    # What a choice brings has placeholders of its own.
    values |= {name: Template(text).substitute(values) for name, text in chosen.items()}
    for path, template in _templates(resources.files(__name__) / "templates"):
        # Dots and names of folders are spelt out in the templates' names, for packaging tools.
        target = path.removesuffix(SUFFIX).replace("dot-", ".")
        target = target.replace("module", names.module).replace("slug", names.slug)
        yield target, Template(template).substitute(values)


def _templates(folder: Traversable, path: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield f"{path}{entry.name}", entry.read_text(encoding="utf-8")
