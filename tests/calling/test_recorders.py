"""Recorders of HTTP, as tests of applications use them, put classes of their own into urllib3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import dataclasses, sys, vcr
from djsms.http import HTTPBackend
from djsms.testing import Answer, Provider

@dataclasses.dataclass(frozen=True, kw_only=True)
class Backend(HTTPBackend):
    pass

with Provider() as provider:
    provider.respond(Answer(200, b"live"))
    with vcr.use_cassette(sys.argv[1], record_mode="none"):
        try:
            Backend().post(provider.url)
        except vcr.errors.CannotOverwriteExistingCassetteException:
            print("not recorded,", end=" ")
    print(Backend().post(provider.url).text)
"""


def test_what_is_first_used_within_a_recording_works_after_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "cassette.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "not recorded, live\n", done.stderr
