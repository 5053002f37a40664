"""The action that asks providers how messages of the list stand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from djsms.accounts import gateways
from djsms.admin import permissions
from djsms.admin.actions import asking
from djsms.admin.numbering import number
from djsms.models import TextMessage
from djsms.receiving.refreshing import Refreshed, refresh

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

__all__ = ["ask_provider", "unaskable"]

MOST = 100
# A backend may make a request for each; after this no further lot is asked about.
PATIENCE = 20  # seconds


@admin.action(description=gettext_lazy("Ask the provider how they stand"), permissions=["refresh"])
def ask_provider(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponse | None:
    """Ask first: it calls the provider, and what it says changes the messages."""
    otherwise = _("Choose up to %(count)s at a time; for more there is the command djsms refresh.")
    chosen = asking.at_most(MOST, model_admin, request, queryset, otherwise)
    if chosen is None:
        return None
    problems = {message: problem for message in chosen if (problem := unaskable(message))}
    askable = [message for message in chosen if message not in problems]
    if not asking.is_confirmed(request):
        return asking.ask(model_admin, request, _plan(len(askable), problems))
    end = time.monotonic() + PATIENCE
    results = refresh(askable, is_over=lambda: time.monotonic() > end)
    for result in results:
        _tell(model_admin, request, result)
    rest = len(askable) - sum(result.asked for result in results)
    if rest and not any(result.problem for result in results):
        words = _("The provider is slow. Not asked about: %(count)s; choose them again.")
        model_admin.message_user(request, words % {"count": number(rest)}, messages.WARNING)
    return asking.back(model_admin, request)


def unaskable(message: TextMessage) -> str:
    """Return why no provider can be asked about a message; empty if one can."""
    if message.direction != TextMessage.Direction.OUTGOING:
        return _("It came in: there is nothing to ask.")
    if message.erased_on is not None:
        return _("It was erased, and providers want its number.")
    if message.attempted_on is None:
        return _("Its provider was never called for it.")
    try:
        gateway = gateways.get(message.account)
    except ImproperlyConfigured as error:
        return str(error)
    if gateway.supports("fetch_reports"):
        return ""
    return _("The backend “%(backend)s” has no way to ask: look it up with the provider.") % {
        "backend": gateway.backend
    }


def _plan(count: int, problems: dict[TextMessage, str]) -> asking.Plan:
    words = ngettext(
        "The provider would be asked now how %(count)s message stands. What it says is stored as "
        "a status report is. Nothing is sent.",
        "The provider would be asked now how %(count)s messages stand. What it says is stored as "
        "status reports are. Nothing is sent.",
        count,
    )
    button = ngettext("Ask about %(count)s message", "Ask about %(count)s messages", count)
    told = {"count": number(count)}
    return asking.Plan(
        title=_("Ask the provider"),
        sentences=[words % told if count else _("No provider can be asked about any of them.")],
        button=button % told if count else "",
        left_out=asking.by_reason(problems),
    )


def _tell(model_admin: Any, request: HttpRequest, result: Refreshed) -> None:
    words = _("Account %(account)s: asked about %(asked)s, new reports: %(news)s.") % {
        "account": result.account,
        "asked": number(result.asked),
        "news": number(result.news),
    }
    if result.problem:
        is_readable = permissions.may_view_texts(request)
        words = f"{words} {result.problem if is_readable else result.problem_kind}"
    model_admin.message_user(request, words, messages.WARNING if result.problem else messages.INFO)
