"""Which message a status report is about."""

from __future__ import annotations

from collections.abc import Iterable

from djsms.ledger.transactions import database
from djsms.models import StatusEvent, TextMessage

__all__ = ["message_of"]

PART_OF = (
    f"SELECT message_id FROM {StatusEvent._meta.db_table} WHERE account = %s AND provider_id = %s "
    f"AND source = '{StatusEvent.Source.ANSWER.value}' AND message_id IS NOT NULL "
    "ORDER BY id DESC LIMIT 1"
)

# Of messages with one and the same id; a provider that gives such ids is beyond help.
MAX_NAMESAKES = 20


def message_of(event: StatusEvent) -> TextMessage | None:
    """Find the message by our reference, else by the provider's id of it or of one of its parts."""
    if event.ref:
        for message in _messages("ref = %s", event.ref):
            if message.account == event.account and _is_outgoing(message):
                return message
    if not event.provider_id:
        return None
    by_id = "account = %s AND provider_id = %s ORDER BY id DESC"
    for message in _messages(by_id, event.account, event.provider_id):
        if _is_outgoing(message):
            return message
    return next(iter(_messages(f"id = ({PART_OF})", event.account, event.provider_id)), None)


def _messages(condition: str, *values: str) -> Iterable[TextMessage]:
    # Asked for each report; the ORM would take longer to build the query than it takes to answer.
    query = f"SELECT * FROM {TextMessage._meta.db_table} WHERE {condition} LIMIT {MAX_NAMESAKES}"
    return TextMessage.objects.using(database()).raw(query, values)


def _is_outgoing(message: TextMessage) -> bool:
    return message.direction == TextMessage.Direction.OUTGOING
