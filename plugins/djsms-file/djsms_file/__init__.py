"""Appends texts to files, one a day, instead of sending them."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning
from djsms import OutgoingText, SendResult, Status, hookimpl
from djsms.backends import LocalBackend
from djsms.exceptions import InvalidOptions

from djsms_file.folders import obstacle, others_can_write
from djsms_file.lines import append, line_of

__all__ = ["FileBackend"]


@dataclass(frozen=True, kw_only=True)
class FileBackend(LocalBackend):
    """Appends each message as one line of JSON to the file of its day, ``2026-11-22.jsonl``.

    Days are those of UTC. A send that fails leaves no part of a line behind and raises
    ``TemporarilyUnavailable``.
    """

    path: str | os.PathLike[str]
    """The folder of the files, absolute. It is created if missing; its parent must be there."""

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | os.PathLike):
            raise InvalidOptions(f"path is {self.path!r}; it takes the path of a folder.")
        # Neither the working directory nor the home directory is the same for a web server, its
        # workers and a cron job.
        if not self.folder.is_absolute() or "\0" in str(self.folder):
            raise InvalidOptions(f"path is {str(self.path)!r}; it takes an absolute path.")

    @property
    def folder(self) -> Path:
        return Path(self.path)

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        now = datetime.now(UTC)
        provider_id = f"file-{uuid.uuid4().hex}"
        append(self._file(now), line_of(message, at=now, provider_id=provider_id))
        return SendResult.accepted(provider_id, status=Status.SENT)

    @hookimpl
    def check(self) -> list[CheckMessage]:
        reason = obstacle(self._file(datetime.now(UTC)))
        if reason:
            return [
                Error(
                    f"The file backend cannot write: {reason}.",
                    hint="Set its option path to a folder that this process may write into.",
                    id="djsms_file.E001",
                )
            ]
        if others_can_write(self.folder):
            return [
                CheckWarning(
                    f"Other users can write into {self.folder}, and so replace the files in it.",
                    hint=f"chmod go-w {self.folder}",
                    id="djsms_file.W001",
                )
            ]
        return []

    def _file(self, moment: datetime) -> Path:
        return self.folder / f"{moment:%Y-%m-%d}.jsonl"
