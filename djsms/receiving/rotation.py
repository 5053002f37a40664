"""Addresses that providers call with a token of a former SECRET_KEY: told, so that nobody takes the
key away too early."""

from __future__ import annotations

import logging
import time

from djsms.accounts import addresses
from djsms.observing.facts import FormerKey
from djsms.observing.observers import around

__all__ = ["tell_of_old_token"]

logger = logging.getLogger("djsms")

# How long a process does not repeat itself about one address.
QUIET = 3600.0  # seconds

_told: dict[tuple[str, str], float] = {}


def tell_of_old_token(alias: str, hook: str, token: str) -> None:
    """Tell if a token that counts is not that of today's key; the log once an hour an address."""
    if addresses.is_of_today(alias, token):
        return
    with around(FormerKey(account=alias, hook=hook)):
        pass
    now = time.monotonic()
    if now - _told.get((alias, hook), -QUIET) < QUIET:
        return
    _told[alias, hook] = now
    logger.warning(
        "Webhook of account %s: %s was called at an address of a former SECRET_KEY, which works as "
        "long as the key is in SECRET_KEY_FALLBACKS. Give the provider the one that djsms webhooks "
        "prints.",
        alias,
        hook,
    )
