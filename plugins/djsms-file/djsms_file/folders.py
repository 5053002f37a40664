"""Whether a file can be written, found out without leaving a trace."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["obstacle", "others_can_write"]


def obstacle(file: Path) -> str:
    """Return why ``file`` cannot be written, or made in its folder; empty if nothing is known."""
    folder = file.parent
    try:
        if not folder.exists() and not folder.is_symlink():
            return _obstacle_in(folder.parent)
        return _obstacle_in(folder) or _obstacle_at(file)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"


def others_can_write(folder: Path) -> bool:
    """Whether the group or everybody may replace what is in ``folder``; not if it is missing."""
    return folder.exists() and bool(folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _obstacle_in(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} does not exist"
    if not folder.is_dir():
        return f"{folder} is not a folder"
    if not _allowed(folder, os.W_OK | os.X_OK):
        return f"{folder} is not writable"
    return ""


def _obstacle_at(file: Path) -> str:
    if file.is_symlink():
        return f"{file} is a symbolic link"
    if file.exists() and not file.is_file():
        return f"{file} is no regular file"
    if file.exists() and not _allowed(file, os.R_OK | os.W_OK):
        return f"{file} is not writable"
    return ""


def _allowed(path: Path, access: int) -> bool:
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)
