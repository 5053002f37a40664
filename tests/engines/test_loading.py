"""Engines are found by name as backends are, and made with their options."""

from __future__ import annotations

from typing import Any

import distributions
import pytest

from djsms.accounts import engines
from djsms.engines import TasksEngine, WorkerEngine
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound, InvalidOptions

GROUP = "djsms.engines"
ENGINE = """
    class Engine:
        def __init__(self, *, queue="sms"):
            if queue == "wrong":
                raise ValueError("there is no such queue")
            self.queue = queue

        def wake(self, account): ...
"""


def install(folder: distributions.Folder, source: str = ENGINE, **values: Any) -> None:
    folder.install({"acme": "acme_engine:Engine"}, {"acme_engine": source}, group=GROUP, **values)


def test_workers_are_the_default() -> None:
    assert isinstance(engines.make(), WorkerEngine)


def test_tasks_are_built_in(settings: Any) -> None:
    settings.DJSMS_ENGINE = "tasks"
    assert isinstance(engines.make(), TasksEngine)


def test_an_installed_engine_is_made_with_its_options(
    folder: distributions.Folder, settings: Any
) -> None:
    install(folder)
    settings.DJSMS_ENGINE = "acme"
    settings.DJSMS_ENGINE_OPTIONS = {"queue": "texts"}
    assert engines.get().queue == "texts"


def test_it_is_made_once(folder: distributions.Folder, settings: Any) -> None:
    install(folder)
    settings.DJSMS_ENGINE = "acme"
    assert engines.get() is engines.get()


def test_an_unknown_name_is_told_with_the_one_that_was_meant(settings: Any) -> None:
    settings.DJSMS_ENGINE = "task"
    words = r"No installed engine is named 'task' \(.*'tasks', 'worker'\). Did you mean 'tasks'\?"
    with pytest.raises(BackendNotFound, match=words):
        engines.make()


def test_a_backend_is_no_engine(settings: Any) -> None:
    settings.DJSMS_ENGINE = "memory"
    with pytest.raises(BackendNotFound, match="No installed engine is named 'memory'"):
        engines.make()


def test_a_name_that_two_claim(folder: distributions.Folder, settings: Any) -> None:
    install(folder)
    install(folder, name="djsms-other")
    settings.DJSMS_ENGINE = "acme"
    with pytest.raises(BackendConflict, match=r"The engine name 'acme' is claimed by djsms-acme"):
        engines.make()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module", "The engine 'acme' .* cannot be imported: ModuleNotFoundError"),
        ("Engine = 5", "The engine 'acme' is of type int; its entry point must name a class"),
        ("class Engine: pass", r"The engine 'acme' has no method wake\(account\)"),
        ("class Engine:\n    def __init__(self): 1 / 0", "cannot be made: ZeroDivisionError"),
    ],
)
def test_a_broken_one(folder: distributions.Folder, settings: Any, source: str, words: str) -> None:
    install(folder, source)
    settings.DJSMS_ENGINE = "acme"
    with pytest.raises(BackendBroken, match=words):
        engines.make()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"quue": "texts"}, "The engine 'acme' cannot be used as it is set up: .*'quue'"),
        ({"queue": "wrong"}, "there is no such queue"),
        ({5: "texts"}, "DJSMS_ENGINE_OPTIONS must be a dictionary by the options' names"),
        ("texts", "DJSMS_ENGINE_OPTIONS must be a dictionary, not str"),
    ],
)
def test_options_that_do_not_fit(
    folder: distributions.Folder, settings: Any, options: Any, words: str
) -> None:
    install(folder)
    settings.DJSMS_ENGINE = "acme"
    settings.DJSMS_ENGINE_OPTIONS = options
    with pytest.raises(InvalidOptions, match=words):
        engines.make()
