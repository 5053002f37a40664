"""The page between choosing an action and its being done: what it will do, and to how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from djsms.admin.numbering import number

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from djsms.models import TextMessage

__all__ = ["LeftOut", "Plan", "ask", "at_most", "back", "by_reason", "is_confirmed"]

# Of each reason: a person looks into some, and counts the others.
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Chosen messages that an action leaves alone, for one reason."""

    reason: str
    messages: Sequence[TextMessage] = ()
    """The messages, where they are known one by one."""
    count: str = ""
    """How many, where they are not, such as ``"5,000 or more"``."""

    @property
    def number(self) -> str:
        """How many it leaves alone."""
        return self.count or str(len(self.messages))

    @property
    def some(self) -> Sequence[TextMessage]:
        """Those that the page names."""
        return self.messages[:SHOWN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an action would do, in words and before it does it."""

    title: str
    sentences: Sequence[str]
    """How many messages it is about, what becomes of them, and what that costs."""
    button: str
    """What the button says that does it; empty if there is nothing that could be done."""
    left_out: Sequence[LeftOut] = field(default_factory=tuple)
    """What was chosen and stays as it is, and why."""


def at_most(
    most: int,
    model_admin: Any,
    request: HttpRequest,
    queryset: QuerySet[TextMessage],
    otherwise: str,
) -> list[TextMessage] | None:
    """Return the chosen messages, the oldest first; None if they are more than a request can do.

    Then the person is told so, with the ``%(count)s`` of ``otherwise`` filled in.
    """
    chosen = list(queryset.order_by("pk")[: most + 1])
    if len(chosen) <= most:
        return chosen
    model_admin.message_user(request, otherwise % {"count": number(most)}, messages.WARNING)
    return None


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether a person has seen the plan, and pressed its button."""
    return "confirmed" in request.POST


def ask(model_admin: Any, request: HttpRequest, plan: Plan) -> HttpResponse:
    """Return the page that shows the plan; its button runs the same action once more."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": plan.title,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "plan": plan,
        "action": request.POST.get("action", ""),
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "origin": request.POST.get("origin", ""),
        "back_url": _message_page(model_admin, request) or request.get_full_path(),
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/djsms/action_confirmation.html", context)


def back(model_admin: Any, request: HttpRequest) -> HttpResponse | None:
    """Return to the message that the action was taken from; None if that was the list."""
    page = _message_page(model_admin, request)
    return redirect(page) if page else None


def by_reason(problems: Mapping[TextMessage, str]) -> list[LeftOut]:
    """Return the messages that are left out, by why."""
    reasons: dict[str, list[TextMessage]] = {}
    for message, reason in problems.items():
        reasons.setdefault(reason, []).append(message)
    return [LeftOut(reason=reason, messages=found) for reason, found in reasons.items()]


def _message_page(model_admin: Any, request: HttpRequest) -> str:
    selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
    if request.POST.get("origin") != "message" or len(selected) != 1:
        return ""
    name = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_change"
    return reverse(name, args=selected, current_app=model_admin.admin_site.name)
