"""The action that hands messages of the list to a spreadsheet."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.contrib import admin, messages
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from djsms.admin import permissions
from djsms.admin.numbering import number
from djsms.ledger import clock
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
    pages = _encoded(csv_pages(chosen, with_words=permissions.may_view_texts(request)))
    name = f"messages-{timezone.localdate(clock.now()):%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        _awaited(pages) if isinstance(request, ASGIRequest) else pages,
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


async def _awaited(pages: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the pages one by one also under ASGI, where Django would read them all at once."""
    read = sync_to_async(lambda: next(pages, b""))
    while page := await read():
        yield page
