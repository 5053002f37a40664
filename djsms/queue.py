"""The queue of texts that wait: sending what is due, pausing accounts, and how all stands.

Texts get into it by ``enqueue_text``, and out of it by ``djsms work``, or by ``drain``.
"""

from __future__ import annotations

from djsms.waiting.drains import drain
from djsms.waiting.gates import pause, resume
from djsms.waiting.states import AccountState, QueueState, WorkerState, state

__all__ = ["AccountState", "QueueState", "WorkerState", "drain", "pause", "resume", "state"]
