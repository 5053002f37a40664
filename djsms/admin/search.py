"""Finding a message by what a person has of it, each time by an index."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q

from djsms import numbers, storable
from djsms.exceptions import InvalidNumber
from djsms.models import ID_LENGTH, StatusEvent, TextMessage

__all__ = ["accounts_in_use", "matching"]

# More messages than that do not share an id.
LIMIT = 100


def matching(term: str) -> Q:
    """Return the condition for messages from or to a number, or with a reference, id or key."""
    forms = _number_forms(term)
    return Q(to__in=forms) | Q(frm__in=forms) | Q(pk__in=_with_id(term))


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
    accounts = list(accounts_in_use())
    provider_id = storable.fit(term, ID_LENGTH)
    ours = TextMessage.objects.filter(
        Q(ref=term.replace("-", "").lower())
        | Q(key=term)
        | Q(account__in=accounts, provider_id=provider_id)
    )
    parts = StatusEvent.objects.filter(
        account__in=accounts, provider_id=provider_id, message__isnull=False
    )
    return {
        *ours.values_list("pk", flat=True)[:LIMIT],
        *parts.values_list("message", flat=True)[:LIMIT],
    }
