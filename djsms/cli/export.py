"""``djsms export``: messages as CSV, for spreadsheets and programs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from djsms.cli import SUBCOMMANDS, moments
from djsms.cli.base import Subcommand

__all__ = ["Command"]


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['export']} Texts are left out unless --texts is given, since one-time codes "
        "are in them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since",
            type=moments.moment,
            metavar="WHEN",
            help="Those made since then: 30min, 2h, 3d, or a date and time.",
        )
        parser.add_argument(
            "--before", type=moments.moment, metavar="WHEN", help="Those made before then."
        )
        parser.add_argument("--account", help="Those of this account.")
        parser.add_argument("--status", action="append", help="Those of this status; repeatable.")
        parser.add_argument("--direction", choices=("outgoing", "incoming"))
        parser.add_argument(
            "--texts", action="store_true", help="Also what messages say, and providers of them."
        )
        parser.add_argument("--output", type=Path, metavar="FILE", help="Default: standard output.")

    def handle(
        self,
        *,
        since: datetime | None,
        before: datetime | None,
        account: str | None,
        status: list[str] | None,
        direction: str | None,
        texts: bool,
        output: Path | None,
        **options: Any,
    ) -> None:
        from djsms.ledger import clock
        from djsms.ledger.exported import csv_pages
        from djsms.ledger.transactions import rows_of
        from djsms.models import TextMessage

        _require_statuses(status or [])
        conditions = {
            "created_on__gte": clock.stored(since) if since else None,
            "created_on__lt": clock.stored(before) if before else None,
            "account": account,
            "status__in": status,
            "direction": direction,
        }
        wanted = {name: value for name, value in conditions.items() if value is not None}
        pages = csv_pages(rows_of(TextMessage).filter(**wanted), with_words=texts)
        # A database that cannot be read leaves no file, and no empty one in another's place.
        header = next(pages)
        with self._written(output) as write:
            write(header)
            for page in pages:
                write(page)

    @contextlib.contextmanager
    def _written(self, output: Path | None) -> Iterator[Callable[[str], object]]:
        if output is None:
            yield lambda page: self.stdout.write(self._expressed(page), ending="")
            return
        try:
            with output.open("w", encoding="utf-8", newline="") as file:
                yield file.write
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error

    def _expressed(self, page: str) -> str:
        return page.encode(self.encoding, "backslashreplace").decode(self.encoding)


def _require_statuses(words: list[str]) -> None:
    from djsms.types import Status

    known = [status.value for status in Status]
    for word in words:
        if word not in known:
            raise CommandError(f"{word!r} is no status; they are {', '.join(known)}.", returncode=2)
