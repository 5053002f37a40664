"""The page of one message: its fields in groups, and what its provider said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from djsms.admin import rendering
from djsms.admin.permissions import hidden, may_view_texts
from djsms.admin.rendering import moment_of
from djsms.ledger.words import EXPLANATIONS
from djsms.models import StatusEvent, TextMessage

if TYPE_CHECKING:
    from django.http import HttpRequest

    from djsms.admin.readonly import Row

__all__ = ["MessageFields", "created_on", "rows_of", "timeline"]

# A message of 255 parts with a report each is below it; a provider gone mad is not.
TIMELINE = 500

created_on = moment_of("created_on", gettext_lazy("created on"))
attempted_on = moment_of("attempted_on", gettext_lazy("attempted on"))
updated_on = moment_of("updated_on", gettext_lazy("updated on"))
received_on = moment_of("received_on", gettext_lazy("received on"))
due_on = moment_of("due_on", gettext_lazy("due on"))
expires_on = moment_of("expires_on", gettext_lazy("expires on"))
erased_on = moment_of("erased_on", gettext_lazy("erased on"))


class MessageFields:
    """The fields that are shown otherwise than Django would."""

    @admin.display(description=gettext_lazy("status"))
    def status_badge(self, message: TextMessage) -> SafeString:
        return rendering.badge(message.status)

    @admin.display(description=gettext_lazy("status"))
    def status_explained(self, message: TextMessage) -> SafeString:
        return format_html("{} {}", rendering.badge(message.status), EXPLANATIONS[message.status])

    @admin.display(description=gettext_lazy("price"))
    def price_tag(self, message: TextMessage) -> str:
        return rendering.price(message.price, message.currency) or rendering.NOTHING

    @admin.display(description=gettext_lazy("text"))
    def text_as_written(self, message: TextMessage) -> str:
        return rendering.multiline(message.text) or rendering.NOTHING

    @admin.display(description=gettext_lazy("extra"))
    def extra_json(self, message: TextMessage) -> str:
        return rendering.pretty_json(message.extra) or rendering.NOTHING


OUTGOING: list[Row] = [
    ("status_explained", "price_tag"),
    ("frm", "to", created_on),
    "text_as_written",
]
OUTGOING_DETAILS: list[Row] = [
    ("ref", "provider_id", "key"),
    ("account", "backend", "status_report"),
    ("encoding", "segments", "parts"),
    (attempted_on, updated_on),
    "extra_json",
]
WAITING: list[Row] = [(due_on, expires_on, "lane")]
INCOMING: list[Row] = [
    ("status_explained", "incomplete"),
    ("frm", "to", created_on, received_on),
    "text_as_written",
]
INCOMING_DETAILS: list[Row] = [
    ("ref", "provider_id"),
    ("account", "backend"),
    ("encoding", "segments", "parts"),
    "extra_json",
]
ERASED: list[Row] = [(erased_on,)]
ERROR: list[Row] = [("error_kind", "error_code", "error_text")]


def rows_of(message: TextMessage | None) -> tuple[list[Row], list[Row]]:
    """Return what to show of a message at once, and what in the details."""
    erased = ERASED if message is not None and message.erased_on is not None else []
    if message is not None and message.direction == TextMessage.Direction.INCOMING:
        return [*INCOMING, *erased], INCOMING_DETAILS
    rows = [*OUTGOING, *erased]
    if message is not None and message.due_on is not None:
        rows = [*rows, *WAITING]
    if message is not None and (message.error_kind or message.error_code or message.error_text):
        rows = [*rows, *ERROR]
    return rows, OUTGOING_DETAILS


def timeline(message: TextMessage, request: HttpRequest) -> dict[str, Any]:
    """Return what the provider said of a message, the oldest first."""
    events = list(message.events.order_by("pk")[: TIMELINE + 1])
    # Reports name their part by its id alone; in what order the parts are the answer told.
    numbers = {event.provider_id: event.number for event in events if event.number}
    is_readable = may_view_texts(request)
    return {
        "events": [_entry(event, message, numbers, is_readable) for event in events[:TIMELINE]],
        "is_cut": len(events) > TIMELINE,
    }


def _entry(
    event: StatusEvent, message: TextMessage, numbers: Mapping[str, int], is_readable: bool
) -> dict[str, Any]:
    raw = rendering.pretty_json(event.raw)
    return {
        "event": event,
        "moment": rendering.moment(event.created_on),
        "occurred": rendering.moment(event.occurred_on),
        # Another account may have taken over from the one that tried.
        "account": event.account if event.account != message.account else "",
        "part": event.number or numbers.get(event.provider_id),
        "badge": rendering.badge(event.status),
        "words": event.error_text if is_readable or not event.error_text else hidden(),
        "price": rendering.price(event.price, event.currency),
        "raw": raw if is_readable or raw is None else hidden(),
    }
