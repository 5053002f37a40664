"""What can go wrong: run-time errors below ``TextMessageError``, configuration errors outside."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation

__all__ = [
    "AccountNotFound",
    "AuthenticationFailed",
    "BackendBroken",
    "BackendConflict",
    "BackendNotFound",
    "Forged",
    "InsufficientFunds",
    "InvalidMessage",
    "InvalidNumber",
    "InvalidOptions",
    "InvalidText",
    "InvalidWebhook",
    "KeyReused",
    "Misdirected",
    "NotSupported",
    "OutcomeUnknown",
    "RecipientBlocked",
    "Refused",
    "SendError",
    "TemporarilyUnavailable",
    "TextMessageError",
    "Throttled",
]


class TextMessageError(Exception):
    """Base of everything that can go wrong with one message or one webhook at run time."""


class InvalidMessage(TextMessageError, ValueError):
    """We refuse the message ourselves, before any call to the provider."""


class InvalidNumber(InvalidMessage):
    """A recipient or an originator is not one.

    ``code`` says in a word why: ``empty``, ``characters``, ``no_country_code``, ``country_code``,
    ``too_short``, ``too_long``, ``length``, or ``invalid`` if it is not known.
    """

    def __init__(self, *words: object, code: str = "invalid") -> None:
        super().__init__(*words)
        self.code = code


class InvalidText(InvalidMessage):
    """The text is empty, too long, or holds what no text message can carry."""


class KeyReused(InvalidMessage):
    """The key belongs to another text: with another wording, sender, recipient or account."""


class SendError(TextMessageError):
    """The call to the provider did not end in acceptance.

    ``code`` is the provider's own error code, ``text`` its words; ``retry_after`` is the number of
    seconds after which the provider says that it is worth trying again, or None.
    """

    def __init__(self, text: str = "", *, code: str = "", retry_after: float | None = None) -> None:
        # What a backend puts in here is not worth losing the outcome of a call.
        text = "" if text is None else str(text)
        super().__init__(text)
        self.text = text
        self.code = "" if code is None else str(code)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        # BaseException would pickle the positional arguments alone and lose code and retry_after.
        return type(self), self.args, {"code": self.code, "retry_after": self.retry_after}

    def __str__(self) -> str:
        if not self.code:
            return self.text
        return f"{self.text} (code {self.code})" if self.text else f"code {self.code}"


class Refused(SendError):
    """A clear no: sending the same thing again is pointless."""


class AuthenticationFailed(Refused):
    """The provider does not accept the account's credentials or signature."""


class InsufficientFunds(Refused):
    """The account with the provider has no credit left."""


class RecipientBlocked(Refused):
    """The recipient opted out, is barred or is de-activated: stop sending to this number."""


class TemporarilyUnavailable(SendError):
    """The message was surely NOT taken, and may be sent again."""


class Throttled(TemporarilyUnavailable):
    """Too many messages at once; not taken, may be sent again after ``retry_after`` seconds."""


class OutcomeUnknown(SendError):
    """Perhaps taken, perhaps not: never sent again by itself."""


class NotSupported(TextMessageError):
    """The account's backend does not implement the hook that this would need."""


class InvalidWebhook(TextMessageError, SuspiciousOperation, ValueError):
    """A webhook request that cannot be read, or that fits no value; answered with 400."""


class Misdirected(InvalidWebhook):
    """A status report at the address for incoming texts, or the reverse; the other hook reads it.

    For providers whose two addresses are set by hand, and so are swapped sooner or later.
    """


class Forged(InvalidWebhook):
    """A webhook request whose signature or token is missing or wrong; answered with 403."""


class BackendNotFound(ImproperlyConfigured):
    """No installed distribution offers a backend, or an engine, of this name."""


class AccountNotFound(BackendNotFound):
    """The settings define no account of this alias."""


class BackendBroken(ImproperlyConfigured):
    """A backend, an engine or an extension cannot be imported, or is not what it should be."""


class BackendConflict(ImproperlyConfigured):
    """Two distributions claim the same name of a backend, or of an engine."""


class InvalidOptions(ImproperlyConfigured):
    """A setting is malformed, or options do not fit the backend or the engine that they are for."""
