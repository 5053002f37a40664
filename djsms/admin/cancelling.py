"""The action that takes back texts of the list that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse

from djsms.types import Status
from djsms.waiting.cancelling import cancel_texts

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from djsms.models import TextMessage

__all__ = ["cancel"]

# What one request can do in good time.
MOST = 5000


@admin.action(description="Cancel those that wait", permissions=["control"])
def cancel(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponse | None:
    """Ask first, since nothing undoes it."""
    waiting = queryset.filter(status=Status.CREATED, due_on__isnull=False)
    keys = list(waiting.order_by("pk").values_list("pk", flat=True)[:MOST])
    if not keys:
        model_admin.message_user(request, "None of them waits.", messages.WARNING)
        return None
    if "confirmed" not in request.POST:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Cancel texts that wait",
            "opts": model_admin.opts,
            "media": model_admin.media,
            "count": len(keys),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/djsms/cancel_confirmation.html", context)
    texts = list(waiting.filter(pk__in=keys))
    late = cancel_texts(texts)
    done = len(texts) - len(late)
    model_admin.message_user(request, f"{done:,} cancelled.", messages.SUCCESS)
    if late:
        words = f"{len(late):,} were sent meanwhile: it was too late for them."
        model_admin.message_user(request, words, messages.WARNING)
    return None
