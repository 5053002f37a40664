"""The distributions of this repository, each as its pyproject.toml says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Distribution:
    folder: Path
    name: str
    version: str
    packages: tuple[str, ...]

    @property
    def tag(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def stem(self) -> str:
        """How the names of its files begin: PEP 427 and PEP 625."""
        return f"{self.name.replace('-', '_')}-{self.version}"


def all_in(root: Path = ROOT) -> list[Distribution]:
    folders = [root, *sorted(path.parent for path in root.glob("plugins/*/pyproject.toml"))]
    return [_read(folder) for folder in folders]


def _read(folder: Path) -> Distribution:
    told = tomllib.loads((folder / "pyproject.toml").read_text())
    packages = told["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return Distribution(
        folder, told["project"]["name"], told["project"]["version"], tuple(packages)
    )
