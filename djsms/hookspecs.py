"""The contract: what a backend may implement. Every hook is optional; a backend can do what it
implements. The values are in ``djsms.types``, the errors in ``djsms.exceptions``.
"""

# mypy: disable-error-code="empty-body"
# A specification has no body: pluggy only reads its signature.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from djsms.types import (
    Balance,
    IncomingText,
    OutgoingText,
    SendResult,
    SentText,
    StatusReport,
)

if TYPE_CHECKING:
    from django.core.checks import CheckMessage
    from django.http import HttpRequest

hookspec = pluggy.HookspecMarker("djsms")
hookimpl = pluggy.HookimplMarker("djsms")


@hookspec(firstresult=True)
def send(message: OutgoingText) -> SendResult:
    """Hand one message to the provider and return its answer.

    Called with no database transaction of ours open, from any thread, never twice for the same
    message. Return a result only if the provider answered; otherwise raise:

    - ``Refused`` or one of its kinds: a clear no;
    - ``TemporarilyUnavailable`` or ``Throttled``: surely not taken, may be sent again;
    - ``OutcomeUnknown``: the request left and no answer came back;
    - ``InvalidMessage``: this backend cannot express the message, nothing was called.

    Anything else that gets out counts as ``OutcomeUnknown``.
    """


@hookspec(firstresult=True)
def parse_callback(request: HttpRequest) -> list[StatusReport]:
    """Read the status reports in a request of the provider.

    Raise ``InvalidWebhook`` if it cannot be read, ``Forged`` if the provider signs its requests and
    this signature is missing or wrong, ``Misdirected`` if it is an incoming text that came to the
    wrong address. An empty list is an answer: nothing to report.
    No network call, no database; the same request read twice gives equal values.
    """


@hookspec(firstresult=True)
def parse_incoming(request: HttpRequest) -> list[IncomingText]:
    """Read the incoming texts in a request of the provider; as for ``parse_callback``."""


@hookspec(firstresult=True)
def webhook_addresses(callback_url: str, incoming_url: str) -> Mapping[str, str]:
    """Return what an operator pastes into the provider's settings, by the name it has there.

    For providers that want more than the bare addresses, as parameters with placeholders.
    Without this hook ``djsms webhooks`` shows the two addresses as they are.
    """


@hookspec
def check(callback_url: str, incoming_url: str, frm: str) -> list[CheckMessage]:
    """Report problems of this account's configuration to ``manage.py check``.

    Ids are prefixed with the module's name (``djsms_acme.E001``). The addresses are those that the
    provider would call, without knowing whether it will; empty if ``DJSMS_BASE_URL`` is not set.
    ``frm`` is the account's own originator, its ``FROM``; empty if it has none. Never touches the
    network. Errors are told as warnings: nothing but sending needs the account, and what is wrong
    with it must not keep ``migrate`` from running.
    """


@hookspec(firstresult=True)
def fetch_reports(messages: Sequence[SentText]) -> list[StatusReport]:
    """Ask the provider how these messages stand, and return what it says as status reports.

    For what no webhook brings: reports that were lost, prices that become known later. Each report
    names its message by ``ref`` or ``provider_id``, in the words that the webhooks use, so that
    what is known already does not count twice. Leave out messages that the provider cannot be asked
    about or does not know. The network is allowed, as no transaction of ours is open: it is called
    by workers, by commands, and for 20 messages at a time by a person's action in the admin.

    Raise a ``SendError`` if there is no answer. Nothing is sent, so whatever its kind, one may ask
    again. If the answers end in the middle, return the reports until there.
    """


@hookspec(firstresult=True)
def fetch_balance() -> Balance:
    """Ask the provider how much credit the account has left. Raise as for ``fetch_reports``."""
