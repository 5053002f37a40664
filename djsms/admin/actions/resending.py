"""The action that sends messages of the list again, and the filter that finds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from djsms import exceptions
from djsms.admin.actions import asking
from djsms.admin.numbering import number
from djsms.exceptions import InvalidMessage, NotSupported, SendError
from djsms.sending.again import obstacle, resend_text
from djsms.sending.plans import ResendPlan

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

    title = gettext_lazy("kind of error")
    parameter_name = "error_kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in KINDS]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[TextMessage]
    ) -> QuerySet[TextMessage]:
        return queryset.filter(error_kind=self.value()) if self.value() else queryset


@admin.action(description=gettext_lazy("Send again"), permissions=["resend"])
def send_again(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponse | None:
    """Ask first: those that arrived after all arrive twice, and each costs."""
    otherwise = _("Choose up to %(count)s at a time; for more there is the command djsms resend.")
    chosen = asking.at_most(MOST, model_admin, request, queryset, otherwise)
    if chosen is None:
        return None
    problems = {message: problem for message in chosen if (problem := obstacle(message))}
    resendable = [message for message in chosen if message not in problems]
    if not asking.is_confirmed(request):
        return asking.ask(model_admin, request, _plan(resendable, problems))
    for message in resendable:
        try:
            new = resend_text(message)
        except (ValueError, ImproperlyConfigured) as error:
            problems[message] = str(error)
        else:
            level = messages.SUCCESS if not new.error_kind else messages.WARNING
            words = _("Message %(ref)s was sent again as %(new)s, which is: %(status)s.")
            told = {"ref": message.ref, "new": new.ref, "status": new.status}
            model_admin.message_user(request, words % told, level)
    for message, problem in problems.items():
        words = _("Message %(ref)s: %(problem)s") % {"ref": message.ref, "problem": problem}
        model_admin.message_user(request, words, messages.WARNING)
    return asking.back(model_admin, request)


def _plan(resendable: Sequence[TextMessage], problems: dict[TextMessage, str]) -> asking.Plan:
    plan = ResendPlan(resendable)
    return asking.Plan(
        title=_("Send again"),
        sentences=_sentences(plan),
        button=ngettext("Send %(count)s message again", "Send %(count)s messages again", plan.count)
        % {"count": number(plan.count)}
        if plan.count
        else "",
        left_out=asking.by_reason(problems),
    )


def _sentences(plan: ResendPlan) -> list[str]:
    if not plan.count:
        return [_("None of them can be sent again.")]
    segments = ngettext("%(count)s segment", "%(count)s segments", plan.segments)
    words = ngettext(
        "%(count)s message would be sent again, as a new message. It costs %(segments)s.",
        "%(count)s messages would be sent again, each as a new message. They cost %(segments)s.",
        plan.count,
    )
    told = {"count": number(plan.count), "segments": segments % {"count": number(plan.segments)}}
    sentences = [words % told]
    if plan.unsure:
        words = ngettext(
            "Of %(count)s nobody knows whether it arrived: it may arrive twice.",
            "Of %(count)s nobody knows whether they arrived: they may arrive twice.",
            plan.unsure,
        )
        sentences.append(words % {"count": number(plan.unsure)})
    return sentences
