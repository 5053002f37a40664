"""Whether now is the time of a text: not over yet, and an hour at which it may go."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from djsms import conf
from djsms.exceptions import InvalidOptions
from djsms.ledger import clock
from djsms.models import TextMessage
from djsms.waiting.windows import opening, zones_of

__all__ = ["hours", "is_over", "may_go"]

logger = logging.getLogger("djsms")

FOREVER = datetime.max.replace(tzinfo=UTC)


def may_go(message: TextMessage, moment: datetime) -> bool:
    """Return whether a text is still worth sending, and may go at this hour."""
    if is_over(message, moment):
        return False
    try:
        opens, _ = hours(message, moment)
    except InvalidOptions as error:
        # Then at no hour: who knows what its window was to keep it from.
        logger.error("Text %s waits on: %s", message.ref, error)
        return False
    return opens <= moment


def is_over(message: TextMessage, moment: datetime) -> bool:
    """Return whether a text is worth nothing any more."""
    return message.expires_on is not None and clock.aware(message.expires_on) <= moment


def hours(message: TextMessage, moment: datetime) -> tuple[datetime, datetime]:
    """Return from when until when a text may go, from this moment on.

    Raises ``InvalidOptions`` if the settings do not know its window, or not any more.
    """
    if not message.window:
        return moment, FOREVER
    zone = conf.time_zone(message.zone)
    zones = (zone,) if zone is not None else zones_of(message.to)
    return opening(conf.window(message.window), zones, moment)
