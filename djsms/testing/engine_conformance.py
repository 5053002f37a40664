"""The conformance kit for engines: what every engine must do, as tests to inherit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.checks import CheckMessage

from djsms.accounts import engines
from djsms.exceptions import InvalidOptions
from djsms.testing.kit.words import fail, require

__all__ = ["EngineConformance"]


class EngineConformance:
    """Inherit from it, say which engine is meant, and pytest runs all that it must pass::

        class TestAcme(EngineConformance):
            name = "acme"

            def run_woken(self):
                acme.testing.run_all()

    ``run_woken`` lets everything run in this process that the engine was woken for. To override
    besides: the fixture ``options``, the engine's options.

    Needs pytest-django and a database.
    """

    name: str = ""
    """The engine's name: what its entry point is called and ``DJSMS_ENGINE`` says."""

    def run_woken(self) -> None:
        """Run what the engine was woken for, in this process."""
        raise NotImplementedError("run_woken() must run what the engine was woken for")

    @pytest.fixture
    def options(self) -> Mapping[str, Any]:
        return {}

    @pytest.fixture
    def engine(self, options: Mapping[str, Any], settings: Any) -> Any:
        settings.DJSMS_ENGINE = self.name
        settings.DJSMS_ENGINE_OPTIONS = options
        return engines.get()

    def test_options_that_it_does_not_know_are_refused(self, engine: Any, settings: Any) -> None:
        settings.DJSMS_ENGINE_OPTIONS = {"no_such_option": 1}
        try:
            engines.make()
        except InvalidOptions:
            return
        fail("The engine takes any option: a slip of the pen in a setting would go unnoticed.")

    def test_its_check_returns_messages(self, engine: Any) -> None:
        found = engine.check() if hasattr(engine, "check") else []
        require(
            all(isinstance(message, CheckMessage) for message in found),
            f"check() returned {found!r}, and not a list of django.core.checks messages.",
        )

    @pytest.mark.django_db(transaction=True)
    def test_waking_it_sends_nothing_in_the_callers_time(
        self, engine: Any, sms_outbox: Any
    ) -> None:
        self._wait(sms_outbox)
        require(
            not list(sms_outbox),
            "wake() sent by itself: whoever stored the text waited for the provider.",
        )

    @pytest.mark.django_db(transaction=True)
    def test_what_waits_is_sent_when_the_engine_has_run(self, engine: Any, sms_outbox: Any) -> None:
        self._wait(sms_outbox)
        self.run_woken()
        require(
            len(sms_outbox) == 1,
            "The engine was woken, and run_woken() called, and the text still waits: its task "
            "must call djsms.engines.drain_bounded(account).",
        )

    @pytest.mark.django_db(transaction=True)
    def test_woken_twice_it_sends_once(self, engine: Any, sms_outbox: Any) -> None:
        self._wait(sms_outbox)
        engine.wake("default")
        self.run_woken()
        require(len(sms_outbox) == 1, f"{len(sms_outbox)} calls for one text.")

    def _wait(self, sms_outbox: Any) -> None:
        from djsms import enqueue_text

        enqueue_text("Your table is ready", "Bistro", "+447700900123", False)
