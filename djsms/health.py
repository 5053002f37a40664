"""Addresses for monitoring: ``path("health/", include("djsms.health"))``.

``live/`` is for load balancers, ``alerts/`` for who is to be woken, ``metrics/`` for Prometheus.
"""

from __future__ import annotations

import logging
import threading
import time
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

MAX_AGE, MOST, FRESH = 300, 7 * 86_400, 5  # seconds


class _Recent:
    """How the queue stood when this process last looked; one at a time looks anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self._read: tuple[float, queue.QueueState] | None = None

    def state(self) -> queue.QueueState:
        with self._lock:
            now = time.monotonic()
            if self._read is None or now - self._read[0] > FRESH:
                self._read = now, queue.state()
            return self._read[1]


_recent = _Recent()


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
    wrong, and with which account, is for those who have the token. To anybody else a process tells
    how it stood up to five seconds ago: each time anew all that waits would have to be counted.
    """
    given = request.GET.get("max_age", str(MAX_AGE))
    seconds = int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else -1
    if not 0 <= seconds <= MOST:
        return _plain(f"max_age must be a whole number of seconds, at most {MOST}", 400)
    with translation.override("en"):
        state = queue.state() if _has_token(request) else _recent.state()
        found = troubles(state, timedelta(seconds=seconds))
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
