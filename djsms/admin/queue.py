"""The page of the queue: whether texts go, and if not, why; and two buttons for each account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from djsms.admin import graphs, rendering
from djsms.admin.numbering import number
from djsms.admin.permissions import may_control
from djsms.ledger.transactions import rows_of
from djsms.models import Gate
from djsms.waiting import gates, verdicts
from djsms.waiting.recent import MINUTES, Minute, last_hour
from djsms.waiting.states import AccountState, WorkerState, state

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    BaseAdmin = admin.ModelAdmin[Gate]
else:
    BaseAdmin = admin.ModelAdmin

__all__ = ["QueueAdmin"]

LANE_WORDS = {
    "urgent": gettext_lazy("urgent"),
    "normal": gettext_lazy("normal"),
    "bulk": gettext_lazy("bulk"),
}


@admin.register(Gate)
class QueueAdmin(BaseAdmin):
    """Stands in the admin's index as *Queue*; there is no list of gates, and none to edit."""

    class Media:
        css = {"all": ["djsms/admin.css"]}

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or may_control(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="djsms_gate_changelist"),
            path("pause/", view(self.pause_view), name="djsms_gate_pause"),
            path("resume/", view(self.resume_view), name="djsms_gate_resume"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        queue = state()
        hours = last_hour(queue.moment)
        first, *others = verdicts.verdict(queue)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Queue"),
            "opts": self.opts,
            "media": self.media,
            "may_control": may_control(request),
            "verdict": first,
            "troubles": others,
            "is_fine": not others and verdicts.is_attended(queue),
            "accounts": [
                _row(account, queue.moment, hours.get(account.account))
                for account in queue.accounts
            ],
            "workers": [_worker(worker, queue.moment) for worker in queue.workers],
            "moment": rendering.moment(queue.moment),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/djsms/queue.html", context)

    def pause_view(self, request: HttpRequest) -> HttpResponse:
        by = request.user.get_username()
        reason = request.POST.get("reason", "").strip()
        # Who it was stands there for all to see, however long the reason.
        reason = (
            f"{reason[: gates.REASON_LENGTH - len(by) - 3]} ({by})"
            if reason
            else _("by %(person)s") % {"person": by}
        )
        return self._change(request, _("Paused"), lambda account: gates.pause(account, reason))

    def resume_view(self, request: HttpRequest) -> HttpResponse:
        return self._change(request, _("Resumed"), gates.resume)

    def _change(self, request: HttpRequest, done: str, change: Any) -> HttpResponse:
        if not may_control(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        account = request.POST.get("account", "")
        try:
            change(account)
        except ImproperlyConfigured as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, f"{done}: {account}.", messages.SUCCESS)
            gate = rows_of(Gate).get(account=account, slot="")
            self.log_change(request, gate, f"{done}. {gate.reason}".strip())
        return redirect(reverse("admin:djsms_gate_changelist", current_app=self.admin_site.name))


def _row(
    account: AccountState, moment: datetime, minutes: Sequence[Minute] | None
) -> dict[str, Any]:
    hour = minutes or [Minute() for _ in range(MINUTES)]
    failed, unknown = (sum(getattr(m, kind) for m in hour) for kind in ("failed", "unknown"))
    return {
        "state": account,
        "word": verdicts.word(account, moment),
        "tone": _tone(account),
        "lanes": [
            (number(count), LANE_WORDS[name])
            for name, count in account.by_priority.items()
            if count
        ],
        "oldest": account.oldest_due and verdicts.span(moment - account.oldest_due),
        "ends": account.next_expiry and verdicts.span(account.next_expiry - moment),
        "failed": failed,
        "unknown": unknown,
        "failed_url": _listed(account, "failed"),
        "unknown_url": _listed(account, "unknown"),
        "graph": graphs.graph(hour) if minutes else None,
        "summary": graphs.summary(hour),
        "minutes": [m for m in enumerate(reversed(hour)) if m[1].total],
    }


def _tone(account: AccountState) -> str:
    if verdicts.goes(account):
        return "unknown" if account.is_on_probation else "delivered"
    return "unknown" if account.paused_on else "failed"


def _listed(account: AccountState, status: str) -> str:
    query = urlencode({"status__exact": status, "account": account.account})
    return f"{reverse('admin:djsms_textmessage_changelist')}?{query}"


def _worker(worker: WorkerState, moment: datetime) -> dict[str, Any]:
    return {
        "state": worker,
        "started": rendering.moment(worker.started_on),
        "seen": verdicts.span(moment - worker.seen_on),
    }
