"""A real browser, by its command line alone: it opens one page, shows what came of it and ends."""

import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # local pages need no proxy, and must not ask one
    "--no-proxy-server",
]


def dom(url: str) -> str:
    """Return the page as it stands once its scripts have run."""
    return run("--virtual-time-budget=5000", "--dump-dom", url)


def screenshot(url: str, file: Path, *, width: int, height: int) -> None:
    """Save a picture of the page as a PNG file."""
    run(
        "--virtual-time-budget=5000", f"--screenshot={file}", f"--window-size={width},{height}", url
    )


def run(*arguments: str) -> str:
    assert PROGRAM, "no browser"
    with tempfile.TemporaryDirectory(prefix="djsms-browser-") as profile:
        process = subprocess.run(
            [PROGRAM, *FLAGS, f"--user-data-dir={profile}", *arguments],
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
    return process.stdout
