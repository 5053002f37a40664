"""What the script says, in the language of the request."""

from __future__ import annotations

from django.utils.translation import gettext as _

__all__ = ["for_script"]


def for_script() -> dict[str, str]:
    return {
        "title": _("Phones"),
        "up": _("Up to date"),
        "down": _("No answer since %s, trying"),
        "unread": _("%s unread"),
        "new": _("%s new"),
        "from": _("From %s,"),
        "mine": _("From the phone,"),
        "copy": _("Copy %s"),
        "copied": _("Copied"),
        "arrived": _("New text for %s"),
        "stands": _("%1 to %2"),
        "count": _("%1/%2 · 1 segment · %3"),
        "counts": _("%1 left · %2 segments · %3"),
        "all": _("All phones: %s"),
        "conversation": _("Conversation with %s"),
        "name": _("“%s” is a name and cannot be answered. Write to a number."),
        "failed": _("That did not work: %s. Your text is still here."),
        "try": _("try %s"),
        "part": _("part %s"),
        "none": _("No phone is found."),
        "nothing": _("Nothing yet."),
        "auto": _("Theme: as the system"),
        "light": _("Theme: light"),
        "dark": _("Theme: dark"),
        "long": _(
            "Thank you for the reminder! We are four now, and one of us is allergic to nuts. Could "
            "we come at half past eight instead of eight, and have the table by the window as last "
            "time? If that is too late for the kitchen, eight is fine as well."
        ),
    }
