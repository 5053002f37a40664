"""``djsms webhooks``: the addresses that a provider calls, ready to paste."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.urls import NoReverseMatch

from djsms import conf
from djsms.accounts import addresses, gateways
from djsms.cli import SUBCOMMANDS
from djsms.cli.base import Subcommand
from djsms.cli.errors import sentence

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

__all__ = ["Command"]

SECRET = (
    "Treat the addresses like passwords: where requests are not signed, "
    "the token in them is the proof."
)


class Command(Subcommand):
    help = f"{SUBCOMMANDS['webhooks']} Without an account: those of all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account", nargs="?", help="The alias of one account.")

    def handle(self, *, account: str | None, verbosity: int, **options: Any) -> None:
        aliases = _aliases(account)
        _require_addresses()
        problems = [problem for alias in aliases if (problem := self._show(alias))]
        if problems:
            raise CommandError("\n".join(problems))
        if verbosity:
            self.note(SECRET)

    def _show(self, alias: str) -> str:
        """Print the addresses of an account; return why there are none, if that is wrong."""
        try:
            gateway = gateways.get(alias)
            pasted = gateway.webhook_addresses(
                addresses.webhook_url(alias, "callback"), addresses.webhook_url(alias, "incoming")
            )
        except ImproperlyConfigured as error:
            return f"Account {alias!r}: {sentence(error)}"
        except Exception as error:
            words = f"{type(error).__name__}: {sentence(error)}"
            return f"Account {alias!r}: its backend failed with {words}"
        self.say(self.style.MIGRATE_HEADING(f"{alias} ({gateway.backend})"))
        self._list(pasted)
        return ""

    def _list(self, pasted: Mapping[str, str]) -> None:
        if not pasted:
            self.say("  its backend takes no requests of a provider")
        width = max(map(len, pasted), default=0)
        for name, address in pasted.items():
            # Never broken into lines, as a table would: it is there to be copied.
            self.say(f"  {name:<{width}}  {address}")


def _aliases(account: str | None) -> list[str]:
    if account is not None:
        return [conf.account(account).alias]
    # With no account at all this raises, and says what to set.
    return conf.aliases() or [conf.account(conf.DEFAULT_ALIAS).alias]


def _require_addresses() -> None:
    lacks = []
    try:
        addresses.webhook_path(conf.DEFAULT_ALIAS, "callback")
    except NoReverseMatch:
        lacks.append(
            'add path("djsms/", include("djsms.urls")) to the urlpatterns of its ROOT_URLCONF '
            f"({settings.ROOT_URLCONF})"
        )
    if not conf.base_url():
        lacks.append(
            "set DJSMS_BASE_URL to the address at which providers reach it, such as "
            "DJSMS_BASE_URL = 'https://example.com'"
        )
    if lacks:
        raise CommandError(f"The project has no webhook addresses: {'; and '.join(lacks)}.")
