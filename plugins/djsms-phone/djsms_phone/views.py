"""The page, and the JSON that its script asks for."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from djsms import segments
from djsms.exceptions import InvalidNumber
from djsms.numbers import recipient

from djsms_phone import accounts, calls, network, shown, texts, words
from djsms_phone.access import guarded
from djsms_phone.behaviours import EXPLANATIONS, Behaviour
from djsms_phone.models import Call, Handset

__all__ = [
    "changes",
    "older",
    "page",
    "phones",
    "read",
    "switch",
    "switch_all",
    "take",
    "text",
    "write",
]

PHONES, TEXTS, CALLS = 50, 100, 50
MOST_CHANGES = 200
LONGEST = 2000
# What is stored at one moment is seen a little later; what comes twice is put in its place twice.
OVERLAP = timedelta(seconds=5)


@guarded
@require_GET
def page(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show the phones, and the conversation of one."""
    handset = get_object_or_404(_handsets(), pk=pk) if pk is not None else None
    found = list(_handsets().order_by("-active_on", "-pk")[:PHONES])
    shown_texts = texts.page(handset, TEXTS) if handset else []
    context = {
        "phones": shown.rows(found),
        "handset": handset,
        "bubbles": [shown.bubble(message) for message in shown_texts],
        "calls": [shown.call(made) for made in _log(handset)[:CALLS]],
        "choices": [(b.value, b.label, EXPLANATIONS[b]) for b in Behaviour],
        "accounts": accounts.phone_accounts(),
        "others": {a: b for a, b in accounts.backends().items() if b != accounts.BACKEND},
        "elsewhere": _elsewhere(request),
        # The project of ``djsms phone`` has no commands of its own.
        "is_story": settings.ROOT_URLCONF == "djsms_phone.project_urls",
        "state": _state(handset, len(found) == PHONES, len(shown_texts) == TEXTS),
    }
    return render(request, "djsms_phone/page.html", context)


@guarded
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """Tell what is new since a moment: 204 if nothing is, and no call is due."""
    now = timezone.now()
    since = (_moment(request.GET.get("after")) or now) - OVERLAP
    moved = _handsets().filter(active_on__gte=since).order_by("active_on")
    rows = list(moved[:MOST_CHANGES])
    handset = _handsets().filter(pk=_number(request.GET.get("open")) or 0).first()
    bubbles = texts.changed(handset, since, MOST_CHANGES) if handset else []
    made = _log(handset).filter(done_on__gte=since)[:MOST_CHANGES]
    due = calls.next_due()
    answer = {
        # With more to come than fits, the next question begins where this answer ends.
        "now": (rows[-1].active_on if len(rows) == MOST_CHANGES else now).isoformat(),
        "rows": shown.rows(rows),
        "texts": [shown.bubble(message) for message in bubbles],
        "calls": [shown.call(call) for call in made],
        "everybody": _everybody(),
        "due": due is not None and due <= now,
        "waits": due is not None,
    }
    if not (answer["rows"] or answer["texts"] or answer["calls"] or answer["waits"]):
        return HttpResponse(status=204)
    return JsonResponse(answer)


@guarded
@require_http_methods(["GET", "POST"])
def phones(request: HttpRequest) -> HttpResponse:
    """Search among the phones, or go on in the list; POST: make a new one."""
    if request.method == "POST":
        return _new_phone(request)
    found = _handsets()
    if asked := request.GET.get("q", "").strip():
        digits = "".join(filter(str.isdigit, asked))
        wanted = Q(number__in=texts.search(asked, PHONES))
        found = found.filter(wanted | Q(number__contains=digits) if digits else wanted)
    if before := _moment(request.GET.get("before")):
        found = found.filter(active_on__lt=before)
    rows = list(found.order_by("-active_on", "-pk")[:PHONES])
    return JsonResponse({"rows": shown.rows(rows), "more": len(rows) == PHONES})


@guarded
@require_GET
def older(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell the texts of a phone before one."""
    handset = get_object_or_404(_handsets(), pk=pk)
    found = texts.page(handset, TEXTS, before=_number(request.GET.get("before")))
    return JsonResponse(
        {"texts": [shown.bubble(message) for message in found], "more": len(found) == TEXTS}
    )


@guarded
@require_GET
def text(request: HttpRequest, ref: str) -> HttpResponse:
    """Tell the way of one text."""
    message = texts.by_ref(ref)
    if message is None:
        raise Http404
    return JsonResponse(shown.way(message))


@guarded
@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a text on a phone."""
    handset = get_object_or_404(_handsets(), pk=pk)
    given = {name: request.POST.get(name, "") for name in ("text", "to", "account")}
    # A form sends its line ends as two characters, a phone writes one.
    written = given["text"].replace("\r\n", "\n")
    if problems := _problems(written, given["to"], given["account"]):
        return JsonResponse({"problems": problems}, status=400)
    try:
        made = network.reply(handset, written, account=given["account"], to=given["to"].strip())
    except network.SwitchedOff:
        problem = _("This phone is switched off. Switch it on under “Network” first.")
        return JsonResponse({"problems": {"text": problem}}, status=409)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"calls": len(made)})
    return redirect("djsms_phone:handset", pk=pk)


