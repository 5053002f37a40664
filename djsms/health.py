"""Addresses for monitoring: ``path("health/", include("djsms.health"))``.

``live/`` is for load balancers, ``alerts/`` for who is to be woken, ``metrics/`` for Prometheus.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe

from djsms import conf, queue
from djsms.ledger.transactions import database
from djsms.monitoring.troubles import troubles

__all__ = ["app_name", "urlpatterns"]

logger = logging.getLogger("djsms")

app_name = "djsms_health"

MAX_AGE, MOST = 300, 7 * 86_400  # seconds


def _plain(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{words}\n", content_type="text/plain; charset=utf-8", status=status)


def _public(view: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view that needs no login, no transaction and no cache, and fails without a word."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request)
        except Exception:
            logger.exception("The health of djsms cannot be told")
            response = _plain("cannot tell", 503)
        response.headers["Cache-Control"] = "no-store"
        return response

    made: Callable[..., HttpResponse] = require_safe(login_not_required(wrapper))
    for alias in connections:
        made = transaction.non_atomic_requests(using=alias)(made)
    return made


@_public
def live(request: HttpRequest) -> HttpResponse:
    """Tell whether this process reaches the database of the messages."""
    with connections[database()].cursor() as cursor:
        cursor.execute("SELECT 1")
    return _plain("ok")


@_public
def alerts(request: HttpRequest) -> HttpResponse:
    """Tell whether texts go out: 200, or 503 if somebody should look.

    ``?max_age=`` is for how many seconds a text may be due; 400 if it is no such number. What is
    wrong, and with which account, is for those who have the token.
    """
    given = request.GET.get("max_age", str(MAX_AGE))
    seconds = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else -1
    if not 0 <= seconds <= MOST:
        return _plain(f"max_age must be a whole number of seconds, at most {MOST}", 400)
    with translation.override("en"):
        found = troubles(queue.state(), timedelta(seconds=seconds))
    status = 503 if found else 200
    if _has_token(request):
        return JsonResponse({"ok": not found, "troubles": found}, status=status)
    return _plain("trouble" if found else "ok", status)


@_public
def metrics(request: HttpRequest) -> HttpResponse:
    """Tell Prometheus all figures; 404 without the token, or if ``DJSMS_PROMETHEUS`` is off."""
    if not (conf.prometheus() and _has_token(request)):
        return _plain("not found", 404)
    from djsms.monitoring import exposition

    return HttpResponse(exposition.text(), content_type=exposition.CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    wanted = conf.health_token()
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = constant_time_compare(given.strip(), wanted)
    return bool(wanted) and scheme.lower() == "bearer" and is_right


urlpatterns = [
    path("live/", live, name="live"),
    path("alerts/", alerts, name="alerts"),
    path("metrics/", metrics, name="metrics"),
]
