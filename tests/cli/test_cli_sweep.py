"""``djsms sweep`` wakes the engine for what is due."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributions
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from djsms import enqueue_text, queue
from djsms.engines import Engine

pytestmark = pytest.mark.django_db


class Broker(Engine):
    """Its engine: can be down."""

    is_down = False

    def wake(self, account: str) -> None:
        if Broker.is_down:
            raise ConnectionRefusedError("Connection refused")


@pytest.fixture
def broker(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Broker]]:
    with distributions.folder(tmp_path) as folder:
        folder.install({"brokered": Broker}, group="djsms.engines", name="brokered")
        settings.DJSMS_ENGINE = "brokered"
        monkeypatch.setattr(Broker, "is_down", False)
        yield Broker


def swept(**options: Any) -> str:
    out = io.StringIO()
    call_command("djsms", "sweep", stdout=out, **options)
    return out.getvalue()


def test_tells_which_accounts_have_texts_due(broker: type[Broker]) -> None:
    assert swept() == ""
    enqueue_text("Hi", "Bistro", "+447700900123")
    assert swept() == "The engine was woken for default.\n"
    queue.drain()
    assert swept() == ""


def test_wakes_nobody_where_a_worker_looks_by_itself() -> None:
    enqueue_text("Hi", "Bistro", "+447700900123")
    assert swept() == "Texts are due for default: djsms work sends them.\n"


def test_fails_if_the_broker_is_down(broker: type[Broker]) -> None:
    enqueue_text("Hi", "Bistro", "+447700900123")
    broker.is_down = True
    with pytest.raises(CommandError) as raised:
        swept()
    assert str(raised.value) == (
        "The engine cannot be woken for default: ConnectionRefusedError: Connection refused. "
        "What waits is safe, and goes with the first sweep that can wake it."
    )
    assert raised.value.returncode == 1


def test_a_broker_that_is_down_is_no_matter_while_nothing_is_due(broker: type[Broker]) -> None:
    broker.is_down = True
    assert swept() == ""
