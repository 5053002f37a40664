"""``djsms balance``: the credit that the accounts have left with their providers."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from djsms.cli import SUBCOMMANDS, errors
from djsms.cli.base import Subcommand
from djsms.cli.references import accounts_with
from djsms.cli.tables import Styled

__all__ = ["Command"]


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['balance']} Without names, all whose backend can ask. Exits with 1 if one "
        "could not be asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("accounts", nargs="*", metavar="ACCOUNT")

    def handle(self, *, accounts: list[str], **options: Any) -> None:
        with errors.told():
            rows = [_row(alias) for alias in accounts or accounts_with("fetch_balance")]
        if not rows:
            raise CommandError("There is no account whose backend can ask for its credit.")
        self.say_table(["account", "credit", "currency", "problem"], rows)
        if any(problem for *_, problem in rows):
            raise CommandError("Not all could be asked.")


def _row(alias: str) -> list[str]:
    from djsms.accounts import gateways
    from djsms.exceptions import AccountNotFound

    try:
        balance = gateways.get(alias).fetch_balance()
    except AccountNotFound:
        raise
    except Exception as error:
        # Whatever one backend does, the others are asked.
        words = errors.one_line(error)
        return [alias, "", "", Styled(f"{type(error).__name__}: {words}".rstrip(": "), "red")]
    return [alias, f"{balance.amount:f}", balance.currency, ""]
