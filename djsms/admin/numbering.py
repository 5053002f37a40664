"""Numbers as a person of the page's language writes them."""

from __future__ import annotations

from django.utils.formats import number_format

__all__ = ["number"]


def number(count: int) -> str:
    """Return a count with its thousands apart: ``1,000``, and ``1.000`` in German."""
    return number_format(count, use_l10n=True, force_grouping=True)
