"""A Kannel of the tests' own: bearerbox and smsbox, with the configuration that the README shows.

Everything listens on 127.0.0.1, on free ports. Only processes that were started here are ended.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

README = Path(__file__).parents[2] / "README.md"
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"
PROGRAMS = ("bearerbox", "smsbox")

Group = dict[str, str]


def program(name: str) -> str | None:
    """Return where a program is; Debian keeps Kannel's where only root looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")


def documented() -> list[Group]:
    """Return the groups of the ``kannel.conf`` in the README."""
    [fragment] = re.findall(r"```ini\n(group = core\n.*?)```", README.read_text(), re.DOTALL)
    return [
        dict(re.findall(r"^([\w-]+) = (.*)$", group, re.MULTILINE))
        for group in fragment.split("\n\n")
    ]


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def until(what: str, met: Callable[[], Any], seconds: float = 60) -> Any:
    """Return what ``met`` returns once it is true."""
    end = time.monotonic() + seconds
    while not (value := met()):
        if time.monotonic() > end:
            raise AssertionError(f"Not within {seconds} s: {what}")
        time.sleep(0.05)
    return value


class Gateway:
    """Kannel's processes. ``changes`` are settings by group, on top of the README's."""

    def __init__(self, folder: Path, changes: dict[str, Group]) -> None:
        self.folder = folder
        self.admin_port, self.smsbox_port, self.sendsms_port, self.tls_port = free_ports(4)
        # What must differ because this is no production machine: where things are, and how long
        # they take.
        here = {
            "core": {
                "admin-port": str(self.admin_port),
                "smsbox-port": str(self.smsbox_port),
                "log-file": f'"{folder}/bearerbox.log"',
                "store-location": f'"{folder}/store"',
                "dlr-spool": f'"{folder}/reports"',
                "sms-resend-freq": "2",
                "sms-combine-concatenated-mo-timeout": "3",
            },
            "smsc": {"reconnect-delay": "1", "max-pending-submits": "50"},
            "smsbox": {
                "bearerbox-port": str(self.smsbox_port),
                "sendsms-port": str(self.sendsms_port),
                "log-file": f'"{folder}/smsbox.log"',
                "access-log": f'"{folder}/access.log"',
                "http-queue-delay": "1",
            },
        }
        self.groups = [
            group | here.get(group["group"], {}) | changes.get(group["group"], {})
            for group in documented()
        ]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def group(self, name: str) -> Group:
        return next(group for group in self.groups if group["group"] == name)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.sendsms_port}/cgi-bin/sendsms"

    @property
    def tls_url(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}/cgi-bin/sendsms"

    def start(self) -> None:
        for name in ("store", "reports"):
            (self.folder / name).mkdir(exist_ok=True)
        self._write("kannel.conf", self.groups)
        self._spawn("bearerbox", "kannel.conf")
        until("bearerbox runs", lambda: "running" in self.status())
        self.start_smsbox()
        until("Kannel is connected to the operator", lambda: "(online" in self.status())

    def start_smsbox(self) -> None:
        self._write("kannel.conf", self.groups)
        self._spawn("smsbox", "kannel.conf")
        until("bearerbox knows smsbox", lambda: "smsbox:(none)" in self.status())
        until("smsbox listens", lambda: fetch(self.url)[0] == 403)

    def start_tls(self, certificate: Path, key: Path) -> None:
        """Start a further smsbox, which takes messages by HTTPS."""
        core = self.group("core") | {
            "ssl-server-cert-file": f'"{certificate}"',
            "ssl-server-key-file": f'"{key}"',
        }
        smsbox = self.group("smsbox") | {
            # only a box without a name is handed what comes in
            "smsbox-id": "tls",
            "sendsms-port": str(self.tls_port),
            "sendsms-port-ssl": "true",
            "log-file": f'"{self.folder}/tls.log"',
        }
        self._write("tls.conf", [core, smsbox, self.group("sendsms-user")])
        self._spawn("smsbox", "tls.conf", name="tls")
        until("bearerbox knows the box with TLS", lambda: "smsbox:tls" in self.status())

    def status(self) -> str:
        password = self.group("core")["admin-password"]
        return fetch(f"http://127.0.0.1:{self.admin_port}/status.txt?password={password}")[1]

    def requests(self, to: str) -> int:
        """Return how many calls of ``sendsms`` for this recipient smsbox took note of."""
        log = (self.folder / "access.log").read_text(errors="replace")
        return len(re.findall(rf"send-SMS request added.*target:{re.escape(to)} ", log))

    def kill(self, *names: str) -> None:
        """End processes without giving them a chance to tidy up."""
        for name in names:
            self._processes[name].kill()
            self._processes.pop(name).wait()

    def stop(self) -> None:
        for name in ("tls", "smsbox", "bearerbox"):
            if process := self._processes.pop(name, None):
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _spawn(self, binary: str, configuration: str, name: str = "") -> None:
        path = program(binary)
        assert path
        with (self.folder / f"{name or binary}.out").open("ab") as out:
            self._processes[name or binary] = subprocess.Popen(
                [path, "-v", "4", str(self.folder / configuration)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
            )

    def _write(self, name: str, groups: list[Group]) -> None:
        text = "\n\n".join(
            "\n".join(f"{setting} = {value}" for setting, value in group.items())
            for group in groups
        )
        (self.folder / name).write_text(f"{text}\n")


def fetch(url: str) -> tuple[int, str]:
    """Return status and body; 0 if there is no answer."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=3) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode("utf-8", "replace")
    except OSError:
        return 0, ""
