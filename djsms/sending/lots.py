"""The messages of one call, read lazily and stored lot by lot."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from django.core.exceptions import ImproperlyConfigured

from djsms.exceptions import TextMessageError
from djsms.models import TextMessage
from djsms.sending.arguments import typed
from djsms.sending.drafts import Draft, draft
from djsms.sending.rows import store_lot

__all__ = ["Item", "Lots", "Turn"]

Item: TypeAlias = "Sequence[Any] | Mapping[str, Any]"

LOT = 25

REQUIRED = ("text", "frm", "to")
# What others call the same.
OTHER_WORDS = {
    "from": "frm",
    "from_": "frm",
    "sender": "frm",
    "originator": "frm",
    "recipient": "to",
    "number": "to",
    "phone": "to",
    "body": "text",
    "message": "text",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """A message whose turn to be sent has come."""

    new: Draft
    message: TextMessage
    """Its row, or the one that has its key already."""
    is_new: bool


def _draft(**given: Any) -> Draft:
    return draft(typed(**given))


class Lots:
    """Hands out the turns, in order, and stores the next lot when the last one is used up.

    ``error`` is what kept it from reading on. Those before it have their turns, unless they are of
    a lot that was not stored: one with a message that is wrong beyond what a row could say.
    ``make`` makes the draft of a message from its arguments.
    """

    def __init__(
        self,
        messages: Iterable[Item],
        defaults: Mapping[str, Any],
        *,
        make: Callable[..., Draft] = _draft,
        size: int = LOT,
    ) -> None:
        try:
            self._items: Iterator[Item] = iter(messages)
        except TypeError:
            kind = type(messages).__name__
            raise TypeError(f"messages must be an iterable of messages, not {kind}.") from None
        self._make = make
        self._size = size
        self._defaults = {"extra": None, "key": None, **defaults}
        self._stored: deque[Turn] = deque()
        self._read = 0
        self._is_at_end = False
        self.error: Exception | None = None

    def peek(self) -> Turn | None:
        """Return the next turn without taking it; None if there are no more."""
        while not (self._stored or self._is_at_end):
            self._stored.extend(self.store_next())
        return self._stored[0] if self._stored else None

    def take(self) -> None:
        """Take the turn that ``peek`` returned."""
        self._stored.popleft()

    def store_next(self) -> list[Turn]:
        """Read and store the next lot, and return its turns; none at the end."""
        drafts = self._read_lot()
        placed = store_lot(drafts) if drafts else ()
        return [
            Turn(new, message, is_new)
            for new, (message, is_new) in zip(drafts, placed, strict=True)
        ]

    def _read_lot(self) -> list[Draft]:
        drafts: list[Draft] = []
        while not self._is_at_end and len(drafts) < self._size:
            try:
                item = next(self._items)
            except StopIteration:
                self._is_at_end = True
                break
            except Exception as error:
                self._stop_at(error)
                break
            try:
                drafts.append(self._made(item))
            except TextMessageError as error:
                self._stop_at(error)
                break
            except (TypeError, ValueError, ImproperlyConfigured) as error:
                self._stop_at(error)
                return []
            self._read += 1
        return drafts

    def _stop_at(self, error: Exception) -> None:
        error.add_note(f"It is about the message at index {self._read}.")
        self.error = error
        self._is_at_end = True

    def _made(self, item: Item) -> Draft:
        try:
            return self._make(**self._defaults | self._named(item))
        except TextMessageError:
            raise  # some are a ValueError, too
        except TypeError as error:
            raise TypeError(f"The message at index {self._read}: {error}") from None
        except ValueError as error:
            raise ValueError(f"The message at index {self._read}: {error}") from None

    def _named(self, item: Item) -> dict[str, Any]:
        if isinstance(item, tuple | list) and len(item) == len(REQUIRED):
            return dict(zip(REQUIRED, item, strict=True))
        if not isinstance(item, Mapping):
            raise TypeError(
                "it must be a tuple (text, frm, to) or a dictionary of the arguments of "
                f"send_text, not {type(item).__name__}."
            )
        known = (*REQUIRED, *self._defaults)
        for name in item:
            if name not in known:
                raise TypeError(f"there is no argument {name!r}.{_guess(name, known)}")
        for name in REQUIRED:
            if name not in item:
                raise TypeError(f"{name!r} is missing.")
        return dict(item)


def _guess(name: object, known: Sequence[str]) -> str:
    word = str(name).lower()
    guess = [OTHER_WORDS[word]] if word in OTHER_WORDS else get_close_matches(word, known, n=1)
    return f" Did you mean {guess[0]!r}?" if guess else ""
