"""The action that sends messages of the list again, and the filter that finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ImproperlyConfigured
from django.template.response import TemplateResponse

from djsms import exceptions
from djsms.exceptions import InvalidMessage, NotSupported, SendError
from djsms.sending.again import obstacle, resend_text

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from djsms.models import TextMessage

__all__ = ["KindFilter", "send_again"]

# Calls to the provider, one after the other, that one request can make in good time.
MOST = 25

KINDS = [
    name
    for name in exceptions.__all__
    if issubclass(getattr(exceptions, name), SendError | InvalidMessage | NotSupported)
]


class KindFilter(admin.SimpleListFilter):
    """Offers what a message can have ended with, without a DISTINCT over all of them."""

    title = "kind of error"
    parameter_name = "error_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in KINDS]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[TextMessage]
    ) -> QuerySet[TextMessage]:
        return queryset.filter(error_kind=self.value()) if self.value() else queryset


@admin.action(description="Send again", permissions=["resend"])
def send_again(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponse | None:
    """Ask first: those that arrived after all arrive twice, and each costs."""
    chosen = list(queryset.order_by("pk")[: MOST + 1])
    if len(chosen) > MOST:
        words = f"Choose up to {MOST} at a time; for more there is the command djsms resend."
        model_admin.message_user(request, words, messages.WARNING)
        return None
    problems = {message: problem for message in chosen if (problem := obstacle(message))}
    resendable = [message for message in chosen if message not in problems]
    if resendable and "confirmed" not in request.POST:
        context = {
            **model_admin.admin_site.each_context(request),
            "title": "Send again",
            "opts": model_admin.opts,
            "media": model_admin.media,
            "count": len(resendable),
            "segments": sum(message.segments for message in resendable),
            "unknown": sum(message.status == "unknown" for message in resendable),
            "problems": [(message.ref, problem) for message, problem in problems.items()],
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/djsms/resend_confirmation.html", context)
    for message in resendable:
        try:
            new = resend_text(message)
        except (ValueError, ImproperlyConfigured) as error:
            problems[message] = str(error)
        else:
            level = messages.SUCCESS if not new.error_kind else messages.WARNING
            model_admin.message_user(request, f"Message {message.ref}: {new.status}.", level)
    for message, problem in problems.items():
        model_admin.message_user(request, f"Message {message.ref}: {problem}", messages.WARNING)
    return None
