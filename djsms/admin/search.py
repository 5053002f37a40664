"""Finding a message by what a person has of it, each time by an index."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from djsms import numbers
from djsms.exceptions import InvalidNumber
from djsms.ledger import storable
from djsms.models import ID_LENGTH, StatusEvent, TextMessage

__all__ = ["accounts_in_use", "matching"]

# Nobody looks through more. One of our own numbers may have millions.
LIMIT = 1000


def matching(messages: QuerySet[TextMessage], term: str) -> set[int]:
    """Return the primary keys of the newest messages, of those given, that a term fits.

    That is those from or to a number, and those with a reference, an id or a key.
    """
    of_numbers = (
        messages.filter(**{column: form})
        for form in _number_forms(term)
        for column in ("to", "frm")
    )
    # One query for each index: databases may read the whole table for an OR of them.
    found = (*of_numbers, messages.filter(pk__in=_with_id(term)))
    return {
        pk for rows in found for pk in rows.order_by("-pk").values_list("pk", flat=True)[:LIMIT]
    }


def accounts_in_use() -> Iterator[str]:
    """Yield the accounts of the stored messages: a look into the index for each, not a scan."""
    rows = TextMessage.objects.order_by("account").values_list("account", flat=True)
    account = rows.first()
    while account is not None:
        yield account
        account = rows.filter(account__gt=account).first()


def _number_forms(term: str) -> list[str]:
    """Return the ways in which this number may be stored."""
    forms = {term}
    if not any(map(str.isalpha, term)):
        bare = "".join(c for c in term if c == "+" or (c.isascii() and c.isdigit()))
        forms |= {bare, numbers.international(bare)}
        forms |= {_canonical(form) for form in forms}
    return sorted(forms - {""})


def _canonical(number: str) -> str:
    try:
        return numbers.recipient(number)
    except InvalidNumber:
        return ""


def _with_id(term: str) -> set[int]:
    """Return the primary keys of the messages that have this id, or a part that has it."""
    messages, events = TextMessage.objects.all(), StatusEvent.objects.all()
    of_provider = {
        "account__in": list(accounts_in_use()),
        "provider_id": storable.fit(term, ID_LENGTH),
    }
    found = (
        messages.filter(ref=term.replace("-", "").lower()).values_list("pk", flat=True),
        messages.filter(key=term).values_list("pk", flat=True),
        messages.filter(**of_provider).values_list("pk", flat=True),
        events.filter(message__isnull=False, **of_provider).values_list("message", flat=True),
    )
    return {pk for keys in found for pk in keys[:LIMIT]}
