"""The action that forgets the people whom messages of the list are to or from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from djsms.admin.actions import asking
from djsms.admin.numbering import number
from djsms.erasing import Holdings, forget, holdings
from djsms.exceptions import InvalidNumber
from djsms.models import TextMessage

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

__all__ = ["forget_people"]

# Each may have many messages, and one request has to be done in good time.
MOST = 25


@admin.action(description=gettext_lazy("Forget these people"), permissions=["delete"])
def forget_people(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[TextMessage]
) -> HttpResponse | None:
    """Ask first: all that is stored of each number goes, not the chosen messages alone."""
    otherwise = _("Choose up to %(count)s at a time; for one number there is djsms forget.")
    chosen = asking.at_most(MOST, model_admin, request, queryset, otherwise)
    if chosen is None:
        return None
    people: dict[str, Holdings] = {}
    problems: dict[TextMessage, str] = {}
    for message in chosen:
        person = _person(message)
        try:
            people[person] = holdings(person)
        except InvalidNumber:
            problems[message] = _no_number(message)
    if not asking.is_confirmed(request):
        return asking.ask(model_admin, request, _plan(people, problems))
    for person in people:
        _forget(model_admin, request, person)
    return asking.back(model_admin, request)


def _person(message: TextMessage) -> str:
    is_incoming = message.direction == TextMessage.Direction.INCOMING
    return message.frm if is_incoming else message.to


def _no_number(message: TextMessage) -> str:
    if message.erased_on is not None:
        return _("It was erased before.")
    return _("It is to or from no phone number.")


def _plan(people: dict[str, Holdings], problems: dict[TextMessage, str]) -> asking.Plan:
    count = len(people)
    return asking.Plan(
        title=_("Forget people"),
        sentences=[_sentence(person, held) for person, held in people.items()]
        + [
            _(
                "Number and texts go, with all that providers said of them, and nothing brings "
                "them back. Status, times, segments and prices stay."
            )
            if count
            else _("There is nobody to forget.")
        ],
        button=ngettext("Forget %(count)s person", "Forget %(count)s people", count)
        % {"count": number(count)}
        if count
        else "",
        left_out=asking.by_reason(problems),
    )


def _sentence(person: str, held: Holdings) -> str:
    told = {
        "person": person,
        "outgoing": number(held.outgoing),
        "incoming": number(held.incoming),
        "waiting": number(held.waiting),
        "flying": number(held.in_flight),
    }
    words = _("%(person)s: sent %(outgoing)s, received %(incoming)s.") % told
    if held.waiting:
        words += " " + _("Waiting, and cancelled first: %(waiting)s.") % told
    if held.in_flight:
        words += " " + _("Under way, and left: %(flying)s.") % told
    return words


def _forget(model_admin: Any, request: HttpRequest, person: str) -> None:
    try:
        done = forget(person)
    except ValueError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return
    words = ngettext("%(count)s message erased.", "%(count)s messages erased.", done.erased)
    level = messages.SUCCESS
    words %= {"count": number(done.erased)}
    if done.left:
        level = messages.WARNING
        words += " " + _(
            "Left, since the provider is being called just now: %(refs)s. Forget the number again "
            "in a minute."
        ) % {"refs": ", ".join(done.left)}
    model_admin.message_user(request, words, level)
