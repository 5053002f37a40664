"""Fixtures for the tests of djsms-twilio. None of them reaches outside of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsms import OutgoingText, SentText
from djsms.testing.kit import network
from djsms_twilio import TwilioBackend

# with --import-mode=importlib the folder of a test is not on the path
sys.path.insert(0, str(Path(__file__).parent))

from twilio_server import ACCOUNT_SID, AUTH_TOKEN, TwilioServer


@pytest.fixture(autouse=True)
def this_machine_only() -> Iterator[None]:
    """Refuse connections to, and questions about, any host but this one."""
    with network.refused(loopback=False) as attempts:
        yield
    assert not attempts


@pytest.fixture(scope="session")
def twilio_process() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def twilio(twilio_process: TwilioServer) -> Iterator[TwilioServer]:
    """A server that answers as Twilio does, see ``twilio_server``."""
    twilio_process.forget()
    yield twilio_process
    assert twilio_process.errors == []


@pytest.fixture
def make(twilio: TwilioServer) -> Iterator[Callable[..., TwilioBackend]]:
    """Make a backend that sends to the server, with the auth token unless told otherwise."""
    made = []

    def make(**options: Any) -> TwilioBackend:
        defaults = {
            "account_sid": ACCOUNT_SID,
            "auth_token": AUTH_TOKEN,
            "base_url": twilio.url,
            "timeout": 5.0,
        }
        made.append(TwilioBackend(**{**defaults, **options}))
        return made[-1]

    yield make
    for backend in made:
        backend.session.close()


@pytest.fixture
def backend(make: Callable[..., TwilioBackend]) -> TwilioBackend:
    return make()


@pytest.fixture
def make_text() -> Callable[..., OutgoingText]:
    """Make a message to send, with harmless defaults."""

    def make(**fields: Any) -> OutgoingText:
        defaults = {
            "ref": "0123456789abcdef0123456789abcdef",
            "text": "Hello World!",
            "frm": "+447700900001",
            "to": "+447700900000",
        }
        return OutgoingText(**{**defaults, **fields})

    return make


@pytest.fixture
def make_sent() -> Callable[..., SentText]:
    """Make a message to ask about."""
    from datetime import UTC, datetime

    def make(*provider_ids: str, **fields: Any) -> SentText:
        defaults = {
            "ref": "0123456789abcdef0123456789abcdef",
            "frm": "+447700900001",
            "to": "+447700900000",
            "attempted_on": datetime(2020, 1, 1, 12, tzinfo=UTC),
            "provider_ids": provider_ids,
        }
        return SentText(**{**defaults, **fields})

    return make
