"""Settings that concern all accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.http.request import split_domain_port, validate_host

from djsms import conf
from djsms.checks.labels import label
from djsms.ledger.transactions import database
from djsms.monitoring import starting

__all__ = ["check"]

THIS_MACHINE = [".localhost", "127.0.0.1", "[::1]"]


def check() -> Iterator[CheckMessage]:
    """Check the settings, without making any gateway."""
    yield from _monitoring()
    yield from _malformed()
    yield from _accounts()
    yield from _base_url()
    yield from _unverified()
    yield from _atomic_requests()
    yield from _naive_times()


def _malformed() -> Iterator[CheckMessage]:
    for read in (
        conf.aliases,
        conf.extensions,
        conf.health_token,
        conf.keep_texts,
        conf.local_backends,
        conf.parts_timeout,
    ):
        try:
            read()
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct the setting.", id="djsms.E001")


def _monitoring() -> Iterator[CheckMessage]:
    for setting, (module, extra) in starting.PACKAGES.items():
        if getattr(settings, setting, False) is True and starting.missing(setting):
            yield Error(
                f"{setting} is on, and the package {module} is not installed.",
                hint=f"pip install 'django-simple-sms[{extra}]'",
                id="djsms.E008",
            )


def _accounts() -> Iterator[CheckMessage]:
    try:
        aliases = conf.aliases()
    except ImproperlyConfigured:
        return
    for alias in aliases:
        try:
            conf.account(alias)
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct the setting.", obj=label(alias), id="djsms.E001")
    if not aliases:
        yield CheckWarning(
            "There is no account, so no text can be sent.",
            hint="Set DJSMS_BACKEND to the name of an installed backend; djsms listbackends "
            "shows them.",
            id="djsms.W001",
        )


def _base_url() -> Iterator[CheckMessage]:
    try:
        url = conf.base_url()
    except ImproperlyConfigured:
        # The error repeats the address, and there might be a password in it.
        yield CheckWarning(
            "DJSMS_BASE_URL is not the address of a site, and no account can send before it is.",
            hint="Write the scheme and the host, such as 'https://example.com'.",
            id="djsms.W010",
        )
        return
    # As Django reads the header of a request.
    host, _ = split_domain_port(urlsplit(url).netloc.rpartition("@")[2].lower())
    if not url or (validate_host(host, THIS_MACHINE) and not settings.DEBUG):
        # Outside of development nobody is told that name, and a test run has DEBUG off.
        return
    if not validate_host(host, _allowed_hosts()):
        yield CheckWarning(
            f"ALLOWED_HOSTS lacks {host!r}, the host of DJSMS_BASE_URL, so Django answers what "
            "providers report with 400.",
            hint=f"Add {host!r} to ALLOWED_HOSTS, or correct DJSMS_BASE_URL.",
            id="djsms.W012",
        )


def _allowed_hosts() -> Iterable[str]:
    if settings.DEBUG and not settings.ALLOWED_HOSTS:
        # What Django then allows.
        return THIS_MACHINE
    return settings.ALLOWED_HOSTS


def _unverified() -> Iterator[CheckMessage]:
    if conf.allow_unverified_webhooks():
        yield CheckWarning(
            "DJSMS_ALLOW_UNVERIFIED_WEBHOOKS is on: anybody can report statuses and make up "
            "incoming texts.",
            hint="Remove it, and give providers the addresses that djsms webhooks prints: they "
            "bear a token.",
            id="djsms.W004",
        )


def _atomic_requests() -> Iterator[CheckMessage]:
    alias = database()
    if connections[alias].settings_dict["ATOMIC_REQUESTS"]:
        yield CheckWarning(
            f"ATOMIC_REQUESTS is on for the database {alias!r}: if a view fails after send_text, "
            "the rollback takes the row of a text that has gone out.",
            hint="Send with enqueue_text, whose text waits for the commit, or with "
            "transaction.on_commit, or decorate the views that send with "
            "transaction.non_atomic_requests; then add djsms.W005 to SILENCED_SYSTEM_CHECKS.",
            id="djsms.W005",
        )


def _naive_times() -> Iterator[CheckMessage]:
    if not settings.USE_TZ:
        yield CheckWarning(
            "USE_TZ is off: times are stored without their zone, and the hour that a change of "
            "clocks repeats is ambiguous.",
            hint="Set USE_TZ = True.",
            id="djsms.W006",
        )