@guarded
@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep that somebody has seen the texts up to one."""
    upto = _number(request.POST.get("upto")) or 0
    Handset.objects.filter(pk=pk, read_up_to__lt=upto).update(
        read_up_to=upto, active_on=timezone.now()
    )
    return HttpResponse(status=204)


@guarded
@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Let one phone's network behave in another way."""
    handset = get_object_or_404(_handsets(), pk=pk)
    network.switch(handset, _behaviour(request), next_only="next" in request.POST)
    return HttpResponse(status=204)


@guarded
@require_POST
def switch_all(request: HttpRequest) -> HttpResponse:
    """Let the network of all phones behave in another way."""
    network.switch_all(_behaviour(request))
    return HttpResponse(status=204)


@guarded
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Settle the call that a page has made, if it tells of one, and give it the next that is due.

    204 if none is.
    """
    if done := _number(request.POST.get("done")):
        calls.settle(
            done,
            min(_number(request.POST.get("answer")) or 0, 999),
            milliseconds=_number(request.POST.get("ms")) or 0,
            problem=request.POST.get("problem", ""),
        )
    while call := calls.take():
        try:
            path = calls.path(call)
        except Exception as error:
            # An account that is gone, or webhooks that are not included: told in the log of calls.
            calls.settle(call.pk, 0, problem=f"{type(error).__name__}: {error}")
            continue
        # As text: the numbers and times in it are to be sent as they are.
        return JsonResponse({"id": call.pk, "path": path, "body": json.dumps(call.body)})
    return HttpResponse(status=204)


def _new_phone(request: HttpRequest) -> HttpResponse:
    try:
        number = recipient(request.POST.get("number", ""))
    except InvalidNumber as error:
        return JsonResponse({"problems": {"number": str(error)}}, status=400)
    handset, _created = Handset.objects.get_or_create(number=number)
    Handset.objects.filter(pk=handset.pk).update(active_on=timezone.now())
    return JsonResponse({"address": reverse("djsms_phone:handset", args=[handset.pk])})


def _handsets() -> QuerySet[Handset]:
    return Handset.objects.exclude(number="")


def _log(handset: Handset | None) -> QuerySet[Call]:
    made = Call.objects.filter(handset=handset) if handset else Call.objects.all()
    return made.filter(done_on__isnull=False).order_by("-done_on", "-pk")


def _state(handset: Handset | None, more_phones: bool, more_texts: bool) -> dict[str, Any]:
    """Return what the script begins with."""
    return {
        "now": timezone.now().isoformat(),
        "open": handset.pk if handset else None,
        "senders": texts.senders(handset) if handset else [],
        "originators": accounts.originators(),
        "behaviour": handset.behaviour if handset else "",
        "next": handset.next_behaviour if handset else "",
        "everybody": _everybody(),
        "more": {"phones": more_phones, "texts": more_texts},
        "words": words.for_script(),
        "alphabet": [segments.DEFAULT_ALPHABET, segments.EXTENSION_TABLE],
        "addresses": {
            name: reverse(f"djsms_phone:{name}")
            for name in ("page", "phones", "changes", "take", "switch_all")
        },
    }


def _everybody() -> str:
    """Return how phones behave that are not there yet."""
    chosen = Handset.objects.filter(number="").values_list("behaviour", flat=True).first()
    return chosen or Behaviour.DELIVERS.value


def _elsewhere(request: HttpRequest) -> str:
    """Return the host that providers would call, if it is not the one that this page calls."""
    host = urlsplit(str(getattr(settings, "DJSMS_BASE_URL", "") or "")).netloc
    return host if host and host != request.get_host() else ""


def _problems(written: str, to: str, account: str) -> dict[str, str]:
    problems = {}
    if not written.strip():
        problems["text"] = _("Write something first.")
    if len(written) > LONGEST:
        problems["text"] = _("A phone takes no more than %d characters.") % LONGEST
    if not to.strip() or len(to) > 20:
        problems["to"] = _("Say whom it goes to: a number of the application.")
    if account not in accounts.phone_accounts():
        problems["account"] = _("This account has no phones: its backend is another.")
    return problems


def _behaviour(request: HttpRequest) -> Behaviour:
    try:
        return Behaviour(request.POST.get("behaviour", ""))
    except ValueError:
        raise Http404 from None


def _number(given: str | None) -> int | None:
    # Beyond that the database's own numbers end.
    return (
        int(given) if given and given.isascii() and given.isdecimal() and len(given) < 19 else None
    )


def _moment(given: str | None) -> datetime | None:
    with contextlib.suppress(ValueError):
        moment = parse_datetime(given or "")
        return moment if moment and moment.tzinfo else None
    return None
