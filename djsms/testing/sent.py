"""Texts that the code under test sent, and ways to pick some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from djsms.exceptions import TextMessageError
from djsms.types import Encoding, OutgoingText

if TYPE_CHECKING:
    from djsms.models import TextMessage

__all__ = ["Sent", "SentTexts"]

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One text that was handed to an account's backend."""

    account: str
    """The alias of the account."""
    provider_id: str
    """The id that it was given in the backend's answer."""
    outgoing: OutgoingText
    """What a backend would have been handed."""
    error: TextMessageError | None = None
    """What was raised in place of an answer, if a test had it so."""

    @property
    def ref(self) -> str:
        """The reference of the stored message."""
        return self.outgoing.ref

    @property
    def to(self) -> str:
        """The recipient, an international number with ``+``."""
        return self.outgoing.to

    @property
    def frm(self) -> str:
        """The originator."""
        return self.outgoing.frm

    @property
    def text(self) -> str:
        """The whole text."""
        return self.outgoing.text

    @property
    def encoding(self) -> Encoding:
        """How it would travel."""
        return self.outgoing.encoding

    @property
    def segments(self) -> int:
        """Into how many segments it falls, which is what one pays for."""
        return self.outgoing.segments

    @property
    def status_report(self) -> bool:
        """Whether status reports were asked for."""
        return self.outgoing.status_report

    @property
    def extra(self) -> Mapping[str, Any]:
        """The provider-specific extras."""
        return self.outgoing.extra

    @property
    def message(self) -> TextMessage:
        """The stored message, read from the database as it is now."""
        from djsms.models import TextMessage

        return TextMessage.objects.get(ref=self.ref)

    def __repr__(self) -> str:
        # Unlike elsewhere, numbers and text are shown: in a test that is what one wants to see.
        words = f"{self.text!r} from {self.frm} to {self.to}"
        if self.account != "default":
            words += f" by account {self.account}"
        if self.error is not None:
            words += f", which raised {self.error!r}"
        return f"<{words}>"


class SentTexts(Sequence[Sent]):
    """Some of the texts that were sent, in order. Its repr tells what was sent instead."""

    def __init__(
        self,
        read: Callable[[], Sequence[Sent]],
        what: str = "",
        among: Callable[[], Sequence[Sent]] | None = None,
    ) -> None:
        self._read = read
        self._what = what
        self._among = among or read

    @overload
    def __getitem__(self, index: int) -> Sent: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sent]: ...
    def __getitem__(self, index: int | slice) -> Sent | Sequence[Sent]:
        texts = list(self._read())
        try:
            return texts[index]
        except IndexError:
            raise IndexError(f"there is no text {index}: {self!r}") from None

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Iterator[Sent]:
        return iter(list(self._read()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Iterable) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def sent_to(self, number: str) -> SentTexts:
        """Return those sent to a number, written with whatever punctuation."""
        from djsms.numbers import recipient

        wanted = recipient(number)
        return self._those(lambda text: text.to == wanted, f"to {wanted}")

    def sent_from(self, originator: str) -> SentTexts:
        """Return those with an originator: a number, a short code or a name."""
        from djsms import numbers

        wanted = numbers.originator(originator)
        return self._those(lambda text: text.frm == wanted, f"from {wanted}")

    def for_account(self, alias: str) -> SentTexts:
        """Return those sent by the account of this alias."""
        return self._those(lambda text: text.account == alias, f"by account {alias}")

    def containing(self, words: str) -> SentTexts:
        """Return those in whose text these words stand."""
        return self._those(lambda text: words in text.text, f"containing {words!r}")

    @property
    def texts(self) -> list[str]:
        """The texts alone."""
        return [sent.text for sent in self]

    @property
    def segments(self) -> int:
        """The sum of the segments, which is what one pays for."""
        return sum(sent.segments for sent in self)

    def _those(self, condition: Callable[[Sent], bool], what: str) -> SentTexts:
        def read() -> list[Sent]:
            return [text for text in self._read() if condition(text)]

        return SentTexts(read, " ".join(filter(None, [self._what, what])), self._among)

    def __repr__(self) -> str:
        chosen, among = list(self), list(self._among())
        heading = f"{_counted(len(chosen))} {self._what}".strip()
        shown = chosen
        if not chosen and among:
            heading += f", but {_counted(len(among))} in all"
            shown = among
        lines = [f"  {text!r}" for text in shown[:SHOWN]]
        if len(shown) > SHOWN:
            lines.append(f"  … and {len(shown) - SHOWN} more")
        return "\n".join([f"<{heading}{':' if lines else ''}", *lines]) + ">"


def _counted(number: int) -> str:
    return f"{number or 'no'} text{'' if number == 1 else 's'}"
