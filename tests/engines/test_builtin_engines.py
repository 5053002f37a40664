"""The engine ``tasks`` passes what every engine must, with a backend whose tasks a test runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from djsms.accounts.engines import TASKS_MODULE
from djsms.testing import EngineConformance

tasks = import_module(TASKS_MODULE)


class TestTasks(EngineConformance):
    name = "tasks"

    @pytest.fixture(autouse=True)
    def backend(self, settings: Any) -> None:
        settings.TASKS = {"default": {"BACKEND": f"{TASKS_MODULE}.backends.dummy.DummyBackend"}}

    def run_woken(self) -> None:
        for result in tasks.task_backends["default"].results:
            result.task.call(*result.args)
