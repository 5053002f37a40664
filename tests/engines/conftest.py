"""An engine that tells whom it was to wake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributions
import pytest

from djsms.engines import Engine


class RecordingEngine(Engine):
    """Keeps what it was woken for, of all threads, and fails if it is told to."""

    woken: list[str] = []
    error: Exception | None = None
    tries = 0

    def wake(self, account: str) -> None:
        RecordingEngine.tries += 1
        if RecordingEngine.error is not None:
            raise RecordingEngine.error
        self.woken.append(account)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[distributions.Folder]:
    with distributions.folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def engine(folder: distributions.Folder, settings: Any) -> type[RecordingEngine]:
    """The project's engine; what it was woken for is in ``woken``."""
    folder.install({"recording": RecordingEngine}, group="djsms.engines", name="recording")
    RecordingEngine.woken, RecordingEngine.error, RecordingEngine.tries = [], None, 0
    settings.DJSMS_ENGINE = "recording"
    return RecordingEngine
