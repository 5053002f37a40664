"""A real browser: by its command line it opens one page, shows what came of it and ends.

``Tab`` drives one that stays, by the DevTools protocol over a pair of pipes, which needs no
library: JSON messages, a NUL after each.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def screenshot(url: str, file: Path, *, width: int, height: int, scale: float = 1) -> None:
    """Save a picture of the page as a PNG file, ``scale`` pixels for each of the page's."""
    run(
        "--virtual-time-budget=5000",
        f"--screenshot={file}",
        f"--window-size={width},{height}",
        f"--force-device-scale-factor={scale}",
        url,
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


class Tab:
    """An open page: navigate, run script in it, press keys, look at it."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._last = 0
        self._session = ""
        self.errors: list[str] = []
        """What the page's scripts threw, and what the browser kept them from."""
        self._requests: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, in order."""
        self.run("0")
        return self._requests

    def forget(self) -> None:
        """Forget the errors and the requests so far."""
        self.run("0")
        self.errors.clear()
        self._requests.clear()

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page, awaited if it is a promise."""
        answer = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(json.dumps(answer["exceptionDetails"], indent=2))
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 30) -> None:
        """Return as soon as an expression has a true value."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                # An element would arrive as an empty object, which is not true here.
                if self.run(f"Boolean({script})"):
                    return
            except AssertionError:
                # Between two pages there may be nothing to run it in.
                pass
            time.sleep(0.05)
        raise AssertionError(f"It never came true: {script}")

    def type(self, text: str) -> None:
        self._call("Input.insertText", text=text)

    def press(self, key: str, *, text: str = "", modifiers: int = 0) -> None:
        """Press a key by its name; ``modifiers`` are 1 for Alt, 8 for Shift."""
        values: dict[str, Any] = {"key": key, "modifiers": modifiers}
        codes = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "End": 35, "Tab": 9}
        values["windowsVirtualKeyCode"] = codes.get(key, ord(key[0].upper()))
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        self._call("Input.dispatchKeyEvent", **down, **values)
        self._call("Input.dispatchKeyEvent", type="keyUp", **values)

    def size(self, width: int, height: int, scale: float = 1) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=False,
        )

    def prefers(self, scheme: str) -> None:
        """Let the system be ``"light"`` or ``"dark"``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", features=features)

    def picture(self, file: Path) -> None:
        shot = self._call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))

    def names(self) -> list[tuple[str, str]]:
        """Return role and name of all that a screen reader finds, in its order."""
        nodes = self._call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored")
        ]

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._last:
                break
            self._note(told)
        if "error" in told:
            raise AssertionError(f"{method}: {told['error']}")
        result: dict[str, Any] = told["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._answers, 1 << 16)
            assert read, "the browser has ended"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def _note(self, told: dict[str, Any]) -> None:
        values = told.get("params", {})
        match told.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(values["exceptionDetails"]))
            case "Log.entryAdded" if values["entry"]["level"] == "error":
                self.errors.append(values["entry"]["text"])
            case "Network.requestWillBeSent":
                self._requests.append(values["request"]["url"])


@contextmanager
def tab() -> Iterator[Tab]:
    """Start a browser, and give an empty page in it."""
    assert PROGRAM, "no browser"
    read_commands, commands = os.pipe()
    answers, write_answers = os.pipe()

    def wire() -> None:
        # The browser reads from 3 and writes to 4; each may be where the other is to go.
        low, high = os.dup(read_commands), os.dup(write_answers)
        os.dup2(low, 3)
        os.dup2(high, 4)

    with tempfile.TemporaryDirectory(
        prefix="djsms-browser-", ignore_cleanup_errors=True
    ) as profile:
        process = subprocess.Popen(
            [
                PROGRAM,
                *FLAGS,
                f"--user-data-dir={profile}",
                "--remote-debugging-pipe",
                "--lang=en-GB",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=wire,
            close_fds=False,
        )
        os.close(read_commands)
        os.close(write_answers)
        try:
            yield Tab(commands, answers)
        finally:
            process.terminate()
            process.wait(timeout=30)
            os.close(commands)
            os.close(answers)
