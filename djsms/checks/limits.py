"""How texts wait: windows, the engine, the region, and the accounts that take over."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from djsms import conf
from djsms.checks.labels import label

__all__ = ["check"]


def check() -> Iterator[CheckMessage]:
    """Check the settings, without making any gateway."""
    for read in (conf.windows, conf.engine, conf.region):
        try:
            read()
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Correct the setting.", id="djsms.E001")
    yield from _fallbacks()


def _fallbacks() -> Iterator[CheckMessage]:
    try:
        known = conf.aliases()
    except ImproperlyConfigured:
        return
    for alias in known:
        if problem := _fallback_problem(alias, known):
            yield Error(
                problem,
                hint=f"Correct {conf.place(alias, 'FALLBACK')}, or take it out.",
                obj=label(alias),
                id="djsms.E007",
            )


def _fallback_problem(alias: str, known: list[str]) -> str:
    way = [alias, *conf.fallbacks(alias)]
    try:
        following = conf.account(way[-1]).fallback
    except ImproperlyConfigured:
        return ""
    if following in way:
        return f"Its fallbacks go round: {' → '.join([*way, following])}."
    if following and following not in known:
        names = ", ".join(map(repr, known))
        return f"FALLBACK names {following!r}, and there is no such account (known: {names})."
    return ""
