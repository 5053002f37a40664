"""Asking Twilio how messages stand: one request for each of its ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from djsms import SentText, StatusReport
from djsms.exceptions import Refused, SendError

from djsms_twilio import answers

if TYPE_CHECKING:
    import requests

__all__ = ["reports"]

NOT_FOUND = ("404", "20404")

# What else an id may be that came with a forged report: it becomes part of an address.
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


def reports(
    messages: Sequence[SentText], ask: Callable[[str], requests.Response]
) -> list[StatusReport]:
    """Return how the messages stand, with their prices; ``ask`` fetches one by its id.

    Messages that Twilio has no id for, or does not know any more, are left out.
    """
    found: list[StatusReport] = []
    for message in messages:
        for sid in message.provider_ids:
            if not _SID.fullmatch(sid):
                continue
            try:
                report = _report(sid, message.ref, ask)
            except SendError:
                if found:
                    return found
                raise
            if report is not None:
                found.append(report)
    return found


def _report(sid: str, ref: str, ask: Callable[[str], requests.Response]) -> StatusReport | None:
    try:
        response = ask(sid)
    except Refused as error:
        if error.code not in NOT_FOUND:
            raise
        return None
    report = answers.report(response.content, ref)
    return report if report is not None and report.provider_id == sid else None
