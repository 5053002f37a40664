"""Messages, each with what its provider said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.utils.html import format_html
from django.utils.safestring import SafeString

from djsms.admin import rendering, search
from djsms.admin.actions.cancelling import cancel
from djsms.admin.actions.refreshing import ask_provider
from djsms.admin.actions.resending import KindFilter, send_again
from djsms.admin.queue import may_control
from djsms.admin.readonly import ReadOnlyAdmin
from djsms.models import StatusEvent, TextMessage

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

__all__ = ["TextMessageAdmin"]

Row: TypeAlias = "str | tuple[str, ...]"

# A message of 255 parts with a report each is below it; a provider gone mad is not.
TIMELINE = 500


class AccountFilter(admin.SimpleListFilter):
    """Offers the accounts of the stored messages, without a DISTINCT over all of them."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        accounts = list(search.accounts_in_use())
        return [(account, account) for account in accounts] if len(accounts) > 1 else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[TextMessage]
    ) -> QuerySet[TextMessage]:
        return queryset.filter(account=self.value()) if self.value() else queryset


@admin.register(TextMessage)
class TextMessageAdmin(ReadOnlyAdmin):
    list_display = (
        "created_on",
        "direction_arrow",
        "frm",
        "to",
        "status_badge",
        "segments",
        "price_tag",
    )
    list_filter = ("status", KindFilter, "direction", AccountFilter, "created_on")
    actions = (cancel, send_again, ask_provider)
    # What is looked up is in get_search_results; this makes the box appear.
    search_fields = ("ref",)
    search_help_text = (
        "A number in any notation, a sender's name, a reference, a provider's id or a key: whole, "
        "not in part. Shows the newest 1,000."
    )

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        # Since Django 6.1 there may be actions on the page of one row, too.
        where = {} if action_location is None else {"action_location": action_location}
        actions: dict[str, Any] = super().get_actions(request, **where)
        # Those that may delete do so one at a time.
        actions.pop("delete_selected", None)
        return actions

    def has_control_permission(self, request: HttpRequest) -> bool:
        """Whether the actions that change what waits are there."""
        return may_control(request)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether messages can be sent again, which adds new ones though nobody writes them."""
        user: Any = request.user
        return bool(user.has_perm("djsms.add_textmessage"))

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Whether providers can be asked, which changes messages though nobody writes them."""
        user: Any = request.user
        return bool(user.has_perm("djsms.change_textmessage"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # As the index on the status is ordered, so that its first page is read and no more.
        return ("-created_on", "-pk") if "status__exact" in request.GET else ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if term:
            queryset = queryset.filter(pk__in=search.matching(queryset, term))
        return queryset, False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        rows, details = (
            (INCOMING, INCOMING_DETAILS)
            if obj is not None and obj.direction == TextMessage.Direction.INCOMING
            else (OUTGOING, OUTGOING_DETAILS)
        )
        if obj is not None and (obj.error_kind or obj.error_code or obj.error_text):
            rows = [*rows, ("error_kind", "error_code", "error_text")]
        return [
            (None, {"fields": rows}),
            ("Details", {"fields": details, "classes": ["collapse"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["timeline"] = _timeline(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="direction")
    def direction_arrow(self, message: TextMessage) -> SafeString:
        arrow = "←" if message.direction == TextMessage.Direction.INCOMING else "→"
        return format_html(
            '<span class="nowrap"><span aria-hidden="true">{}</span> {}</span>',
            arrow,
            message.direction,
        )

    @admin.display(description="status")
    def status_badge(self, message: TextMessage) -> SafeString:
        return rendering.badge(message.status)

    @admin.display(description="status")
    def status_explained(self, message: TextMessage) -> SafeString:
        return format_html("{} {}", rendering.badge(message.status), message.status.explanation)

    @admin.display(description="price")
    def price_tag(self, message: TextMessage) -> SafeString | None:
        return rendering.price(message.price, message.currency)

    @admin.display(description="text")
    def text_as_written(self, message: TextMessage) -> SafeString | None:
        return rendering.multiline(message.text)

    @admin.display(description="extra", empty_value="–")
    def extra_json(self, message: TextMessage) -> SafeString | None:
        return rendering.pretty_json(message.extra)


OUTGOING: list[Row] = [
    ("status_explained", "price_tag"),
    ("frm", "to", "created_on"),
    "text_as_written",
]
OUTGOING_DETAILS: list[Row] = [
    ("ref", "provider_id", "key"),
    ("account", "backend", "status_report"),
    ("encoding", "segments", "parts"),
    ("attempted_on", "updated_on"),
    "extra_json",
]
INCOMING: list[Row] = [
    ("status_explained", "incomplete"),
    ("frm", "to", "created_on", "received_on"),
    "text_as_written",
]
INCOMING_DETAILS: list[Row] = [
    ("ref", "provider_id"),
    ("account", "backend"),
    ("encoding", "segments", "parts"),
    "extra_json",
]


def _timeline(message: TextMessage) -> dict[str, Any]:
    events = list(message.events.order_by("pk")[: TIMELINE + 1])
    # Reports name their part by its id alone; in what order the parts are the answer told.
    numbers = {event.provider_id: event.number for event in events if event.number}
    return {
        "events": [_entry(event, numbers) for event in events[:TIMELINE]],
        "is_cut": len(events) > TIMELINE,
    }


def _entry(event: StatusEvent, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "event": event,
        "part": event.number or numbers.get(event.provider_id),
        "badge": rendering.badge(event.status),
        "price": rendering.price(event.price, event.currency),
        "raw": rendering.pretty_json(event.raw),
    }
