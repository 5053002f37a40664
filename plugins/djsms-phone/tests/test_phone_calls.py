"""A call is made by one, whoever else plays the network at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from djsms_phone import calls
from djsms_phone.models import Call, Handset


def due(number: str = "+447700900123", seconds: float = 0) -> Call:
    handset, _ = Handset.objects.get_or_create(number=number)
    return Call.objects.create(
        handset=handset,
        account="default",
        kind="callback",
        status="sent",
        body={},
        due_on=timezone.now() + timedelta(seconds=seconds),
    )


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_many_at_once_take_each_call_once(database: str) -> None:
    wanted = {due(f"+4477009001{n:02}").pk for n in range(12)}

    def work(_: int) -> list[int]:
        taken = []
        try:
            while call := calls.take():
                taken.append(call.pk)
        finally:
            connections.close_all()
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [pk for pks in pool.map(work, range(4)) for pk in pks]
    assert sorted(taken) == sorted(wanted)


@pytest.mark.django_db
class TestTaking:
    def test_waits_until_a_call_is_due(self) -> None:
        due(seconds=5)
        assert calls.take() is None

    def test_gives_calls_of_one_phone_one_after_the_other(self) -> None:
        first, second = due(), due()
        assert calls.take() == first
        assert calls.take() is None
        calls.settle(first.pk, 200)
        assert calls.take() == second

    def test_gives_a_call_again_whose_page_was_closed(self) -> None:
        call = due()
        calls.take()
        Call.objects.update(taken_until=timezone.now() - timedelta(seconds=1))
        assert calls.take() == call

    def test_lasts_as_long_as_the_lease(self) -> None:
        due()
        taken: Any = calls.take()
        assert timedelta(0) < taken.taken_until - timezone.now() <= calls.LEASE


@pytest.mark.django_db
class TestSettling:
    def test_counts_once(self) -> None:
        call = due()
        assert calls.settle(call.pk, 200, milliseconds=7)
        assert not calls.settle(call.pk, 500)
        call.refresh_from_db()
        assert (call.answer, call.milliseconds) == (200, 7)

    def test_lets_a_failure_come_again_later(self) -> None:
        call = due()
        calls.settle(call.pk, 500)
        again = Call.objects.get(done_on=None)
        assert (again.tries, again.body, again.account) == (1, call.body, call.account)
        assert again.due_on > timezone.now() + timedelta(seconds=4)
