"""An outbox: what stands in for every provider in tests, keeps what it is sent, and answers."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from djsms.backends import LocalBackend
from djsms.exceptions import Refused, TextMessageError
from djsms.hookspecs import hookimpl
from djsms.testing.recorded import Recorded
from djsms.testing.sent import Sent, SentTexts
from djsms.types import OutgoingText, SendResult, Status

if TYPE_CHECKING:
    from django.http import HttpRequest

    from djsms.accounts.gateways import Gateway
    from djsms.models import TextMessage

__all__ = ["Outbox"]

REPORTABLE = [status for status in Status if status.is_reportable]
REPORT_FIELDS = ("provider_id", "error_code", "error_text", "price", "currency", "occurred_on")
INCOMING_FIELDS = ("provider_id", "received_on", "part")


class Outbox(SentTexts):
    """The texts that the code under test sent, in order, of all threads.

    ``failed`` are those whose sending a test let fail; what waits is not in it, before ``drain``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Sent] = []
        self._failures: list[_Failure] = []
        super().__init__(lambda: self._kept(failed=False))
        self.failed = SentTexts(lambda: self._kept(failed=True), "that failed", lambda: self._all)

    def clear(self) -> None:
        """Forget what was sent, and what was to fail."""
        with self._lock:
            self._all.clear()
            self._failures.clear()

    def fail(
        self,
        error: TextMessageError,
        *,
        to: str | None = None,
        account: str | None = None,
        times: int | None = None,
    ) -> None:
        """Let sends fail from now on with one of ``djsms.exceptions``.

        Only those to a number, or by an account, if given, and only so many times.
        """
        from djsms.numbers import recipient

        # A backend raises nothing else, so neither does what stands in for one.
        if not isinstance(error, TextMessageError):
            raise TypeError(
                f"fail() takes one of djsms.exceptions, such as Refused(), not {error!r}"
            )
        number = None if to is None else recipient(to)
        with self._lock:
            self._failures.append(_Failure(error, number, account, times))

    def refuse(
        self,
        text: str = "Refused by the test",
        *,
        code: str = "",
        to: str | None = None,
        account: str | None = None,
        times: int | None = None,
    ) -> None:
        """Let the provider refuse what is sent from now on; as ``fail`` with a ``Refused``."""
        self.fail(Refused(text, code=code), to=to, account=account, times=times)

    def report(
        self, message: Sent | TextMessage, status: Status | str, **fields: Any
    ) -> TextMessage:
        """Let the provider report a status, and return the stored message as it is then.

        ``fields`` are further ones of a ``StatusReport``: ``provider_id``, ``error_code``,
        ``error_text``, ``price``, ``currency``, ``occurred_on``. The report is read and stored as
        one that comes by webhook, and what receivers raise gets out.
        """
        from djsms.models import TextMessage
        from djsms.receiving import reports

        _require_message("report", message)
        _require_known("report", fields, REPORT_FIELDS)
        # To a backend an unknown word is news of its provider; in a test it is a slip.
        if status not in REPORTABLE:
            raise ValueError(f"No provider reports {status!r}; it is one of {_joined(REPORTABLE)}")
        values = {"ref": message.ref, "status": str(status), **_json_values(fields)}
        for report in self._gateway(message.account).parse_callback(_request(values)):
            reports.take_report(message.account, report)
        stored = TextMessage.objects.get(ref=message.ref)
        if not isinstance(message, Sent):
            message.refresh_from_db()
        return stored

    def reply(self, message: Sent | TextMessage, text: str, **fields: Any) -> TextMessage:
        """Let the recipient answer a text, and return the incoming message as it was stored.

        ``fields`` are those of ``receive``.
        """
        _require_message("reply", message)
        if not message.frm.lstrip("+").isdigit():
            raise ValueError(f"Nobody can answer {message.frm!r}: it is a name, not a number.")
        return self.receive(text, frm=message.to, to=message.frm, account=message.account, **fields)

    def receive(
        self, text: str, *, frm: str, to: str, account: str = "default", **fields: Any
    ) -> TextMessage:
        """Let a text come in, and return the message as it was stored.

        ``fields`` are further ones of an ``IncomingText``: ``provider_id``, ``received_on``,
        ``part``. It is read and stored as one that comes by webhook, and what receivers raise gets
        out.
        """
        from djsms.models import TextMessage
        from djsms.receiving import incoming as receiving

        _require_known("receive", fields, INCOMING_FIELDS)
        values = {"provider_id": f"outbox-{uuid.uuid4().hex}", **_json_values(fields)}
        gateway = self._gateway(account)
        request = _request({**values, "frm": frm, "to": to, "text": text})
        for incoming in gateway.parse_incoming(request):
            receiving.take_text(account, gateway.backend, incoming)
        return TextMessage.objects.get(account=account, provider_id=values["provider_id"])

    @property
    def waiting(self) -> list[TextMessage]:
        """The texts that ``enqueue_text`` has stored and that wait, those first that go first."""
        from djsms.ledger.transactions import rows_of
        from djsms.models import TextMessage

        waiting = rows_of(TextMessage).filter(due_on__isnull=False, status=Status.CREATED)
        return list(waiting.order_by("lane", "due_on", "pk"))

    def drain(self, account: str | None = None, *, limit: int | None = None) -> int:
        """Send what is due, as a worker would, and return how many texts providers were called for.

        In the calling thread, and so within the test's transaction, if there is one. Those due
        later, by ``run_after``, a window or another try, go on waiting, as do those of a paused
        account; rates are not waited for. ``account`` and ``limit`` are as in ``queue.drain``.
        """
        calls = done = 0
        while limit is None or calls < limit:
            # A fallback may have handed some to an account whose turn was over.
            chosen = dict.fromkeys(text.account for text in self.waiting)
            for alias in chosen if account is None else [account]:
                done += self._drain(alias, None if limit is None else limit - calls - done)
            if not done:
                break
            calls, done = calls + done, 0
        return calls

    def stand_in(self, alias: str) -> object:
        """Return what stands in for the backend of an account; for ``gateways.replaced``."""
        return _StandIn(outbox=self, account=alias)

    def take(self, account: str, outgoing: OutgoingText) -> SendResult:
        with self._lock:
            error = next((f.error for f in self._failures if f.strikes(account, outgoing)), None)
            sent = Sent(
                account=account,
                provider_id=f"outbox-{uuid.uuid4().hex}",
                outgoing=outgoing,
                error=error,
            )
            self._all.append(sent)
        if error is not None:
            raise error
        return SendResult.accepted(sent.provider_id)

    def _kept(self, *, failed: bool) -> list[Sent]:
        with self._lock:
            return [sent for sent in self._all if (sent.error is not None) is failed]

    def _drain(self, alias: str, limit: int | None) -> int:
        from djsms import queue
        from djsms.accounts import gateways

        gateway = gateways.get(alias)
        if isinstance(gateway.plugin, _StandIn):
            gateway.limits = replace(gateway.limits, rate=None, originator_rate=None)
        return queue.drain(alias, limit=limit)

    def _gateway(self, alias: str) -> Gateway:
        from djsms.accounts import gateways

        gateway = gateways.get(alias)
        if not isinstance(gateway.plugin, _StandIn):
            raise RuntimeError(
                f"The account {alias!r} has the backend that the test's settings ask for, so the "
                "outbox does not speak for its provider."
            )
        return gateway


