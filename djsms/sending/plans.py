"""What sending many messages again would mean, before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from djsms.models import TextMessage
from djsms.types import Status

__all__ = ["ResendPlan"]


class ResendPlan:
    """How many messages would be sent again, of what kinds, in how many segments."""

    def __init__(self, messages: Iterable[TextMessage]) -> None:
        self.kinds = Counter[tuple[str, str, str]]()
        """How many of each account, status and kind of error."""
        self.segments = 0
        """What is paid for, by our own count."""
        for message in messages:
            self.kinds[message.account, message.status.value, message.error_kind] += 1
            self.segments += message.segments

    @property
    def count(self) -> int:
        """How many messages there are."""
        return self.kinds.total()

    @property
    def unsure(self) -> int:
        """How many of them may have arrived, so that they may come twice."""
        return sum(n for (_, status, _), n in self.kinds.items() if status == Status.UNKNOWN.value)
