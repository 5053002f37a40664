"""What all our admin pages have in common: nothing to edit, and nothing that counts a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model

from djsms.admin.pages import KnownChangeList, LookAheadPaginator

if TYPE_CHECKING:
    from django.core.paginator import Paginator
    from django.db.models import QuerySet
    from django.http import HttpRequest

    BaseAdmin = admin.ModelAdmin[Model]
else:
    BaseAdmin = admin.ModelAdmin

__all__ = ["ReadOnlyAdmin"]


class ReadOnlyAdmin(BaseAdmin):
    """Lists the newest first and shows one; superusers may delete one, as the law may demand."""

    actions: Any = None
    empty_value_display = "–"
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

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user: Any = request.user
        return bool(user.is_active and user.is_superuser)
