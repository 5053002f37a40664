"""Telling receivers of a change that was made by a guarded update."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.signals import post_save

from djsms.models import TextMessage

__all__ = ["announce", "announce_new"]


def announce(message: TextMessage, fields: Iterable[str]) -> None:
    """Send ``post_save`` for a message whose row was changed without ``save``."""
    post_save.send(
        sender=TextMessage,
        instance=message,
        created=False,
        update_fields=frozenset(fields),
        raw=False,
        using=message._state.db,
    )


def announce_new(message: TextMessage) -> None:
    """Send ``post_save`` for a message that was inserted without ``save``, with many others."""
    post_save.send(
        sender=TextMessage,
        instance=message,
        created=True,
        update_fields=None,
        raw=False,
        using=message._state.db,
    )
