"""System checks of the settings, with stable ids.

Errors are what is wrong with the code: they keep Django's commands from running. What a deployment
adds to it, credentials, addresses and files, is not there where an image is built or the tests run,
and nothing but sending needs it: that is a warning, whatever a backend makes of it.

- ``djsms.E001`` a setting is malformed
- ``djsms.E002`` no installed backend has this name
- ``djsms.E003`` a backend is broken
- ``djsms.E004`` two distributions claim a backend's name
- ``djsms.E005`` the database of the messages does not take every character (``--database``,
  and so ``migrate``, only)
- ``djsms.E006`` an extension is broken
- ``djsms.E007`` the account that should take over is not there, or leads back
- ``djsms.E008`` the package is missing that a setting for monitoring needs
- ``djsms.E011`` the engine cannot be made
- ``djsms.W001`` there is no account
- ``djsms.W002`` ``DJSMS_BASE_URL`` is not set, and a provider may have something to report
- ``djsms.W003`` ``djsms.urls`` is not included, and a provider may have something to report
- ``djsms.W004`` webhook requests are believed that nothing proves
- ``djsms.W005`` requests run in transactions, which may take the row of a text that has gone out
- ``djsms.W006`` ``USE_TZ`` is off
- ``djsms.W007`` providers are to report over plain HTTP (``--deploy`` only)
- ``djsms.W008`` an account's texts do not leave this machine (``--deploy`` only)
- ``djsms.W009`` an account's options do not fit its backend, so it cannot send
- ``djsms.W010`` ``DJSMS_BASE_URL`` is no address, so no account can send
- ``djsms.W011`` a backend's or an extension's own check failed
- ``djsms.W012`` ``ALLOWED_HOSTS`` lacks the host of ``DJSMS_BASE_URL``
- ``djsms.W013`` the engine's own check found something
- ``djsms.W014`` the engine's own check failed
- ``djsms.W015`` texts wait for an account that the settings lost (``--database`` only)
- ``djsms.W016`` texts are due, and nobody sends them (``--database`` only)
- ``djsms.W017`` a commit may be lost, and a text be sent twice (``--deploy --database`` only)
- ``djsms.W018`` transactions are stricter than they need be (``--deploy --database`` only)
- ``djsms.W019`` a setting's name is probably misspelt

Backends add their own. None touches the network, and none shows an option's value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, register

__all__ = [
    "check_accounts",
    "check_databases",
    "check_deployment",
    "check_durability",
    "check_engine",
    "check_limits",
    "check_settings",
]

# The work is imported when the checks run, so that setting up Django stays fast.


@register("djsms")
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check what concerns all accounts."""
    from djsms.checks import extensions, names, project

    return [*project.check(), *names.check(), *extensions.check()]


@register("djsms")
def check_limits(**kwargs: Any) -> list[CheckMessage]:
    """Check how texts wait, and who takes over."""
    from djsms.checks import limits

    return list(limits.check())


@register("djsms")
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    """Check who is woken when texts wait."""
    from djsms.checks import engines

    return list(engines.check())


@register("djsms")
def check_accounts(**kwargs: Any) -> list[CheckMessage]:
    """Check each account by making its gateway, and ask its backend."""
    from djsms.checks import accounts

    return list(accounts.check())


@register("djsms", Tags.database)
def check_databases(*, databases: Sequence[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check the database of the messages, and what waits in it, if databases may be asked."""
    from djsms.checks import databases as checks
    from djsms.checks import queue

    return [*checks.check(databases or ()), *queue.check(databases or ())]


@register("djsms", deploy=True)
def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """Check what is fine in development and a mistake in production."""
    from djsms.checks import deployment

    return list(deployment.check())


@register("djsms", Tags.database, deploy=True)
def check_durability(*, databases: Sequence[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check whether the database keeps what the queue relies on, if databases may be asked."""
    from djsms.checks import queue

    return list(queue.check_durability(databases or ()))
