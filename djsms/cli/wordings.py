"""The words of a text with a recipient's own in them: ``Dear {name}, your table is ready.``"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from django.core.management.base import CommandError

__all__ = ["Wording"]


class Wording:
    """A template whose names in braces are columns; ``{{`` and ``}}`` are the braces themselves."""

    def __init__(self, template: str) -> None:
        # Not str.format: it reaches into objects, and a column may have any name.
        try:
            pieces = list(Formatter().parse(template))
        except ValueError as error:
            raise CommandError(f"The template cannot be read: {error}.") from None
        for _, name, rest, conversion in pieces:
            if name is not None and (not name.strip() or rest or conversion):
                raise CommandError(
                    "The template cannot be read: in braces stands the name of a column alone, as "
                    "in {name}; double the braces that are to be sent."
                )
        self._pieces = [(words, name and name.strip().casefold()) for words, name, _, _ in pieces]

    @property
    def names(self) -> list[str]:
        """The columns that the words need."""
        return list(dict.fromkeys(name for _, name in self._pieces if name))

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the words for one recipient."""
        return "".join(words + (values[name] if name else "") for words, name in self._pieces)
