"""What is told of an attempt, a webhook or a turn of the queue: no number and no text is in it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Attempt", "Claim", "Enqueuing", "Facts", "FormerKey", "GivenUp", "Webhook"]


@dataclass(slots=True, kw_only=True)
class Facts:
    """Something that takes time; what is known of it only at its end is set then."""

    account: str


@dataclass(slots=True, kw_only=True)
class Attempt(Facts):
    """A call to a provider with one text."""

    backend: str
    ref: str
    segments: int
    outcome: str = ""
    """The status of its worst part, or the name of the error that it ended with."""
    is_error: bool = False


@dataclass(slots=True, kw_only=True)
class GivenUp(Facts):
    """A call whose process died, so that its outcome is unknown; takes no time."""

    backend: str


@dataclass(slots=True, kw_only=True)
class Webhook(Facts):
    """A request of a provider's. The account is empty if there is none of that name."""

    hook: str
    status: int = 0
    """The answer's."""


@dataclass(slots=True, kw_only=True)
class FormerKey(Facts):
    """A request at an address whose token a former ``SECRET_KEY`` made; takes no time."""

    hook: str


@dataclass(slots=True, kw_only=True)
class Enqueuing(Facts):
    """Storing texts that wait; they may be rolled back later."""

    priority: str
    count: int = 0


@dataclass(slots=True, kw_only=True)
class Claim(Facts):
    """Taking texts that wait from the queue."""

    count: int = 0
