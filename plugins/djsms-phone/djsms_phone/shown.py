"""What the page shows, as plain values: the same for its templates and for its script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from djsms import Status

from djsms_phone import texts
from djsms_phone.behaviours import Behaviour
from djsms_phone.models import Call, Handset
from djsms_phone.texts import StatusEvent, TextMessage

__all__ = ["bubble", "call", "event", "row", "rows", "way"]

# Status is a word and a sign; the tone, which becomes a colour, comes third.
STATUSES: dict[Status, tuple[Any, str, str]] = {
    Status.CREATED: (_("created"), "…", "wait"),
    Status.UNKNOWN: (_("unknown"), "?", "unknown"),
    Status.SENDING: (_("sending"), "→", "wait"),
    Status.SENT: (_("sent"), "✓", "wait"),
    Status.REFUSED: (_("refused"), "✗", "bad"),
    Status.REJECTED: (_("rejected"), "✗", "bad"),
    Status.FAILED: (_("failed"), "✗", "bad"),
    Status.EXPIRED: (_("expired"), "✗", "bad"),
    Status.CANCELLED: (_("cancelled"), "✗", "bad"),
    Status.DELIVERED: (_("delivered"), "✓✓", "good"),
    Status.RECEIVED: (_("received"), "✓✓", "good"),
}

SOURCES = {
    StatusEvent.Source.ANSWER: _("the provider's answer"),
    StatusEvent.Source.REPORT: _("a status report"),
    StatusEvent.Source.ATTEMPT: _("an attempt"),
}

CODE = re.compile(r"(?<![\d+])\d{4,8}(?!\d)")
SECRET = re.compile(r"/[^/]+/?\Z")


def rows(handsets: Sequence[Handset]) -> list[dict[str, Any]]:
    """Return the phones as rows of the list."""
    last, unread = texts.last_of_each(handsets), texts.unread(handsets)
    return [row(h, last.get(h.number), unread.get(h.number, 0)) for h in handsets]


def row(handset: Handset, last: TextMessage | None, unread: int) -> dict[str, Any]:
    return {
        "id": handset.pk,
        "number": handset.number,
        "last": Truncator(last.text.strip().partition("\n")[0]).chars(70) if last else "",
        "at": (last.created_on if last else handset.active_on).isoformat(),
        "active": handset.active_on.isoformat(),
        "unread": unread,
        "behaviour": handset.behaviour,
        "next": handset.next_behaviour,
        "mode": "" if handset.behaviour == Behaviour.DELIVERS else str(_label(handset.behaviour)),
    }


def bubble(message: TextMessage) -> dict[str, Any]:
    """Return a text as a bubble of the conversation."""
    written_here = message.direction == TextMessage.Direction.INCOMING
    word, sign, tone = STATUSES[Status(message.status)]
    found = None if written_here else CODE.search(message.text)
    return {
        "id": message.pk,
        "ref": message.ref,
        "mine": written_here,
        "frm": message.frm,
        "account": message.account,
        "text": message.text,
        "at": message.created_on.isoformat(),
        "status": str(message.status),
        "word": str(word),
        "sign": sign,
        "tone": tone,
        "final": Status(message.status).is_final,
        "segments": ngettext("%d segment", "%d segments", message.segments) % message.segments,
        "code": found[0] if found else "",
    }


def call(made: Call) -> dict[str, Any]:
    """Return a webhook call as an entry of the log; its address without the secret in it."""
    return {
        "id": made.pk,
        "at": made.done_on.isoformat() if made.done_on else "",
        "what": str(STATUSES[Status(made.status)][0]) if made.status else str(_("reply")),
        "kind": made.kind,
        "address": f"…/{made.kind}/{made.account}/…/",
        "answer": str(made.answer or _("no answer")),
        "good": 200 <= made.answer < 300,
        "ms": made.milliseconds,
        "tries": made.tries,
        "problem": made.problem,
        "json": json.dumps(made.body, indent=2, ensure_ascii=False),
    }


def way(message: TextMessage) -> dict[str, Any]:
    """Return the way of a text: where it stands, and all that was said of it."""
    return {
        **bubble(message),
        "facts": [
            [str(name), str(value)] for name, value in _facts(message) if value not in ("", None)
        ],
        "events": [event(told) for told in texts.events(message)],
    }


def event(told: StatusEvent) -> dict[str, Any]:
    word, sign, tone = STATUSES[Status(told.status)]
    return {
        "at": (told.occurred_on or told.created_on).isoformat(),
        "word": str(word),
        "sign": sign,
        "tone": tone,
        "source": str(SOURCES[StatusEvent.Source(told.source)]),
        "part": told.number,
        "id": told.provider_id,
        "price": _money(told.price, told.currency),
        "error": " ".join(filter(None, (told.error_code, told.error_text))),
    }


def _facts(message: TextMessage) -> Iterable[tuple[Any, Any]]:
    yield _("From"), message.frm
    yield _("To"), message.to
    yield _("Account"), message.account
    yield _("Segments"), f"{message.segments} · {message.encoding}"
    yield _("Parts"), message.parts or ""
    yield _("Price"), _money(message.price, message.currency)
    yield _("Error"), " ".join(filter(None, (message.error_kind, message.error_text)))
    yield (
        _("Reports"),
        "" if message.status_report or message.direction == "incoming" else _("not asked for"),
    )
    yield _("Reference"), message.ref


def _money(price: Any, currency: str) -> str:
    return "" if price is None else f"{price.normalize():f} {currency}".strip()


def _label(behaviour: str) -> Any:
    return Behaviour(behaviour).label
