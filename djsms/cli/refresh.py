"""``djsms refresh``: asks the providers how messages stand of which nothing was heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from djsms.cli import SUBCOMMANDS, errors, moments
from djsms.cli.base import Subcommand
from djsms.cli.references import accounts_with, messages_of
from djsms.cli.tables import Styled

if TYPE_CHECKING:
    from djsms.models import TextMessage
    from djsms.receiving.refreshing import Refreshed

__all__ = ["Command"]

PAGE = 500


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['refresh']} Without references: those unknown, and of those whose status "
        "reports were wanted the ones on their way or without a price. Exits with 1 if a provider "
        "could not be asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("refs", nargs="*", metavar="REF", help="Our reference of a message.")
        parser.add_argument(
            "--since",
            type=moments.moment,
            metavar="WHEN",
            help="Those made since then: 30min, 2h, 3d, or a date and time (default: 2d).",
        )
        parser.add_argument("--account", help="Those of this account.")

    def handle(
        self,
        *,
        refs: list[str],
        since: datetime | None,
        account: str | None,
        verbosity: int,
        **options: Any,
    ) -> None:
        from djsms import conf
        from djsms.receiving.refreshing import refresh, unsettled

        if refs and (since or account):
            raise CommandError("Give either references, or --since and --account.", returncode=2)
        with errors.told():
            if refs:
                results = refresh(_asked_about(refs))
            else:
                aliases = (
                    [conf.account(account).alias] if account else accounts_with("fetch_reports")
                )
                results = [_in_pages(alias, _keys(unsettled(alias, since))) for alias in aliases]
        if not results:
            raise CommandError("There is no account whose backend can ask.")
        if verbosity:
            self.say_table(["account", "asked about", "news", "problem"], map(_row, results))
            for message in messages_of(refs):
                words = f"{message.status} ({message.status.explanation})"
                self.say(f"{message.ref}  {words}")
        if any(result.problem for result in results):
            raise CommandError("Not all could be asked.")


def _row(result: Refreshed) -> list[str]:
    problem = Styled(errors.one_line(result.problem), "red")
    return [result.account, f"{result.asked:,}", f"{result.news:,}", problem]


def _in_pages(alias: str, keys: Sequence[int]) -> Refreshed:
    """Ask about many, of which not all are kept in memory."""
    from djsms.ledger.transactions import rows_of
    from djsms.models import TextMessage
    from djsms.receiving.refreshing import Refreshed, refresh

    total = Refreshed(account=alias)
    for start in range(0, len(keys), PAGE):
        page = rows_of(TextMessage).filter(pk__in=keys[start : start + PAGE])
        for result in refresh(page.order_by("pk")):
            total.asked += result.asked
            total.news += result.news
            total.problem = result.problem
        if total.problem:
            break
    return total


def _keys(messages: Any) -> list[int]:
    return list(messages.values_list("pk", flat=True))


def _asked_about(refs: Sequence[str]) -> list[TextMessage]:
    messages = messages_of(refs)
    for message in messages:
        if message.attempted_on is None:
            raise CommandError(f"{message.ref}: Its provider was never called for it.")
        if message.erased_on is not None:
            raise CommandError(f"{message.ref}: It was erased, and providers want its number.")
    return messages
