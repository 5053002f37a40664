"""The console script as it is installed, in a process of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("djsms")
UNSET = ("DJANGO_SETTINGS_MODULE", "PYTHONPATH", "NO_COLOR", "COLUMNS")


def djsms(
    *arguments: str, cwd: Path, environment: dict[str, str] | None = None, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``djsms`` as from a shell that knows of no project, with these variables besides."""
    bare = {name: value for name, value in os.environ.items() if name not in UNSET}
    program = SCRIPT if SCRIPT.exists() else shutil.which("djsms")
    assert program, "the console script is not installed"
    return subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env=bare | {"PYTHONIOENCODING": "utf-8"} | (environment or {}),
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
