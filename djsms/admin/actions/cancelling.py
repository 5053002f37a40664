"""The action that takes back texts of the list that wait."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from djsms.admin.actions import asking
from djsms.admin.numbering import number
from djsms.ledger.words import EXPLANATIONS, LABELS
from djsms.types import Status
from djsms.waiting.cancelling import cancel_texts

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from djsms.models import TextMessage

__all__ = ["cancel"]

# What one request can do in good time.
MOST = 5000

WAITS = Q(status=Status.CREATED, due_on__isnull=False)


@admin.action(description=gettext_lazy("Cancel those that wait"), permissions=["control"])
def cancel(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponse | None:
    """Ask first, since nothing undoes it."""
    waiting = queryset.filter(WAITS).order_by("pk")
    keys = list(waiting.values_list("pk", flat=True)[: MOST + 1])
    if not asking.is_confirmed(request):
        return asking.ask(model_admin, request, _plan(queryset, len(keys)))
    texts = list(waiting.filter(pk__in=keys[:MOST]))
    late = cancel_texts(texts)
    done = len(texts) - len(late)
    words = ngettext("%(count)s text cancelled.", "%(count)s texts cancelled.", done)
    level = messages.SUCCESS if done else messages.WARNING
    model_admin.message_user(request, words % {"count": number(done)}, level)
    if late:
        words = ngettext(
            "%(count)s was sent meanwhile: it was too late for it.",
            "%(count)s were sent meanwhile: it was too late for them.",
            len(late),
        )
        model_admin.message_user(request, words % {"count": number(len(late))}, messages.WARNING)
    return asking.back(model_admin, request)


def _plan(chosen: QuerySet[TextMessage], found: int) -> asking.Plan:
    count = min(found, MOST)
    words = ngettext(
        "%(count)s text waits and would be cancelled. Once cancelled, nothing sends it.",
        "%(count)s texts wait and would be cancelled. Once cancelled, nothing sends them.",
        count,
    )
    sentences = [words % {"count": number(count)} if count else _("None of them waits.")]
    if found > MOST:
        sentences.append(
            _("More of them wait: at a time it is %(count)s, the oldest first.")
            % {"count": number(MOST)}
        )
    button = ngettext("Cancel %(count)s text", "Cancel %(count)s texts", count)
    return asking.Plan(
        title=_("Cancel texts that wait"),
        sentences=sentences,
        button=button % {"count": number(count)} if count else "",
        left_out=_left_out(chosen),
    )


def _left_out(chosen: QuerySet[TextMessage]) -> list[asking.LeftOut]:
    others = chosen.exclude(WAITS).order_by("-pk").values_list("status", flat=True)[: MOST + 1]
    counts = Counter(others)
    is_cut = counts.total() > MOST
    return [
        asking.LeftOut(
            reason=_("does not wait: %(status)s (%(explanation)s)")
            % {"status": LABELS[status], "explanation": EXPLANATIONS[status]},
            count=_("%(count)s or more") % {"count": number(count)} if is_cut else number(count),
        )
        for status, count in counts.most_common()
    ]
