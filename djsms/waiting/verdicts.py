"""How the queue stands, in the words that a person reads first."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from djsms import conf
from djsms.waiting import breaker
from djsms.waiting.states import AccountState, QueueState

# As the gate keeps it for whoever reads, in whatever language.
FAILED = re.compile(r"(?P<count>[0-9]+) calls in a row failed, the last by (?P<kind>[A-Za-z]+)")

SOON = timedelta(hours=1)

__all__ = ["clock_time", "goes", "is_attended", "span", "told", "trouble", "verdict", "word"]


def verdict(state: QueueState) -> list[str]:
    """Return how the queue stands in sentences: first the whole, then each account in trouble."""
    troubled = [account for account in state.accounts if not goes(account)]
    return [
        f"{_sending(state)} {_waiting(state)}",
        *(told(account, state.moment) for account in troubled),
    ]


def goes(account: AccountState) -> bool:
    """Return whether what is due of an account goes."""
    return account.is_open and not account.is_neglected


def is_attended(state: QueueState) -> bool:
    """Return whether anybody is known to look for what is due; of other engines it is believed."""
    return conf.engine() != "worker" or any(not worker.is_stopping for worker in state.workers)


def word(account: AccountState, moment: datetime) -> str:
    """Return in a word or two how an account stands."""
    if account.problem:
        return _("cannot send") if account.is_configured else _("not in the settings")
    if account.paused_on is not None:
        return _("paused since %(time)s") % {"time": clock_time(account.paused_on, moment)}
    if account.closed_until is not None:
        return _("closed until %(time)s") % {"time": clock_time(account.closed_until, moment)}
    if account.is_neglected:
        return _("nobody sends")
    return _("tries one text") if account.is_on_probation else _("open")


def trouble(account: AccountState) -> str:
    """Return why an account does not send; empty if it does."""
    if account.problem:
        return account.problem
    if account.is_neglected:
        return f"{_('Nobody has taken anything for five minutes.')} {_hint()}"
    return _translated(account.reason)


def told(account: AccountState, moment: datetime) -> str:
    """Return in a sentence how an account stands, and why."""
    words = word(account, moment)
    why = trouble(account).rstrip(".")
    return f"{account.account}: {words}{f' ({why})' if why else ''}."


def clock_time(when: datetime, moment: datetime) -> str:
    """Return a time as a clock in the current time zone shows it, with the day if it is another.

    With seconds if it is less than an hour ahead, so that one who waits for it knows how long.
    """
    local, today = timezone.localtime(when), timezone.localtime(moment)
    clock = "%H:%M:%S" if moment < when < moment + SOON else "%H:%M"
    return f"{local:{clock if local.date() == today.date() else f'%Y-%m-%d {clock}'}}"


def span(length: timedelta) -> str:
    """Return about how long a time is: ``40 s``, ``12 min``, ``3 h 5 min``, ``2 d``."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return _("%(seconds)s s") % {"seconds": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(minutes)s min") % {"minutes": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return _("%(days)s d") % {"days": hours // 24}
    if minutes:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%(hours)s h") % {"hours": hours}


def _translated(reason: str) -> str:
    """Return in the current language why an account closed by itself; as it is, a person's."""
    if reason in (*breaker.DENIALS.values(), breaker.THROTTLES):
        return _(reason)
    if found := FAILED.fullmatch(reason):
        return _("%(count)s calls in a row failed, the last by %(kind)s") % found.groupdict()
    return reason


def _hint() -> str:
    engine = conf.engine()
    if engine == "worker":
        return _("Is djsms work running?")
    return _("Do the workers of the engine %(engine)r run, and djsms sweep?") % {"engine": engine}


def _sending(state: QueueState) -> str:
    count, most = sum(map(goes, state.accounts)), len(state.accounts)
    if most == 0:
        return _("There is no account.")
    if count == 0:
        return _("Nothing is sent.")
    if not is_attended(state):
        return _("Nobody sends just now: no djsms work was seen in the last minute.")
    if most == 1:
        return _("Texts are sent.")
    if count == most:
        return _("All %(count)s accounts send.") % {"count": most}
    words = ngettext(
        "%(count)s of %(most)s accounts sends.", "%(count)s of %(most)s accounts send.", count
    )
    return words % {"count": count, "most": most}


def _waiting(state: QueueState) -> str:
    waiting = sum(account.waiting for account in state.accounts)
    if not waiting:
        return _("Nothing waits.")
    told = {"count": number_format(waiting, use_l10n=True, force_grouping=True)}
    since = min(filter(None, (account.oldest_due for account in state.accounts)), default=None)
    if since is None:
        first = min(account.next_due for account in state.accounts if account.next_due)
        words = ngettext(
            "%(count)s text waits, and is not due before %(time)s.",
            "%(count)s texts wait, none of them due before %(time)s.",
            waiting,
        )
        return words % {**told, "time": clock_time(first, state.moment)}
    words = ngettext(
        "%(count)s text waits; the oldest has been due for %(time)s.",
        "%(count)s texts wait; the oldest has been due for %(time)s.",
        waiting,
    )
    return words % {**told, "time": span(state.moment - since)}
