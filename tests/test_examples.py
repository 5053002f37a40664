"""The examples run, as their pages say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.live
def test_a_shop_that_sends_its_texts_by_celery() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "celery" / "try.py")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "The text is sent." in done.stdout, done.stderr
    assert "The one for later is sent." in done.stdout, done.stderr
