"""Which message a status report is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from djsms.ledger.transactions import database
from djsms.models import StatusEvent, TextMessage

__all__ = ["match", "message_of"]

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


def match(events: Collection[StatusEvent]) -> None:
    """Give reports of one account the messages that ``message_of`` finds for each."""
    if len(events) > 1:
        _match_all(events)
        events = [event for event in events if event.message is None]
    for event in events:
        event.message = message_of(event)


def _match_all(events: Collection[StatusEvent]) -> None:
    """Find what there is for all by the same two questions."""
    [account] = {event.account for event in events}
    refs = {event.ref for event in events} - {""}
    by_ref = {message.ref: message for message in _some("ref", account, refs)}
    for event in events:
        event.message = by_ref.get(event.ref)
    ids = {event.provider_id for event in events if event.message is None} - {""}
    # Of several with one id it is the last one.
    by_id = {message.provider_id: message for message in _some("provider_id", account, ids)}
    for event in events:
        event.message = event.message or by_id.get(event.provider_id)


def _some(column: str, account: str, values: Collection[str]) -> list[TextMessage]:
    """Return the account's outgoing messages with these values in a column, the oldest first.

    None at all if so many have them that to read them would take long.
    """
    if not values:
        return []
    limit = MAX_NAMESAKES * len(values)
    condition = f"account = %s AND {column} IN ({', '.join(['%s'] * len(values))})"
    found = list(_messages(condition, account, *values, limit=limit))
    if len(found) == limit:
        return []
    # Not by the database: it might walk along the primary key, past all that are there.
    return sorted(filter(_is_outgoing, found), key=lambda message: message.pk)


def _messages(condition: str, *values: str, limit: int = MAX_NAMESAKES) -> Iterable[TextMessage]:
    # Asked for each report; the ORM would take longer to build the query than it takes to answer.
    query = f"SELECT * FROM {TextMessage._meta.db_table} WHERE {condition} LIMIT {limit}"
    return TextMessage.objects.using(database()).raw(query, values)


def _is_outgoing(message: TextMessage) -> bool:
    return message.direction == TextMessage.Direction.OUTGOING
