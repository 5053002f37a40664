"""What somebody has to be woken for."""

from __future__ import annotations

from datetime import timedelta

from djsms.queue import QueueState
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
            word = verdicts.word(account, state.moment)
            found[account.account] = f"A text has been due for {verdicts.span(age)}: {word}."
    return found
