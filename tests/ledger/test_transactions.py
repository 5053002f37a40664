"""What is done anew when the database gives way, and what is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import OperationalError, transaction

from djsms.ledger.transactions import in_transaction
from djsms.models import TextMessage

pytestmark = [
    pytest.mark.django_db(databases="__all__", transaction=True),
    pytest.mark.usefixtures("database"),
]


def failing_once(*steps: Callable[[], object]) -> Callable[[], str]:
    tries: list[int] = []

    def work() -> str:
        tries.append(1)
        if len(tries) == 1:
            for step in steps:
                step()
            raise OperationalError("the server has gone away")
        return "done"

    return work


def a_text() -> TextMessage:
    return TextMessage.objects.create(text="Hi", frm="Bistro", to="+447700900123")


def test_what_the_database_broke_off_is_done_anew() -> None:
    assert in_transaction(failing_once()) == "done"


def test_what_receivers_have_been_told_is_not_done_anew() -> None:
    with pytest.raises(OperationalError, match="gone away"):
        in_transaction(failing_once(a_text))


def test_in_a_transaction_of_the_callers_the_error_is_the_callers(database: str) -> None:
    with (
        pytest.raises(OperationalError, match=r"^the server has gone away$"),
        transaction.atomic(using=database),
    ):
        in_transaction(failing_once())
