"""Accounts, each by its gateway and by what its backend says of itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from django.conf import settings
from django.core.checks import WARNING, CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch

from djsms import conf
from djsms.accounts import addresses, gateways, plugins
from djsms.accounts.gateways import Gateway
from djsms.backends import LocalBackend
from djsms.checks import extensions
from djsms.checks.labels import label, place_of
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound

__all__ = ["aliases", "check"]

UNUSABLE: dict[type[ImproperlyConfigured], tuple[str, str]] = {
    BackendNotFound: (
        "djsms.E002",
        "Install the distribution of the backend, or correct its name in the settings; "
        "djsms listbackends shows what is installed.",
    ),
    BackendBroken: (
        "djsms.E003",
        "Reinstall or update the distribution of the backend; djsms listbackends shows the state "
        "of each.",
    ),
    BackendConflict: ("djsms.E004", "Uninstall one of the two."),
}
# Nobody else can put these right.
UNUSABLE_LOCALS = {
    BackendBroken: "Correct its path in DJSMS_LOCAL_BACKENDS, or the class.",
    BackendConflict: "Give yours another name in DJSMS_LOCAL_BACKENDS.",
}


def check() -> Iterator[CheckMessage]:
    """Check every account; what is wrong with one does not hide the others."""
    for alias in aliases():
        yield from _account(alias)


def aliases() -> list[str]:
    """Return the accounts whose gateways can be made, as far as the settings go."""
    # These keep every gateway from being made, and are told once, not for each.
    if extensions.problems() or not _reads(conf.base_url) or not _reads(conf.aliases):
        return []
    return [alias for alias in conf.aliases() if _reads(partial(conf.account, alias))]


def _reads(setting: Callable[[], object]) -> bool:
    try:
        setting()
    except ImproperlyConfigured:
        return False
    return True


def _account(alias: str) -> Iterator[CheckMessage]:
    try:
        gateway = gateways.get(alias)
    except ImproperlyConfigured as error:
        yield _misconfigured(alias, error)
        return
    yield from _unreachable(gateway)
    yield from _own_check(gateway)


def _misconfigured(alias: str, error: ImproperlyConfigured) -> CheckMessage:
    for kind, (code, hint) in UNUSABLE.items():
        if isinstance(error, kind) and not _is_loadable(alias):
            is_local = conf.account(alias).backend in conf.local_backends()
            own = UNUSABLE_LOCALS.get(kind, hint) if is_local else hint
            return Error(str(error), hint=own, obj=label(alias), id=code)
    # A backend's constructor may raise anything for want of what it is to be made with.
    return CheckWarning(
        f"It cannot send: {error}",
        hint=f"Correct {conf.place(alias, 'OPTIONS')}; the backend's documentation lists the "
        "options. Where its credentials are not to be had, and nothing is sent, this does no harm.",
        obj=label(alias),
        id="djsms.W009",
    )


def _is_loadable(alias: str) -> bool:
    try:
        plugins.load(conf.account(alias).backend)
    except ImproperlyConfigured:
        return False
    return True


def _unreachable(gateway: Gateway) -> Iterator[CheckMessage]:
    """Warn if the provider has something to say and cannot reach us."""
    # Behind a local backend there is nobody who would.
    if isinstance(gateway.plugin, LocalBackend):
        return
    if not (gateway.supports("parse_callback") or gateway.supports("parse_incoming")):
        return
    lost = "its provider cannot deliver status reports and incoming texts."
    if not conf.base_url():
        yield CheckWarning(
            f"DJSMS_BASE_URL is not set, so {lost}",
            hint="Set it to the address at which providers reach this project, such as "
            "'https://example.com'.",
            obj=label(gateway.alias),
            id="djsms.W002",
        )
    if problem := _urls_problem(gateway.alias):
        yield CheckWarning(
            f"{problem}, so {lost}",
            hint='Add path("djsms/", include("djsms.urls")) to the urlpatterns there. Addresses '
            "are taken from ROOT_URLCONF alone, whatever URLconf a request has.",
            obj=label(gateway.alias),
            id="djsms.W003",
        )


def _own_check(gateway: Gateway) -> Iterator[CheckMessage]:
    try:
        found: list[object] = [
            *gateway.check(
                _webhook_url(gateway.alias, "callback"), _webhook_url(gateway.alias, "incoming")
            )
        ]
    except Exception as error:
        # Its words might hold an option's value, and options are secrets.
        yield _check_failed(gateway, f"raised {type(error).__name__}{place_of(error)}")
        return
    for message in found:
        if isinstance(message, CheckMessage):
            yield _about(message, gateway.alias)
        else:
            yield _check_failed(gateway, f"returned {type(message).__name__}")


def _about(message: CheckMessage, alias: str) -> CheckMessage:
    # A backend may keep its messages, and serve several accounts with them.
    told = copy.copy(message)
    told.obj = label(alias) if message.obj is None else message.obj
    # An error would keep commands from running that send nothing.
    told.level = min(message.level, WARNING)
    return told


def _check_failed(gateway: Gateway, how: str) -> CheckMessage:
    return CheckWarning(
        f"check() of the backend {gateway.backend!r} or of an extension {how}.",
        hint="This is a mistake in the backend or the extension: tell its author.",
        obj=label(gateway.alias),
        id="djsms.W011",
    )


def _webhook_url(alias: str, kind: Literal["callback", "incoming"]) -> str:
    try:
        return addresses.webhook_url(alias, kind)
    except Exception:
        # A URLconf that cannot be imported is told by Django's own checks.
        return ""


def _urls_problem(alias: str) -> str:
    """Return why the account has no addresses; empty if it has."""
    try:
        addresses.webhook_path(alias, "callback")
    except NoReverseMatch:
        place = f"The project's ROOT_URLCONF ({settings.ROOT_URLCONF})"
        if addresses.namespace() is None:
            return f"{place} does not include djsms.urls"
        return f"{place} includes djsms.urls below a path with a variable part"
    except Exception:
        # A URLconf that cannot be imported is told by Django's own checks.
        return ""
    return ""
