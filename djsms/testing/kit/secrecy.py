"""Tests that what must stay secret does: in reprs, pickles, logs and errors."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import logging
import pickle
import re
import traceback
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from djsms.exceptions import TextMessageError
from djsms.testing.answers import Answer
from djsms.testing.kit import clock, hooks, outcomes
from djsms.testing.kit.base import Kit
from djsms.testing.kit.words import fail, require
from djsms.testing.provider import Provider

__all__ = ["Secrecy", "Secrets", "found", "hidden", "is_telling", "logged", "watched"]

TELLING = re.compile(r"passw|passphrase|secret|token|credential|private|(^|_)(api_?)?key$")
PUBLIC = re.compile(r"public|verif")
MIN_LENGTH = 6
MIN_PROOF = 8
# Seconds after which a token may well have been refused for its age.
AGE = 120

Secrets = dict[str, str]


class Secrecy(Kit):
    """The backend as a keeper of credentials."""

    @pytest.fixture
    def secret_values(self, factory: Any, options: Mapping[str, Any]) -> Secrets:
        """The secrets among the options, by option."""
        values = self.secrets_among(factory, options)
        if not values:
            pytest.skip(f"{self.name} has no secrets among its options")
        return values

    def secrets_among(self, factory: Any, options: Mapping[str, Any]) -> Secrets:
        """Return the secrets among the options, by option."""
        names = self.secrets
        if names is None:
            names = [name for name in options if name in hidden(factory) or is_telling(name)]
        for name in names:
            require(name in options, f"secrets names {name!r}, which the fixture options lacks.")
        values = {}
        for name in names:
            for number, text in enumerate(_texts(options[name])):
                values[f"{name}[{number}]" if number else name] = text
                require(
                    len(text) >= MIN_LENGTH,
                    f"Give the option {name!r} a value of {MIN_LENGTH} or more characters that "
                    "occurs nowhere else, so that it is found where it should not be.",
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
        secrets = {**secret_values, **self._sent_secrets(provider)}
        for name in found(secrets, f"{logged(backend, caplog)}\n{printed}"):
            fail(f"{name} is logged or printed: leave it out.")

    def test_errors_hold_no_secret(
        self, backend: Any, secret_values: Secrets, provider: Provider
    ) -> None:
        self.need_provider(backend)
        for outcome, error in self._errors(backend, provider):
            secrets = {**secret_values, **self._sent_secrets(provider)}
            told = "".join(traceback.format_exception(error))
            for name in found(secrets, f"{told} {error!r} {vars(error)}"):
                fail(
                    f"The error of a send that ends as {outcome!r} holds {name}, in its words or "
                    "in those of its cause. Leave it out; raise … from None."
                )

    def test_raw_holds_no_secret(
        self, backend: Any, secret_values: Secrets, provider: Provider
    ) -> None:
        if self._has(backend, "send"):
            with contextlib.suppress(TextMessageError):
                result = self.send(backend)
                secrets = {**secret_values, **self._sent_secrets(provider)}
                raw = json.dumps(dict(getattr(result, "raw", {})), default=str)
                for name in found(secrets, raw):
                    fail(f"SendResult.raw holds {name}, and is stored: keep the answer alone.")
        for value in self._read_all(backend):
            for name in found(
                secret_values, json.dumps(dict(getattr(value, "raw", {})), default=str)
            ):
                fail(f"{type(value).__name__}.raw holds {name}, and is stored: leave it out.")

    def _sent_secrets(self, provider: Provider) -> Secrets:
        """Return what the backend made of its secrets, or was lent, to prove itself by."""
        given = {}
        for request in provider.requests:
            for header in ("authorization", "proxy-authorization"):
                scheme, _, proof = request.headers.get(header, "").rpartition(" ")
                if len(proof) >= MIN_PROOF:
                    kind = "a token" if self._is_lent(proof) else "the credentials"
                    given[f"{kind} of the header {header.title()} ({scheme})"] = proof
        return given

    def _is_lent(self, proof: str) -> bool:
        return "token" in self.answers and not proof.endswith("=")

    def _errors(self, backend: Any, provider: Provider) -> Iterator[tuple[str, Exception]]:
        """Send with each outcome in turn and yield the errors."""
        if not self._has(backend, "send"):
            return
        for outcome in outcomes.scriptable(self):
            if outcome == "unreachable":
                yield from self._token_errors(backend, provider)
            outcomes.script(self, provider, outcome)
            try:
                self.send(backend)
            except Exception as error:
                yield outcome, error

    def _token_errors(self, backend: Any, provider: Provider) -> Iterator[tuple[str, Exception]]:
        """Send with tokens that are refused, or are not to be had, and yield the errors."""
        if "token" not in self.answers:
            return
        refused = Answer(401, {"error": "invalid_token"})
        for status in (500, 401, 200):
            provider.respond(refused)
            provider.respond(Answer(status, "<p>No token"), to=self.is_token_call)
            for seconds in (0, AGE):
                with clock.later(seconds):
                    try:
                        self.send(backend)
                    except Exception as error:
                        yield f"a call for a token, {status}", error

    def _has(self, backend: Any, hook: str) -> bool:
        method = hooks.implemented(backend).get(hook)
        return method is not None and hooks.is_written(method)

    def _read_all(self, backend: Any) -> list[Any]:
        read: list[Any] = []
        for hook, samples in (
            ("parse_callback", [*self.callback_samples, *self.forged_callbacks]),
            ("parse_incoming", [*self.incoming_samples, *self.forged_incoming]),
        ):
            for sample in samples if self._has(backend, hook) else ():
                try:
                    read += hooks.call(backend, hook, request=sample.request()) or ()
                except TextMessageError:
                    continue
        return read


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
    return TELLING.search(name) is not None and PUBLIC.search(name) is None


def _package(backend: Any) -> str:
    return type(backend).__module__.partition(".")[0]


def hidden(factory: Any) -> set[str]:
    fields = dataclasses.fields(factory) if dataclasses.is_dataclass(factory) else ()
    return {field.name for field in fields if not field.repr}


def found(secrets: Secrets, text: str) -> list[str]:
    """Return which secrets stand in a text, whichever way they are written there."""
    return [
        name
        for name, value in secrets.items()
        if any(spelling in text for spelling in _spellings(value))
    ]


def _spellings(value: str) -> set[str]:
    encoded = value.encode()
    return {
        value,
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        base64.b64encode(encoded).decode().rstrip("="),
        encoded.hex(),
    }


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in an option, which may take several."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)
    elif value:
        yield value.decode("latin-1") if isinstance(value, bytes) else str(value)
