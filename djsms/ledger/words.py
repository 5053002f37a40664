"""The statuses in the words of whoever reads them, where a page is translated."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from djsms.types import Status

__all__ = ["EXPLANATIONS", "LABELS"]

LABELS = {
    Status.CREATED: pgettext_lazy("status", "created"),
    Status.UNKNOWN: pgettext_lazy("status", "unknown"),
    Status.SENDING: pgettext_lazy("status", "sending"),
    Status.SENT: pgettext_lazy("status", "sent"),
    Status.REFUSED: pgettext_lazy("status", "refused"),
    Status.REJECTED: pgettext_lazy("status", "rejected"),
    Status.FAILED: pgettext_lazy("status", "failed"),
    Status.EXPIRED: pgettext_lazy("status", "expired"),
    Status.CANCELLED: pgettext_lazy("status", "cancelled"),
    Status.DELIVERED: pgettext_lazy("status", "delivered"),
    Status.RECEIVED: pgettext_lazy("status", "received"),
}
"""The word of each, which in English is its value."""

# As in djsms.types, which is read without Django; a test holds the two together.
EXPLANATIONS = {
    Status.CREATED: _("stored, and not yet handed to the provider"),
    Status.UNKNOWN: _(
        "the call to the provider ended without an answer, so it may or may not have been taken; "
        "a status report settles it, if one was asked for"
    ),
    Status.SENDING: _("accepted by the provider"),
    Status.SENT: _(
        "handed on: the provider, or the backend where there is none, has done its part"
    ),
    Status.REFUSED: _("the provider said no, or was not even asked"),
    Status.REJECTED: _("refused by the recipient's carrier"),
    Status.FAILED: _("surely not sent, or lost on the way"),
    Status.EXPIRED: _("not delivered within its validity period"),
    Status.CANCELLED: _("taken back by the application before it went out"),
    Status.DELIVERED: _("delivered to the recipient's handset"),
    Status.RECEIVED: _("an incoming message"),
}
"""What each means."""
