"""Messages and accounts as a person names them at the command line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

if TYPE_CHECKING:
    from djsms.models import TextMessage

__all__ = ["accounts_with", "messages_of"]


def messages_of(refs: Iterable[str]) -> list[TextMessage]:
    """Return the messages with these references, each once; raise if one is not there."""
    from djsms.ledger.transactions import rows_of
    from djsms.models import TextMessage

    found = []
    for ref in dict.fromkeys(refs):
        message = rows_of(TextMessage).filter(ref=ref.replace("-", "").lower()).first()
        if message is None:
            raise CommandError(f"{ref}: There is no such message.")
        found.append(message)
    return found


def accounts_with(hook: str) -> list[str]:
    """Return the accounts that have a hook, or that are broken: then whoever uses one says how."""
    from djsms import conf
    from djsms.accounts import gateways

    found = []
    for alias in conf.aliases():
        try:
            is_wanted = gateways.get(alias).supports(hook)
        except ImproperlyConfigured:
            is_wanted = True
        if is_wanted:
            found.append(alias)
    return found
