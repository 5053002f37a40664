"""``djsms sweep`` wakes the engine for what is due."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import call_command

from djsms import enqueue_text, queue

pytestmark = pytest.mark.django_db


def swept(**options: Any) -> str:
    out = io.StringIO()
    call_command("djsms", "sweep", stdout=out, **options)
    return out.getvalue()


def test_tells_which_accounts_have_texts_due() -> None:
    assert swept() == ""
    enqueue_text("Hi", "Bistro", "+447700900123")
    assert swept() == "The engine was woken for default.\n"
    queue.drain()
    assert swept() == ""
