"""Messages: who may do what with them, how they are listed and found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from djsms.admin import message_page, permissions, rendering, search
from djsms.admin.actions.cancelling import cancel
from djsms.admin.actions.exporting import export
from djsms.admin.actions.forgetting import forget_people
from djsms.admin.actions.refreshing import ask_provider
from djsms.admin.actions.resending import KindFilter, send_again
from djsms.admin.dashboard import dashboard
from djsms.admin.next_steps import next_steps
from djsms.admin.readonly import ReadOnlyAdmin, as_allowed
from djsms.models import TextMessage

View = TypeVar("View", bound=Callable[..., Any])

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

__all__ = ["TextMessageAdmin"]


def _outside_transactions(view: View) -> View:
    """Keep ``ATOMIC_REQUESTS`` off a page whose actions call providers, and store what they say.

    A transaction around the call would hold its locks meanwhile, and lose the answer if it fails.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


class AccountFilter(admin.SimpleListFilter):
    """Offers the accounts of the stored messages, without a DISTINCT over all of them."""

    title = gettext_lazy("account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        accounts = list(search.accounts_in_use())
        return [(account, account) for account in accounts] if len(accounts) > 1 else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[TextMessage]
    ) -> QuerySet[TextMessage]:
        return queryset.filter(account=self.value()) if self.value() else queryset


@admin.register(TextMessage)
class TextMessageAdmin(message_page.MessageFields, ReadOnlyAdmin):
    list_display = (
        message_page.created_on,
        "from_and_to",
        "account",
        "status_badge",
        "cost",
    )
    list_filter = ("status", KindFilter, "direction", AccountFilter, "created_on")
    actions = (cancel, send_again, ask_provider, export, forget_people)
    # What is looked up is in get_search_results; this makes the box appear.
    search_fields = ("ref",)
    search_help_text = gettext_lazy(
        "A number in any notation, a sender's name, a reference, a provider's id or a key: whole, "
        "not in part. Shows the newest 1,000."
    )

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "dashboard/", self.admin_site.admin_view(self.dashboard_view), name="djsms_dashboard"
        )
        return [page, *super().get_urls()]

    def dashboard_view(self, request: HttpRequest) -> HttpResponse:
        """Return what the messages of the last hours and days come to."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return dashboard(self, request)

    @_outside_transactions
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    def has_control_permission(self, request: HttpRequest) -> bool:
        """Whether the action is there that cancels."""
        return permissions.may_control(request)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether the action is there that sends again."""
        return permissions.may_send_again(request)

    def has_refresh_permission(self, request: HttpRequest) -> bool:
        """Whether the action is there that asks providers."""
        return permissions.may_ask(request)

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
        rows, details = message_page.rows_of(obj)
        return [
            (None, {"fields": as_allowed(request, rows)}),
            (
                gettext_lazy("Details"),
                {"fields": as_allowed(request, details), "classes": ["collapse"]},
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        message = kwargs["obj"]
        context["timeline"] = message_page.timeline(message, request)
        context["next_steps"] = next_steps(message, request)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("from → to"))
    def from_and_to(self, message: TextMessage) -> SafeString:
        return rendering.between(message.frm, message.to)

    @admin.display(description=gettext_lazy("cost"))
    def cost(self, message: TextMessage) -> SafeString:
        return rendering.cost(message.price, message.currency, message.segments)
