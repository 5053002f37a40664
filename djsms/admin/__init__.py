"""The admin: what was sent and received, to look at and not to change."""

from __future__ import annotations

from djsms.admin.messages import TextMessageAdmin
from djsms.admin.queue import QueueAdmin
from djsms.admin.waiting import IncomingPartAdmin, StatusEventAdmin

__all__ = ["IncomingPartAdmin", "QueueAdmin", "StatusEventAdmin", "TextMessageAdmin"]
