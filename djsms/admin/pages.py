"""Pages of a table that is too large to be counted."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    # Django's paginator can be subscripted in its stubs only.
    BasePaginator = Paginator[Any]
else:
    BasePaginator = Paginator

__all__ = ["KnownChangeList", "LookAheadPaginator"]

AHEAD = 10
# The last page number that is looked up; beyond it an offset helps nobody.
LAST = 100_000


class LookAheadPaginator(BasePaginator):
    """Knows of ten pages after the one that is shown; small tables it knows to the last row."""

    def __init__(self, *args: Any, shown: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.shown = min(max(int(shown), 1), LAST) if shown.isdecimal() else 1

    @cached_property
    def count(self) -> int:
        """How many rows there are, or are known of."""
        return self._before + min(self._found, AHEAD * self.per_page)

    @property
    def has_more(self) -> bool:
        """Whether there are rows beyond those that ``count`` knows of."""
        return self._found > AHEAD * self.per_page

    @property
    def _before(self) -> int:
        return (self.shown - 1) * self.per_page

    @cached_property
    def _found(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        ahead = self._before + AHEAD * self.per_page + 1
        return len(rows.values_list("pk", flat=True)[self._before : ahead])


class KnownChangeList(ChangeList):
    """Says how many results a search has, if that is known."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query or getattr(self.paginator, "has_more", False):
            # The template leaves the number out if it is that of all rows.
            self.full_result_count = self.result_count
