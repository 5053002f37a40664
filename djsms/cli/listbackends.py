"""``djsms listbackends``: what is installed, what it can do, who uses it, what is wrong.

Engines are listed too.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from djsms import conf
from djsms.accounts import plugins
from djsms.cli import SUBCOMMANDS, errors, project
from djsms.cli.base import Subcommand
from djsms.cli.engine_rows import EngineRow, problem_of_engine, rows_of_engines
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from djsms.accounts.plugins import EntryPoint

__all__ = ["Command"]


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['listbackends']} Works without settings too. "
        "Exits with 1 if an account cannot use its backend."
    )
    needs_project = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")

    def handle(self, *, json: bool, verbosity: int, **options: Any) -> None:
        problems = self._load_project(verbosity)
        accounts = _accounts(problems)
        rows = [_row(entry, accounts) for entry in plugins.installed()]
        engines = rows_of_engines()
        problems += [*_problems_of(accounts, rows), *filter(None, [problem_of_engine()])]
        if json:
            self._print_json(rows, engines, problems)
        else:
            self._print_table(rows, verbosity)
            self._print_engines(engines)
        if problems:
            raise CommandError("\n".join(problems))

    def _load_project(self, verbosity: int) -> list[str]:
        """Read the project's settings; return what is wrong with them."""
        try:
            project.load()
        except project.ProjectMissing:
            if verbosity:
                self.note("No DJANGO_SETTINGS_MODULE, so nothing is known of accounts.")
        except project.ProjectBroken as error:
            return [f"{errors.sentence(error)} So nothing is known of accounts."]
        finally:
            # Backends may look at settings when they are imported.
            if not settings.configured:
                settings.configure()
        return []

    def _print_json(self, rows: list[_Row], engines: list[EngineRow], problems: list[str]) -> None:
        values = {
            "backends": [asdict(row) for row in rows],
            "engines": [asdict(row) for row in engines],
            "problems": problems,
        }
        self.stdout.write(json.dumps(values, indent=2))

    def _print_table(self, rows: list[_Row], verbosity: int) -> None:
        from djsms.cli.tables import Styled

        headers = ["name", "distribution", "version", "hooks", "accounts"]
        self.say_table(
            [*headers, "class"] if verbosity > 1 else headers,
            [
                [
                    Styled(row.name, "bold red" if row.problem else "bold green"),
                    row.distribution or "(this project)",
                    row.version,
                    Styled("broken", "red") if row.problem else ", ".join(row.hooks),
                    ", ".join(row.accounts),
                    *([row.path] if verbosity > 1 else []),
                ]
                for row in rows
            ],
        )
        self._say_problems([row.problem for row in rows])

    def _print_engines(self, rows: list[EngineRow]) -> None:
        from djsms.cli.tables import Styled

        self.say()
        self.say_table(
            ["engine", "distribution", "version", "used"],
            [
                [
                    Styled(row.name, "bold red" if row.problem else "bold green"),
                    row.distribution,
                    row.version,
                    Styled("broken", "red") if row.problem else ("yes" if row.is_used else ""),
                ]
                for row in rows
            ],
        )
        self._say_problems([row.problem for row in rows])

    def _say_problems(self, problems: list[str]) -> None:
        from djsms.cli.tables import visible

        broken = dict.fromkeys(filter(None, problems))
        if broken:
            self.say()
        for problem in broken:
            self.say(self.style.ERROR(visible(problem)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    name: str
    distribution: str
    version: str
    path: str
    hooks: tuple[str, ...]
    accounts: tuple[str, ...]
    problem: str


def _row(entry: EntryPoint, accounts: Mapping[str, str]) -> _Row:
    hooks, problem = _inspect(entry)
    name, version = plugins.distribution(entry)
    return _Row(
        name=entry.name,
        distribution=name,
        version=version,
        path=entry.value,
        hooks=hooks,
        accounts=tuple(alias for alias, backend in accounts.items() if backend == entry.name),
        problem=problem,
    )


def _inspect(entry: EntryPoint) -> tuple[tuple[str, ...], str]:
    """Return the hooks of a backend and what is wrong with it, found without making one."""
    try:
        # What a module prints when it is imported must not get into the list.
        with contextlib.redirect_stdout(sys.stderr):
            factory = plugins.import_from(entry)
        hooks = plugins.implemented_hooks(factory)
        _require_hooks(entry, factory, hooks)
        plugins.find(entry.name)
    except (BackendBroken, BackendConflict) as error:
        return (), str(error)
    return hooks, ""


def _require_hooks(entry: EntryPoint, factory: object, hooks: tuple[str, ...]) -> None:
    culprit = f"The backend {entry.name!r} ({plugins.describe(entry)})"
    if not callable(factory):
        raise BackendBroken(f"{culprit} is of type {type(factory).__name__}, not a class.")
    if isinstance(factory, type) and not hooks:
        raise BackendBroken(f"{culprit} implements no hook; are its methods marked @hookimpl?")
    for hook in hooks:
        if hook not in plugins.HOOKS:
            guess = difflib.get_close_matches(hook, plugins.HOOKS, n=1)
            hint = f" Did you mean {guess[0]!r}?" if guess else ""
            raise BackendBroken(f"{culprit} implements an unknown hook, {hook!r}.{hint}")


def _accounts(problems: list[str]) -> dict[str, str]:
    """Return the backend of each account; add to ``problems`` what cannot be read."""
    found = {}
    try:
        aliases = conf.aliases()
    except ImproperlyConfigured as error:
        problems.append(str(error))
        return {}
    for alias in aliases:
        try:
            found[alias] = conf.account(alias).backend
        except ImproperlyConfigured as error:
            problems.append(str(error))
    return found


def _problems_of(accounts: Mapping[str, str], rows: list[_Row]) -> list[str]:
    broken = {row.name for row in rows if row.problem}
    problems = []
    for alias, backend in accounts.items():
        if backend in broken:
            problems.append(f"The account {alias!r} cannot use its backend {backend!r}.")
            continue
        try:
            plugins.find(backend)
        except BackendNotFound as error:
            problems.append(f"The account {alias!r}: {error}")
    return problems
