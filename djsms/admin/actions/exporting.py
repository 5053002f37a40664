"""The action that hands messages of the list to a spreadsheet."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from djsms.admin import permissions
from djsms.admin.numbering import number
from djsms.ledger.exported import csv_pages
from djsms.models import TextMessage

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponseBase

__all__ = ["export"]

# What a request can carry in good time.
MOST = 100_000


@admin.action(description=gettext_lazy("Export as CSV"), permissions=["view"])
def export(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponseBase | None:
    """Stream them; texts go along for those who may view them."""
    chosen = TextMessage.objects.filter(pk__in=queryset.order_by("pk").values("pk"))
    if len(queryset.order_by("pk").values_list("pk", flat=True)[MOST:][:1]):
        words = _("Choose up to %(count)s at a time; for more there is the command djsms export.")
        model_admin.message_user(request, words % {"count": number(MOST)}, messages.WARNING)
        return None
    pages = csv_pages(chosen, with_words=permissions.may_view_texts(request))
    name = f"messages-{timezone.localdate():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        _encoded(pages),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _encoded(pages: Iterator[str]) -> Iterator[bytes]:
    # By this spreadsheets know the encoding.
    yield codecs.BOM_UTF8
    for page in pages:
        yield page.encode()
