"""What somebody has to be woken for."""

from __future__ import annotations

from datetime import datetime, timedelta

from djsms.queue import AccountState, QueueState
from djsms.waiting import verdicts

__all__ = ["troubles"]


def troubles(state: QueueState, max_age: timedelta) -> dict[str, str]:
    """Return what is wrong, by account; empty if all goes.

    That is where a text has been due for longer than ``max_age``, also in an account that somebody
    has paused; where nobody takes what is due; and where texts wait that cannot be sent.
    """
    found = {}
    for account in state.accounts:
        age = state.moment - account.oldest_due if account.oldest_due else timedelta(0)
        if account.problem and account.waiting:
            found[account.account] = account.problem
        elif account.is_neglected:
            found[account.account] = verdicts.trouble(account)
        elif age > max_age:
            found[account.account] = _late(account, age, state.moment)
    return found


def _late(account: AccountState, age: timedelta, moment: datetime) -> str:
    due = f"A text has been due for {verdicts.span(age)}"
    why = verdicts.trouble(account).rstrip(".")
    because = f" ({why})" if why else ""
    if not account.is_open:
        return f"{due}: the account is {verdicts.word(account, moment)}{because}."
    if account.is_on_probation:
        return f"{due}: the account had closed{because}, and tries one text."
    return f"{due}: texts go, but not as fast as they become due."
