"""How a phone's network can behave: what the provider answers, and what it reports and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _
from djsms import Status
from djsms.exceptions import (
    OutcomeUnknown,
    RecipientBlocked,
    SendError,
    TemporarilyUnavailable,
    Throttled,
)

__all__ = ["EXPLANATIONS", "REFUSALS", "REPORTS", "Behaviour", "Report"]


class Behaviour(models.TextChoices):
    """One of the ways in which a phone, its carrier or the provider can treat a text."""

    DELIVERS = "delivers", _("Delivers")
    SLOW = "slow", _("Slow")
    OFF = "off", _("Switched off")
    SILENT = "silent", _("Reports nothing")
    TWICE = "twice", _("Twice, out of order")
    REJECTS = "rejects", _("Carrier rejects")
    BLOCKED = "blocked", _("Recipient blocked")
    DOWN = "down", _("Provider down")
    THROTTLES = "throttles", _("Provider throttles")
    BREAKS = "breaks", _("Breaks off after taking")


EXPLANATIONS = {
    Behaviour.DELIVERS: _("Sent at once, delivered a second later."),
    Behaviour.SLOW: _("Delivered after 20 seconds; replies take 3."),
    Behaviour.OFF: _("Waits; expires after 90 seconds."),
    Behaviour.SILENT: _("Gets the text; no report ever comes."),
    Behaviour.TWICE: _("Reports and replies twice, last first."),
    Behaviour.REJECTS: _("Taken by the provider, not the carrier."),
    Behaviour.BLOCKED: _("Refused: this person has opted out."),
    Behaviour.DOWN: _("The provider takes nothing."),
    Behaviour.THROTTLES: _("Takes nothing; again in 5 seconds."),
    Behaviour.BREAKS: _("Taken, answer lost; reports come later."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One status report, so long after the text was taken."""

    after: timedelta
    status: Status
    error_code: str = ""
    error_text: str = ""


def _after(seconds: float, status: Status, code: str = "", text: str = "") -> Report:
    return Report(after=timedelta(seconds=seconds), status=status, error_code=code, error_text=text)


EXPIRED = _after(90, Status.EXPIRED, "27", "Absent subscriber")
"""What a text comes to whose phone stays switched off."""

REPORTS: dict[Behaviour, tuple[Report, ...]] = {
    Behaviour.DELIVERS: (_after(0.5, Status.SENT), _after(1.5, Status.DELIVERED)),
    Behaviour.SLOW: (_after(3, Status.SENT), _after(20, Status.DELIVERED)),
    Behaviour.OFF: (_after(0.5, Status.SENT), EXPIRED),
    Behaviour.TWICE: (
        _after(0.5, Status.DELIVERED),
        _after(1, Status.SENT),
        _after(1.5, Status.DELIVERED),
        _after(2, Status.SENT),
    ),
    Behaviour.REJECTS: (_after(1, Status.REJECTED, "21", "Refused by the carrier"),),
    Behaviour.BREAKS: (_after(3, Status.SENT), _after(6, Status.DELIVERED)),
}

REFUSALS: dict[Behaviour, Callable[[], SendError]] = {
    Behaviour.BLOCKED: lambda: RecipientBlocked("The recipient has opted out", code="15"),
    Behaviour.DOWN: lambda: TemporarilyUnavailable("The provider is down"),
    Behaviour.THROTTLES: lambda: Throttled("Too many at once", code="1", retry_after=5),
    Behaviour.BREAKS: lambda: OutcomeUnknown("The connection broke off before the answer"),
}
"""What sending raises. After ``BREAKS`` the provider has the text all the same."""
