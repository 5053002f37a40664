"""A Kannel, an operator behind it and a project in front of it, for all live tests together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from kannel_gateway import PROGRAMS, Gateway, free_ports, program, until  # noqa: E402
from kannel_operator import PASSWORD, SYSTEM_ID, Operator  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            # one gateway for all, so one process
            item.add_marker(pytest.mark.xdist_group("kannel"))


class Project:
    """The processes of ``kannel_project``: one that serves, and one that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        [self.port] = free_ports(1)
        self.accounts: dict[str, dict[str, Any]] = {"default": UNREACHABLE}
        self._server: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        project = {
            "database": str(self.folder / "project.sqlite3"),
            "base_url": f"http://127.0.0.1:{self.port}",
            "port": self.port,
            "accounts": self.accounts,
        }
        # A proxy or authorities of this machine's have nothing to do with the loopback.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith(("_proxy", "_ca_bundle")) and not name.startswith("DJANGO")
        }
        paths = os.pathsep.join(path for path in sys.path if path)
        return inherited | {"KANNEL_LIVE_PROJECT": json.dumps(project), "PYTHONPATH": paths}

    def migrate(self) -> None:
        subprocess.run(self._command("migrate"), env=self.environment, check=True, timeout=60)

    def serve(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                self._command("serve"), env=self.environment, stdout=log, stderr=log
            )

    def stop_serving(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def work(self) -> None:
        with (self.folder / "worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                self._command("work"),
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def stop_working(self) -> None:
        if self._worker is not None:
            self._worker.communicate(timeout=30)
            self._worker = None

    def ask(self, command: str, *arguments: Any) -> Any:
        assert self._worker is not None
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(f"{json.dumps([command, arguments])}\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        assert line, (self.folder / "worker.log").read_text()
        return json.loads(line)

    def send(self, *messages: dict[str, Any]) -> list[dict[str, str]]:
        defaults = {"text": "Hi", "frm": "12345", "status_report": True}
        return self.ask("send", [defaults | message for message in messages])

    def settled(
        self,
        sent: list[dict[str, str]],
        is_settled: Callable[[dict[str, Any]], bool] = lambda message: (
            message["status"] not in ("created", "sending", "sent")
        ),
        seconds: float = 60,
    ) -> dict[str, dict[str, Any]]:
        """Return the messages, by recipient, once all of them are settled."""
        refs = [message["ref"] for message in sent]

        def all_settled() -> dict[str, dict[str, Any]] | None:
            found = self.ask("messages", refs)
            if len(found) == len(refs) and all(map(is_settled, found.values())):
                return {message["to"]: message for message in found.values()}
            return None

        try:
            return until("all messages settled", all_settled, seconds)
        except AssertionError as error:
            open_ones = [m for m in self.ask("messages", refs).values() if not is_settled(m)]
            raise AssertionError(f"{error}: {open_ones[:5]}") from None

    def _command(self, name: str) -> list[str]:
        return [sys.executable, str(HERE / "kannel_project.py"), name]


UNREACHABLE = {
    "url": "http://127.0.0.1:9/cgi-bin/sendsms",
    "username": "shop",
    "password": "not-secret",
}


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    missing = [name for name in PROGRAMS if program(name) is None]
    if missing:
        reason = f"{' and '.join(missing)} not found: install Debian's package kannel"
        if os.environ.get("DJSMS_TEST_REQUIRE_LIVE"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def operator(installed: None) -> Iterator[Operator]:
    operator = Operator()
    operator.start()
    yield operator
    operator.stop()


@pytest.fixture(scope="session")
def project(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("project"))
    project.migrate()
    project.serve()
    yield project
    project.stop_working()
    project.stop_serving()


@pytest.fixture(scope="session")
def gateway(
    operator: Operator, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    project.work()
    get_url = project.ask("addresses")["get-url"]
    project.stop_working()
    gateway = Gateway(
        tmp_path_factory.mktemp("kannel"),
        {
            "smsc": {
                "host": "127.0.0.1",
                "port": str(operator.port),
                "smsc-username": SYSTEM_ID.decode(),
                "smsc-password": PASSWORD.decode(),
                "denied-smsc-id": "nowhere",
            },
            "sms-service": {"get-url": f'"{get_url}"'},
        },
    )
    account = gateway.group("sendsms-user")
    project.accounts["default"] = {
        "url": gateway.url,
        "username": account["username"],
        "password": account["password"],
        "max_messages": int(account["max-messages"]),
    }
    project.accounts["intruder"] = project.accounts["default"] | {"password": "guessed"}
    try:
        gateway.start()
        project.work()
        yield gateway
    finally:
        gateway.stop()
