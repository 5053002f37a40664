"""Who may do what with messages, beyond looking at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.html import format_html
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

__all__ = ["hidden", "may_ask", "may_control", "may_send_again", "may_view_texts"]


def may_view_texts(request: HttpRequest) -> bool:
    """Return whether a person may see what messages say, where one-time codes are as well."""
    return _has(request, "view_texts")


def may_control(request: HttpRequest) -> bool:
    """Return whether a person may pause and resume accounts, and cancel texts."""
    return _has(request, "control_queue")


def may_send_again(request: HttpRequest) -> bool:
    """Return whether a person may send messages again, which adds new ones."""
    return _has(request, "add_textmessage")


def may_ask(request: HttpRequest) -> bool:
    """Return whether a person may have providers asked, which changes how messages stand."""
    return _has(request, "change_textmessage")


def hidden() -> SafeString:
    """Return what stands in the place of a text that a person may not see."""
    return format_html(
        '<span class="djsms-quiet">{}</span>',
        _("Hidden: it takes the permission “Can view the texts of messages”."),
    )


def _has(request: HttpRequest, name: str) -> bool:
    user: Any = request.user
    return bool(user.has_perm(f"djsms.{name}"))
