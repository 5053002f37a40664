"""Tests that what must stay secret does: in reprs, pickles, logs and errors."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import pickle
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from djsms.exceptions import TextMessageError
from djsms.testing.kit import hooks, outcomes
from djsms.testing.kit.base import Kit, fail, require
from djsms.testing.provider import Provider

__all__ = ["Secrecy", "Secrets", "found", "hidden", "is_telling", "logged", "watched"]

TELLING = re.compile(r"passw|passphrase|secret|token|credential|private|(^|_)(api_?)?key$")
MIN_LENGTH = 6

Secrets = dict[str, str]


class Secrecy(Kit):
    """The backend as a keeper of credentials."""

    @pytest.fixture
    def secret_values(self, factory: Any, options: Mapping[str, Any]) -> Secrets:
        """The secrets among the options, by option."""
        names = self.secrets
        if names is None:
            names = [name for name in options if name in hidden(factory) or is_telling(name)]
        for name in names:
            require(name in options, f"secrets names {name!r}, which the fixture options lacks.")
        values = {name: _text(options[name]) for name in names if options[name]}
        if not values:
            pytest.skip(f"{self.name} has no secrets among its options")
        for name, value in values.items():
            require(
                len(value) >= MIN_LENGTH,
                f"Give the option {name!r} a value of {MIN_LENGTH} or more characters that occurs "
                "nowhere else, so that it is found where it should not be.",
            )
        return values

    def test_repr_holds_no_secret(self, backend: Any, secret_values: Secrets) -> None:
        for name in found(secret_values, f"{backend!r} {backend}"):
            fail(
                f"The option {name!r} stands in the backend's repr, and so in logs and error "
                f"pages: {name}: str = field(repr=False). If everybody may see it, say which "
                "options are secret: secrets = […]"
            )

    def test_pickle_holds_no_secret(self, backend: Any, secret_values: Secrets) -> None:
        try:
            pickled = pickle.dumps(backend)
        except Exception:
            return
        for name in found(secret_values, pickled.decode("latin-1")):
            fail(
                f"Pickled, the backend holds the option {name!r} in clear, and pickles end in "
                "queues and caches. Refuse it, as djsms.backends.BaseBackend does."
            )

    def test_log_holds_no_secret(
        self,
        backend: Any,
        secret_values: Secrets,
        provider: Provider,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        with watched(backend, caplog):
            for _ in self._errors(backend, provider):
                continue
            self._read_all(backend)
        printed = "".join(capfd.readouterr())
        for name in found(secret_values, f"{logged(backend, caplog)}\n{printed}"):
            fail(f"The option {name!r} is logged or printed: leave it out.")

    def test_errors_hold_no_secret(
        self, backend: Any, secret_values: Secrets, provider: Provider
    ) -> None:
        self.need_provider(backend)
        for outcome, error in self._errors(backend, provider):
            told = "".join(traceback.format_exception(error))
            for name in found(secret_values, f"{told} {error!r} {vars(error)}"):
                fail(
                    f"The error of a send that ends as {outcome!r} holds the option {name!r}, in "
                    "its words or in those of its cause. Leave it out; raise … from None."
                )

    def _errors(self, backend: Any, provider: Provider) -> Iterator[tuple[str, Exception]]:
        """Send with each outcome in turn and yield the errors."""
        if not self._has(backend, "send"):
            return
        for outcome in outcomes.scriptable(self.answers):
            outcomes.script(self, provider, outcome)
            try:
                hooks.call(backend, "send", message=self.message())
            except Exception as error:
                yield outcome, error

    def _has(self, backend: Any, hook: str) -> bool:
        method = hooks.implemented(backend).get(hook)
        return method is not None and hooks.is_written(method)

    def _read_all(self, backend: Any) -> None:
        for hook, samples in (
            ("parse_callback", [*self.callback_samples, *self.forged_callbacks]),
            ("parse_incoming", [*self.incoming_samples, *self.forged_incoming]),
        ):
            for sample in samples if self._has(backend, hook) else ():
                try:
                    hooks.call(backend, hook, request=sample.request())
                except TextMessageError:
                    continue


@contextlib.contextmanager
def watched(backend: Any, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Keep all that is logged within, also what nobody would see by default."""
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, _package(backend)):
        yield


def logged(backend: Any, caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged, as far as the backend answers for it."""
    # Below INFO other libraries log whole requests, for those who ask for it.
    return "\n".join(
        f"{record.getMessage()} {record.args} {record.exc_text or ''}"
        for record in caplog.records
        if record.levelno >= logging.INFO or record.name.startswith((_package(backend), "djsms"))
    )


def is_telling(name: str) -> bool:
    """Return whether the name of an option says that it is secret."""
    return TELLING.search(name) is not None


def _package(backend: Any) -> str:
    return type(backend).__module__.partition(".")[0]


def hidden(factory: Any) -> set[str]:
    fields = dataclasses.fields(factory) if dataclasses.is_dataclass(factory) else ()
    return {field.name for field in fields if not field.repr}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def found(secrets: Secrets, text: str) -> list[str]:
    return [name for name, value in secrets.items() if value in text]
