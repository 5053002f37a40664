"""Settings whose names are probably misspelt: nobody reads them, and nobody would say so."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning

from djsms import conf

__all__ = ["check"]

PREFIX = "DJSMS_"
# Of the names without their prefix. A plugin or the project may have a setting of its own with it,
# so only what is very like one of ours is told.
LIKENESS = 0.8


def check() -> Iterator[CheckMessage]:
    """Warn of each setting that is nearly, and not quite, one of ours."""
    ours = [name.removeprefix(PREFIX) for name in conf.NAMES]
    for name in sorted(dir(settings)):
        rest = name.removeprefix(PREFIX)
        if rest == name or rest in ours:
            continue
        for guess in difflib.get_close_matches(rest, ours, n=1, cutoff=LIKENESS):
            yield CheckWarning(
                f"There is no setting {name}, and it changes nothing.",
                hint=f"Did you mean {PREFIX}{guess}? If it is a setting of your own, call it by "
                "another name, or add djsms.W019 to SILENCED_SYSTEM_CHECKS.",
                id="djsms.W019",
            )
