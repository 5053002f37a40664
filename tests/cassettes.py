"""Recorded exchanges: kept for a provider's real address, without what nobody may see.

They are recorded from a local server, which checks each request, with DJSMS_RECORD_CASSETTES=1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import vcr

__all__ = ["HIDDEN", "RECORDING", "played", "recorder"]

RECORDING = os.environ.get("DJSMS_RECORD_CASSETTES") == "1"
HIDDEN = "HIDDEN"


def recorder(folder: Path, address: str, **more: Any) -> vcr.VCR:
    """Return what records requests into a folder, as if they had gone to the address."""

    def without_secrets(request: Any) -> Any:
        request.uri = address
        for name in ("Authorization", "User-Agent"):
            if name in request.headers:
                request.headers[name] = HIDDEN
        return request

    return vcr.VCR(
        cassette_library_dir=str(folder),
        record_mode="all" if RECORDING else "none",
        match_on=["method", "scheme", "host", "port", "path", "query", "body"],
        before_record_request=without_secrets,
        **more,
    )


@contextmanager
def played(recorder: vcr.VCR, name: str) -> Iterator[None]:
    """Record the one exchange that is made here, or play it: none is missing, none is left."""
    with recorder.use_cassette(f"{name}.yaml") as cassette:
        yield
    assert len(cassette) == 1
    assert RECORDING or cassette.all_played
