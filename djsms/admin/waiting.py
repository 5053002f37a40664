"""What came in and waits: reports for their message, parts for the rest of their text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.safestring import SafeString

from djsms.admin import rendering
from djsms.admin.readonly import ReadOnlyAdmin
from djsms.models import IncomingPart, StatusEvent

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

__all__ = ["IncomingPartAdmin", "StatusEventAdmin"]


class WaitingAdmin(ReadOnlyAdmin):
    """Lists the rows without a message; those with one are shown with it, or done with."""

    list_title = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(message=None)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": self.list_title, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or ()

    @admin.display(description="raw")
    def raw_json(self, row: StatusEvent | IncomingPart) -> SafeString | None:
        return rendering.pretty_json(row.raw)


@admin.register(StatusEvent)
class StatusEventAdmin(WaitingAdmin):
    list_title = "Status reports that have found no message"
    list_display = (
        "created_on",
        "account",
        "provider_id",
        "ref",
        "status_badge",
        "provider_status",
        "error_code",
    )
    fields = (
        "status_badge",
        "account",
        "provider_id",
        "ref",
        "provider_status",
        "error_code",
        "error_text",
        "price_tag",
        "occurred_on",
        "created_on",
        "raw_json",
    )
    search_fields = ("provider_id__exact", "ref__exact")
    search_help_text = "A provider's id or a reference: whole, not in part."

    @admin.display(description="status")
    def status_badge(self, event: StatusEvent) -> SafeString:
        return rendering.badge(event.status)

    @admin.display(description="price")
    def price_tag(self, event: StatusEvent) -> SafeString | None:
        return rendering.price(event.price, event.currency)


@admin.register(IncomingPart)
class IncomingPartAdmin(WaitingAdmin):
    list_title = "Parts of incoming texts that wait for the others"
    list_display = ("created_on", "account", "frm", "to", "number", "total", "part_ref")
    fields = (
        "frm",
        "to",
        "number",
        "total",
        "part_ref",
        "text_as_written",
        "account",
        "backend",
        "provider_id",
        "received_on",
        "created_on",
        "raw_json",
    )

    @admin.display(description="text")
    def text_as_written(self, part: IncomingPart) -> SafeString | None:
        return rendering.multiline(part.text)
