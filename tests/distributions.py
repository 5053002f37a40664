"""Distributions as pip leaves them, in folders on the path, where the real search finds them."""

import importlib
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Folder:
    """Where a test installs distributions; each gets a folder of its own on ``sys.path``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths: list[Path] = []

    def install(
        self,
        backends: Mapping[str, str | type],
        modules: Mapping[str, str] | None = None,
        *,
        name: str = "djsms-acme",
        version: str = "1.0",
        group: str = "djsms.backends",
    ) -> Path:
        """Install a distribution that offers backends, by name: a class, or ``module:attribute``.

        ``modules`` is the source code of its modules by their names. ``group`` is that of the entry
        points, if they are no backends.
        """
        place = self.root / f"{name}-{version}"
        info = place / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = [f"{backend} = {_address(target)}" for backend, target in backends.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        for module, source in (modules or {}).items():
            (place / f"{module}.py").write_text(textwrap.dedent(source))
        sys.path.insert(0, str(place))
        importlib.invalidate_caches()
        self.paths.append(place)
        return info


@contextmanager
def folder(root: Path) -> Iterator[Folder]:
    """Let a test install distributions; at its end they are gone, and their modules too."""
    made = Folder(root)
    path, modules = sys.path[:], set(sys.modules)
    try:
        yield made
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file and root in Path(file).parents:
                del sys.modules[name]
        importlib.invalidate_caches()


def _address(target: str | type) -> str:
    return target if isinstance(target, str) else f"{target.__module__}:{target.__qualname__}"