@dataclass(frozen=True, kw_only=True)
class _StandIn(LocalBackend):
    outbox: Outbox
    account: str

    @property
    def chooses_originator(self) -> bool:
        """As what it stands in for, as far as the test's settings say how that is made."""
        from djsms.accounts import gateways

        return getattr(gateways.made(self.account), "chooses_originator", False) is True

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        return self.outbox.take(self.account, message)


@dataclass
class _Failure:
    error: TextMessageError
    to: str | None
    account: str | None
    times: int | None

    def strikes(self, account: str, outgoing: OutgoingText) -> bool:
        """Return whether the error is to be raised for this text, and count it if so."""
        if self.to not in (None, outgoing.to) or self.account not in (None, account):
            return False
        if self.times is not None:
            self.times -= 1
            return self.times >= 0
        return True


def _request(values: dict[str, Any]) -> HttpRequest:
    return Recorded.json(values).request()


def _require_message(method: str, message: object) -> None:
    from djsms.models import TextMessage

    if not isinstance(message, Sent | TextMessage):
        raise TypeError(
            f"{method}() takes a text of the outbox or a stored TextMessage, not {message!r}"
        )


def _require_known(method: str, fields: Iterable[str], known: Sequence[str]) -> None:
    for name in fields:
        if name not in known:
            raise TypeError(f"{method}() takes no {name!r}; further fields are {_joined(known)}")


def _joined(words: Iterable[str]) -> str:
    return ", ".join(map(str, words))


def _json_values(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as a ``LocalBackend`` reads them: times and prices are texts."""

    def text(value: Any) -> Any:
        return value.isoformat() if hasattr(value, "isoformat") else str(value)

    values: dict[str, Any] = json.loads(json.dumps(fields, default=text))
    return values
