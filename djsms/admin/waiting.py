"""What came in and waits: reports for their message, parts for the rest of their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from djsms.admin import rendering
from djsms.admin.readonly import ReadOnlyAdmin, Row, as_allowed
from djsms.admin.rendering import moment_of
from djsms.models import IncomingPart, StatusEvent

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

__all__ = ["IncomingPartAdmin", "StatusEventAdmin"]

created_on = moment_of("created_on", gettext_lazy("created on"))
occurred_on = moment_of("occurred_on", gettext_lazy("occurred on"))
received_on = moment_of("received_on", gettext_lazy("received on"))


class WaitingAdmin(ReadOnlyAdmin):
    """Lists the rows without a message; those with one are shown with it, or done with."""

    list_title: Any = ""
    rows: ClassVar[Sequence[Row]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(message=None)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": self.list_title, **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return as_allowed(request, self.rows)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten(self.get_fields(request, obj))

    @admin.display(description=gettext_lazy("raw"))
    def raw_json(self, row: StatusEvent | IncomingPart) -> str:
        return rendering.pretty_json(row.raw) or rendering.NOTHING


@admin.register(StatusEvent)
class StatusEventAdmin(WaitingAdmin):
    list_title = gettext_lazy("Status reports that have found no message")
    list_display = (created_on, "account", "ids", "status_badge", "words")
    rows = (
        "status_badge",
        "account",
        "provider_id",
        "ref",
        "provider_status",
        "error_code",
        "error_text",
        "price_tag",
        occurred_on,
        created_on,
        "raw_json",
    )
    search_fields = ("provider_id__exact", "ref__exact")
    search_help_text = gettext_lazy("A provider's id or a reference: whole, not in part.")

    @admin.display(description=gettext_lazy("provider's id, our reference"))
    def ids(self, event: StatusEvent) -> SafeString:
        return format_html("<code>{}</code> <code>{}</code>", event.provider_id, event.ref)

    @admin.display(description=gettext_lazy("status"))
    def status_badge(self, event: StatusEvent) -> SafeString:
        return rendering.badge(event.status)

    @admin.display(description=gettext_lazy("provider's word, error code"))
    def words(self, event: StatusEvent) -> str:
        return " ".join(filter(None, (event.provider_status, event.error_code)))

    @admin.display(description=gettext_lazy("price"))
    def price_tag(self, event: StatusEvent) -> str:
        return rendering.price(event.price, event.currency) or rendering.NOTHING


@admin.register(IncomingPart)
class IncomingPartAdmin(WaitingAdmin):
    list_title = gettext_lazy("Parts of incoming texts that wait for the others")
    list_display = (created_on, "from_and_to", "account", "place", "part_ref")
    rows = (
        "frm",
        "to",
        "number",
        "total",
        "part_ref",
        "text_as_written",
        "account",
        "backend",
        "provider_id",
        received_on,
        created_on,
        "raw_json",
    )

    @admin.display(description=gettext_lazy("from → to"))
    def from_and_to(self, part: IncomingPart) -> SafeString:
        return rendering.between(part.frm, part.to)

    @admin.display(description=gettext_lazy("part"))
    def place(self, part: IncomingPart) -> str:
        return _("%(number)s of %(total)s") % {"number": part.number, "total": part.total}

    @admin.display(description=gettext_lazy("text"))
    def text_as_written(self, part: IncomingPart) -> str:
        return rendering.multiline(part.text) or rendering.NOTHING
