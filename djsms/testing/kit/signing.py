"""Tests of a backend that proves by a signature that a request is its provider's."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djsms.exceptions import Forged, InvalidWebhook
from djsms.testing.kit.base import OMITTED, Kit, Make, fail, require
from djsms.testing.kit.places import Place, altered, foreign, places, secret_parts, without
from djsms.testing.kit.receiving import Receiving, each_hook, told
from djsms.testing.kit.secrecy import Secrecy, Secrets, found, hidden, is_telling, logged, watched
from djsms.testing.recorded import Recorded

__all__ = ["Signing"]


class Signing(Secrecy, Receiving):
    """The backend as one that believes nobody but its provider."""

    @each_hook
    def test_unset_secret_proves_nothing(
        self, backend: Any, factory: Any, make: Make, options: Mapping[str, Any], hook: str
    ) -> None:
        self._need_verified(backend, hook)
        names = [name for name in self._optional_secrets(factory) if name in options]
        if not names:
            pytest.skip(f"{self.name} has no optional secret among its options")
        for left_out in [*([name] for name in names), names]:
            try:
                lesser = make(**dict.fromkeys(left_out, OMITTED))
            except (TypeError, ValueError, ImproperlyConfigured):
                continue
            if not getattr(lesser, "verifies_webhooks", False):
                continue
            for sample in self._samples(lesser, hook):
                request = self._unsigned(sample)
                require(
                    isinstance(self._refusal(lesser, hook, request), Forged),
                    f"Without the option {' and '.join(left_out)}, verifies_webhooks is still "
                    f"True, yet a request without a signature is not Forged: {told(request)}\n"
                    "Then neither a signature nor the token in the address protects anybody: "
                    "return bool(self.…) from verifies_webhooks.",
                )

    @each_hook
    def test_altered_signature_is_refused(self, backend: Any, hook: str) -> None:
        for place, signed in self._signed(backend, hook):
            for request in altered(signed, place, self.unsigned):
                self._require_refused(
                    backend,
                    hook,
                    request,
                    f"A request is believed although its {place} was altered: {told(request)}\n"
                    "Compare the whole signature, by hmac.compare_digest, and let it cover all "
                    "that stands beside it, such as a time. If the provider's does not cover this "
                    "part, name it: unsigned = […].",
                )

    @each_hook
    def test_signature_that_is_no_ascii_is_refused(self, backend: Any, hook: str) -> None:
        for place, signed in self._signed(backend, hook):
            for request in foreign(signed, place):
                self._require_refused(
                    backend,
                    hook,
                    request,
                    f"A request is believed although its {place} cannot be right: {told(request)}",
                )

    @each_hook
    def test_sign_is_written(self, backend: Any, hook: str) -> None:
        self._need_verified(backend, hook)
        require(
            self._signs(),
            "The backend verifies webhooks, but the test has no sign(): nonsense is stopped by its "
            "missing signature and tries nothing else. Write how the provider signs:\n"
            "    def sign(self, request: Recorded) -> Recorded:\n"
            "        signature = hmac.new(SECRET, request.body, hashlib.sha256).hexdigest()\n"
            '        return replace(request, headers={"X-Signature": signature})',
        )
        for sample in self._given(backend, hook):
            signed = self.sign(sample)
            refusal = self._refusal(backend, hook, signed)
            require(
                refusal is None,
                f"What sign() has signed is refused, {type(refusal).__name__}: {refusal}\n"
                f"{told(signed)}",
            )
            require(
                places(signed, self.sign),
                f"sign() adds neither a header nor a parameter: {told(signed)}",
            )

    @each_hook
    def test_refusals_hold_no_secret(
        self,
        backend: Any,
        secret_values: Secrets,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        hook: str,
    ) -> None:
        for place, signed in self._signed(backend, hook):
            for request in [*altered(signed, place, self.unsigned), without(signed, [place])]:
                caplog.clear()
                with watched(backend, caplog):
                    error = self._refusal(backend, hook, request)
                words = f"{logged(backend, caplog)}{''.join(capfd.readouterr())}"
                self._require_discreet("the log or on the terminal", words, secret_values)
                # What the request gives away itself is no secret, whoever sent it.
                given = told(request, whole=True)
                expected = {part for part in secret_parts(signed, place) if part not in given}
                text = "" if error is None else _text(error)
                self._require_discreet(f"{type(error).__name__}", text, secret_values)
                require(
                    not any(part in words + text for part in expected),
                    f"The signature that the {place} should have had stands in what is said or "
                    "logged of a forged request, so that a forger may read it there: say that it "
                    "is wrong, and not what would be right.",
                )

    def _require_discreet(self, where: str, words: str, secrets: Secrets) -> None:
        for name in found(secrets, words):
            fail(f"Of a forged request the option {name!r} stands in {where}: leave it out.")

    def _require_refused(self, backend: Any, hook: str, request: Recorded, words: str) -> None:
        try:
            self._read(backend, hook, request)
        except InvalidWebhook:
            return
        except Exception as error:
            fail(
                f"{hook}() lets {type(error).__name__} out: {error}\nof {told(request)}\n"
                "Raise Forged where a signature is not what it should be. hmac.compare_digest "
                "takes texts of ASCII alone, so encode both."
            )
        fail(words)

    def _signed(self, backend: Any, hook: str) -> Iterator[tuple[Place, Recorded]]:
        """Yield each sample as signed now, with each place in which the signature stands."""
        self._need_verified(backend, hook)
        if not self._signs():
            pytest.skip("sign() is still to be written")
        for sample in self._given(backend, hook):
            signed = self.sign(sample)
            for place in places(signed, self.sign):
                yield place, signed

    def _need_verified(self, backend: Any, hook: str) -> None:
        self.need(backend, hook)
        if not getattr(backend, "verifies_webhooks", False):
            pytest.skip(f"{self.name} does not verify webhooks: the token in the address does")

    def _signs(self) -> bool:
        return type(self).sign is not Kit.sign

    def _unsigned(self, sample: Recorded) -> Recorded:
        left_out = [Place("header", name) for name in sample.headers]
        if self._signs():
            left_out += places(self.sign(sample), self.sign)
        return without(sample, left_out)

    def _optional_secrets(self, factory: Any) -> list[str]:
        return [
            name
            for name, parameter in inspect.signature(factory).parameters.items()
            if parameter.default is not parameter.empty
            and (name in (self.secrets or ()) or name in hidden(factory) or is_telling(name))
        ]


def _text(error: Exception) -> str:
    return f"{''.join(traceback.format_exception(error))} {error!r} {vars(error)}"
