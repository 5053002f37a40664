"""Texts for which nobody names an originator: the provider chooses one, where it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from djsms import OutgoingText, SendResult, enqueue_text, hookimpl, queue, resend_text, send_text
from djsms.accounts import gateways
from djsms.backends import BaseBackend
from djsms.exceptions import InvalidNumber, InvalidOptions, TemporarilyUnavailable
from djsms.testing.outboxes import Outbox

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"


@dataclass
class Network:
    """Which accounts choose originators, which are down, and what each was handed."""

    choosing: set[str] = field(default_factory=lambda: {"default"})
    down: set[str] = field(default_factory=set)
    handed: list[tuple[str, str]] = field(default_factory=list)


class Pool(BaseBackend):
    """A provider with a pool of numbers, if the network says so."""

    def __init__(self, network: Network, account: str) -> None:
        self._network, self._account = network, account

    @property
    def chooses_originator(self) -> bool:
        return self._account in self._network.choosing

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        self._network.handed.append((self._account, message.frm))
        if self._account in self._network.down:
            raise TemporarilyUnavailable("down")
        return SendResult.accepted(message.ref)


@pytest.fixture
def network(settings: Any) -> Iterator[Network]:
    settings.DJSMS_FALLBACK = "second"
    settings.DJSMS_ACCOUNTS = {"second": {"BACKEND": "memory", "FROM": "+44 7700 900003"}}
    network = Network()
    with gateways.replaced(lambda alias: Pool(network, alias)):
        yield network


def test_a_text_without_one_is_handed_over_without_one(network: Network) -> None:
    message = send_text("Hi", None, TO, False)
    assert (message.frm, network.handed) == ("", [("default", "")])
    assert str(message) == "outgoing text  → +447***23: sending"


def test_a_text_that_waits_too(network: Network) -> None:
    enqueue_text("Hi", None, TO, False)
    assert queue.drain() == 1
    assert network.handed == [("default", "")]


def test_the_accounts_own_goes_before(network: Network, settings: Any) -> None:
    settings.DJSMS_FROM = "Bistro"
    assert send_text("Hi", None, TO, False).frm == "Bistro"


def test_an_empty_one_is_a_slip_all_the_same(network: Network) -> None:
    with pytest.raises(InvalidNumber):
        send_text("Hi", "", TO, False)


def test_a_provider_that_cannot_choose_wants_one(network: Network) -> None:
    network.choosing.clear()
    with pytest.raises(InvalidOptions, match="DJSMS_FROM"):
        send_text("Hi", None, TO)


@pytest.mark.parametrize("send", [send_text, enqueue_text])
def test_the_account_that_takes_over_names_its_own(network: Network, send: Any) -> None:
    network.down.add("default")
    message = send("Hi", None, TO, False, key="hi")
    queue.drain()
    message.refresh_from_db()
    assert (message.account, message.frm) == ("second", "+447700900003")
    assert network.handed == [("default", ""), ("second", "+447700900003")]
    assert send("Hi", None, TO, False, key="hi") == message


def test_an_account_that_has_none_does_not_take_over(network: Network, settings: Any) -> None:
    del settings.DJSMS_ACCOUNTS["second"]["FROM"]
    network.down.add("default")
    with pytest.raises(TemporarilyUnavailable):
        send_text("Hi", None, TO, False)
    assert network.handed == [("default", "")]


def test_sent_again_by_another_account_it_has_that_ones_own(network: Network) -> None:
    message = send_text("Hi", None, TO, False)
    assert resend_text(message, using="second", fail_silently=False).frm == "+447700900003"


def test_the_outbox_chooses_where_the_settings_make_a_backend_that_does(
    sms_outbox: Outbox, settings: Any
) -> None:
    settings.DJSMS_BACKEND = "twilio"
    settings.TWILIO_ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
    settings.TWILIO_AUTH_TOKEN = "not-a-real-token"
    with pytest.raises(InvalidOptions, match="DJSMS_FROM"):
        send_text("Hi", None, TO)
    settings.TWILIO_MESSAGING_SERVICE_SID = "MG0123456789abcdef0123456789abcdef"
    send_text("Hi", None, TO, False)
    assert sms_outbox[0].frm == ""
