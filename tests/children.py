"""Real processes that send."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from django.db import connections

PREAMBLE = """
import os, signal, sys
sys.path[:0] = {path!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
import routers
routers.current = {database!r}
from django.db import connections
for alias, name in {names!r}.items():
    connections[alias].settings_dict["NAME"] = name
from djsms import SendResult, hookimpl, send_text, send_texts
from djsms.accounts import gateways

FRM, TO = "+447700900001", "+447700900002"
CALLS = {calls!r}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Backend:
    def answer(self, message):
        return SendResult.accepted(f"id-{{message.ref}}")

    @hookimpl
    def send(self, message):
        with open(CALLS, "a") as file:  # outlives the process
            file.write(message.ref + "\\n")
        return self.answer(message)

backend = Backend()
standing_in = gateways.replaced(lambda alias: backend)
standing_in.__enter__()
"""


class Children:
    """Starts processes on the test's own database; what they called is in a file."""

    def __init__(self, database: str, environment: dict[str, str], calls: os.PathLike[str]) -> None:
        self._database = database
        self._environment = environment
        self._calls = calls

    @property
    def calls(self) -> list[str]:
        """The references of the texts that the provider was called for, in order."""
        try:
            with open(self._calls) as file:  # noqa: PTH123
                return file.read().split()
        except FileNotFoundError:
            return []

    def start(self, *scripts: str) -> subprocess.Popen[str]:
        preamble = PREAMBLE.format(
            path=[path for path in sys.path if path],
            database=self._database,
            names={alias: str(connections[alias].settings_dict["NAME"]) for alias in connections},
            calls=str(self._calls),
        )
        return subprocess.Popen(
            [sys.executable, "-c", "\n".join([preamble, *map(textwrap.dedent, scripts)])],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *scripts: str) -> int:
        """Run the scripts one after the other in a process; return its exit code."""
        child = self.start(*scripts)
        _, errors = child.communicate(timeout=120)
        if child.returncode > 0:
            raise AssertionError(errors)
        return child.returncode
