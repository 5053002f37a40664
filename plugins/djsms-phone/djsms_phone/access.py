"""Who may see the page: everybody while one develops, else only staff who may read texts."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import csrf_protect

__all__ = ["guarded", "is_open"]

View = Callable[..., HttpResponse]

# Whom texts went to, and what they say.
PERMISSIONS = ("djsms.view_textmessage", "djsms.view_texts")


def is_open() -> bool:
    """Return whether the page is there at all."""
    return bool(settings.DEBUG) or getattr(settings, "DJSMS_PHONE", False) is True


def guarded(view: View) -> View:
    """Make a view of the page: 404 where it is not open, 403 for who may not read texts."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_open():
            raise Http404("The phones are played with DEBUG or DJSMS_PHONE = True only.")
        if not settings.DEBUG and not _may_read(request):
            raise PermissionDenied("Texts are for staff with the permission to view them.")
        return _sealed(view(request, *args, **kwargs))

    # Without it a project whose pages all want a login would want one in development, too.
    return login_not_required(csrf_protect(wrapper))


def _may_read(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_staff and user.has_perms(PERMISSIONS))


def _sealed(response: HttpResponse) -> HttpResponse:
    add_never_cache_headers(response)
    files = _origin_of_files()
    response["Content-Security-Policy"] = (
        f"default-src 'none'; script-src {files}; style-src {files}; img-src {files}; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response["Referrer-Policy"] = "no-referrer"
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _origin_of_files() -> str:
    """Return where static files come from, as a source of a Content-Security-Policy."""
    scheme, colon, rest = static("djsms_phone/phone.css").partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if colon else "'self'"
