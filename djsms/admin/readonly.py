"""What all our admin pages have in common: nothing to edit, and nothing that counts a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from django.contrib import admin
from django.db.models import Model
from django.utils.translation import gettext_lazy

from djsms.admin import rendering
from djsms.admin.pages import KnownChangeList, LookAheadPaginator
from djsms.admin.permissions import hidden, may_view_texts

if TYPE_CHECKING:
    from django.core.paginator import Paginator
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    BaseAdmin = admin.ModelAdmin[Model]
else:
    BaseAdmin = admin.ModelAdmin

__all__ = ["ReadOnlyAdmin", "Row", "as_allowed"]

Row: TypeAlias = "str | Callable[[Any], Any] | tuple[Row, ...]"
"""A line of a page: one field, or several beside each other."""

# What providers gave may hold the text as well: they quote texts and numbers in their errors.
HIDDEN: dict[Any, str] = {
    "text_as_written": "text_hidden",
    "error_text": "error_text_hidden",
    "extra_json": "extra_hidden",
    "raw_json": "raw_hidden",
}


class ReadOnlyAdmin(BaseAdmin):
    """Lists the newest first and shows one; who has the permission may delete one."""

    actions: Any = None
    empty_value_display = rendering.NOTHING
    list_per_page = 50
    ordering = ("-pk",)
    paginator = LookAheadPaginator
    # Each of these would count, or sort, a table that may have millions of rows.
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    class Media:
        css = {"all": ["djsms/admin.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KnownChangeList]:
        return KnownChangeList

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> Paginator[Any]:
        return LookAheadPaginator(
            queryset, per_page, orphans, allow_empty_first_page, shown=request.GET.get("p", "")
        )

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        # Since Django 6.1 there may be actions on the page of one row, too.
        where = {} if action_location is None else {"action_location": action_location}
        actions: dict[str, Any] = super().get_actions(request, **where)
        # Those that may delete do so one at a time: what fits a filter may be millions.
        actions.pop("delete_selected", None)
        return actions

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        # Django lets an address ask for any column, so also for texts that begin with "Your code
        # is 1": letter by letter one would read what one may not see.
        offered = map(_parameter, self.get_list_filter(request))
        is_offered = lookup.partition("__")[0] in {name.partition("__")[0] for name in offered}
        return is_offered and super().lookup_allowed(lookup, value, request)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("text"))
    def text_hidden(self, row: Any) -> SafeString:
        return hidden()

    @admin.display(description=gettext_lazy("error text"))
    def error_text_hidden(self, row: Any) -> SafeString:
        return hidden()

    @admin.display(description=gettext_lazy("extra"))
    def extra_hidden(self, row: Any) -> SafeString:
        return hidden()

    @admin.display(description=gettext_lazy("raw"))
    def raw_hidden(self, row: Any) -> SafeString:
        return hidden()


def as_allowed(request: HttpRequest, fields: Iterable[Row]) -> list[Row]:
    """Return the fields of a page, with those that hold texts hidden from who may not see them."""
    if may_view_texts(request):
        return list(fields)

    def shown(field: Row) -> Row:
        return tuple(map(shown, field)) if isinstance(field, tuple) else HIDDEN.get(field, field)

    return [shown(field) for field in fields]


def _parameter(item: Any) -> str:
    """Return what a filter of a list asks for in the address."""
    if isinstance(item, tuple | list):
        item = item[0]
    return item if isinstance(item, str) else str(getattr(item, "parameter_name", ""))
