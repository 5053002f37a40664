"""Playing the network without a page: make the calls that are due, one after the other."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import close_old_connections
from django.utils import timezone

from djsms_phone import calls
from djsms_phone.models import Call

__all__ = ["Failed", "Post", "http", "keep_playing", "play"]

Post = Callable[[str, bytes], int]
"""Makes a POST of JSON to a path, and returns the HTTP status of its answer."""

TIMEOUT = 10
LOOK = 0.5  # how often, in seconds, one looks for calls that have come up


Failed = Callable[[Call, int, str], object]
"""Hears of a call that was not answered with success: the HTTP status or 0, and what went wrong."""


def play(post: Post, *, until: datetime | None = None, failed: Failed | None = None) -> int:
    """Make all calls that are due, and return their number; ``until`` is now, or later."""
    made = 0
    while call := calls.take(until):
        started = time.monotonic()
        answer, problem = 0, ""
        try:
            answer = post(calls.path(call), json.dumps(call.body).encode())
        except Exception as error:
            # Told where one looks for it: in the log of calls, as no answer.
            problem = f"{type(error).__name__}: {error}"
        calls.settle(
            call.pk,
            answer,
            milliseconds=round((time.monotonic() - started) * 1000),
            problem=problem,
        )
        if failed is not None and not 200 <= answer < 300:
            failed(call, answer, problem)
        made += 1
    return made


def keep_playing(post: Post, *, once: bool = False, failed: Failed | None = None) -> None:
    """Make each call when it is due, for good; ``once``: until none waits."""
    while True:
        # What the last round found is over, and so may be the database's patience.
        close_old_connections()
        play(post, failed=failed)
        due = calls.next_due()
        if once and due is None:
            return
        wait = (due - timezone.now()).total_seconds() if due else LOOK
        time.sleep(min(max(wait, 0.05), LOOK))


def http(base: str) -> Post:
    """Return what posts to a running project: scheme and host, without a path."""
    # Straight to it: a proxy is for what lies outside, and a provider follows no redirect.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

    def post(path: str, body: bytes) -> int:
        request = urllib.request.Request(
            base + path, body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with opener.open(request, timeout=TIMEOUT) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    return post


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None
