"""Tests of a backend that proves by a signature that a request is its provider's."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from djsms.exceptions import Forged, InvalidWebhook
from djsms.testing.kit.base import OMITTED, Kit, Make
from djsms.testing.kit.places import (
    Place,
    altered,
    foreign,
    is_time_of_now,
    places,
    secret_parts,
    without,
)
from djsms.testing.kit.reading import Reading
from djsms.testing.kit.receiving import each_hook, told
from djsms.testing.kit.rewriting import rewritten
from djsms.testing.kit.secrecy import Secrecy, Secrets, found, hidden, is_telling, logged, watched
from djsms.testing.kit.words import fail, require
from djsms.testing.recorded import Recorded

__all__ = ["Signing"]

PROVING = re.compile(r"public|verif|cert|jwk|pem|sign|webhook.*key|keys?$")
SUCCESSOR = re.compile(
    r"^(old|prev|previous|next|new|second|secondary|other)_"
    r"|_(old|prev|previous|next|new|second|secondary|other|fallback|2)$"
)


class Signing(Secrecy, Reading):
    """The backend as one that believes nobody but its provider."""

    @each_hook
    def test_unset_secret_proves_nothing(
        self, backend: Any, factory: Any, make: Make, options: Mapping[str, Any], hook: str
    ) -> None:
        self._need_verified(backend, hook)
        names = [name for name in _optional(factory) if name in options]
        for left_out in [*([name] for name in names), names] if names else ():
            lesser = _made(make, dict.fromkeys(left_out, OMITTED))
            if lesser is None or not self.verifies(lesser, hook):
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
    def test_empty_key_proves_nothing(
        self, backend: Any, factory: Any, make: Make, options: Mapping[str, Any], hook: str
    ) -> None:
        self._need_verified(backend, hook)
        names = self._proofs(factory, options)
        if not names:
            pytest.skip(f"{self.name} has no option that proves webhooks: proofs is empty")
        for kind, empty in EMPTY.items():
            lesser = _made(make, {name: empty(options[name]) for name in names})
            require(
                lesser is None or not self.verifies(lesser, hook),
                f"With {' and '.join(names)} {kind}, verifies_webhooks still says that the backend "
                "proves who sent a request, but anybody can sign with an empty key. Refuse it in "
                "the constructor by InvalidOptions, or return bool(self.…) from verifies_webhooks. "
                "If other options prove webhooks, or none, name them: proofs = […].",
            )

    @each_hook
    def test_letters_of_a_key_are_no_keys(
        self, backend: Any, factory: Any, make: Make, options: Mapping[str, Any], hook: str
    ) -> None:
        self._need_verified(backend, hook)
        several = [
            n for n in self._proofs(factory, options) if isinstance(options[n], list | tuple)
        ]
        if not several:
            pytest.skip(f"{self.name} has no option that takes several keys")
        for name in several:
            lone = [_made(make, {name: key}) for key in options[name] if isinstance(key, str)]
            believing = [one for one in lone if one is not None and self.verifies(one, hook)]
            for sample in self._given(backend, hook) if believing else ():
                signed = self.sign(sample)
                require(
                    any(self._refusal(one, hook, signed) is None for one in believing),
                    f"The option {name!r} takes a single text in place of a list, and then each "
                    "letter is a key, which anybody can guess: raise InvalidOptions from the "
                    "constructor, or take it for the one key.",
                )

    @each_hook
    def test_each_key_will_do(
        self, backend: Any, factory: Any, make: Make, options: Mapping[str, Any], hook: str
    ) -> None:
        self._need_verified(backend, hook)
        turned = list(self._turned(factory, options))
        if not turned:
            pytest.skip(f"{self.name} has no option that takes several keys")
        for what, changes in turned:
            other = make(**changes)
            for sample in self._given(backend, hook):
                refusal = self._refusal(other, hook, self.sign(sample))
                require(
                    refusal is None,
                    f"With {what}, what sign() signs is refused, {refusal!r}: while a key is "
                    "exchanged for a new one the provider signs with either, so try each.",
                )

    def _turned(
        self, factory: Any, options: Mapping[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the options with the keys in another order."""
        names = self._proofs(factory, options)
        for name in names:
            value = options[name]
            if isinstance(value, list | tuple):
                require(
                    len(value) > 1,
                    f"The option {name!r} takes several keys: give two in the fixture options, so "
                    "that it can be tried whether each will do.",
                )
                yield f"the keys of {name!r} in reverse order", {name: type(value)(value[::-1])}
            elif isinstance(value, Mapping) and len(value) > 1:
                yield (
                    f"the keys of {name!r} in reverse order",
                    {name: dict(reversed(list(value.items())))},
                )
        for name in names:
            newer = SUCCESSOR.sub("", name)
            if newer != name and newer in names and type(options[name]) is type(options[newer]):
                changes = {name: options[newer], newer: options[name]}
                yield f"{newer!r} and {name!r} exchanged", changes

    @each_hook
    def test_signed_time_is_looked_at(self, backend: Any, hook: str) -> None:
        self._need_verified(backend, hook)
        if type(self).sign_at is Kit.sign_at:
            pytest.skip("no time is signed: sign_at() is not overridden")
        for sample in self._given(backend, hook):
            for days, when in ((-2, "two days ago"), (-400, "last year"), (2, "in two days")):
                signed = self.sign_at(sample, datetime.now(UTC) + timedelta(days=days))
                require(
                    isinstance(self._refusal(backend, hook, signed), Forged),
                    f"A request that was signed {when} is not Forged: {told(signed)}\n"
                    "Whoever has caught one can send it again for ever. Compare the time that is "
                    "signed with the clock, in both directions: abs(now - signed) <= 300.",
                )

    @each_hook
    def test_what_is_signed_is_what_came(self, backend: Any, hook: str) -> None:
        self._need_verified(backend, hook)
        if not self.signs():
            pytest.skip("sign() is still to be written")
        for sample in self._given(backend, hook):
            if self._refusal(backend, hook, self.sign(sample)) is not None:
                continue
            for how, request in rewritten(sample):
                refusal = self._refusal(backend, hook, self.sign(request))
                require(
                    not isinstance(refusal, Forged),
                    f"A request that is signed well, but written otherwise ({how}), is refused: "
                    f"{refusal}\n{told(request)}\nCompute the signature over the bytes that came, "
                    "request.body or public_url(request), and not over values that were read and "
                    "written again.",
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
            self.signs(),
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
            found = places(signed, self.sign)
            require(found, f"sign() adds neither a header nor a parameter: {told(signed)}")
            if type(self).sign_at is Kit.sign_at:
                require(
                    not any(is_time_of_now(signed, place) for place in found),
                    "sign() puts in the present time, so override sign_at(request, moment) in its "
                    "place: then old signatures, and future ones, are tried as well. If the "
                    "signature does not cover the time, name its part: unsigned = […].",
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
        if not self.signs():
            pytest.skip("sign() is still to be written")
        for sample in self._given(backend, hook):
            signed = self.sign(sample)
            for place in places(signed, self.sign):
                yield place, signed

    def _need_verified(self, backend: Any, hook: str) -> None:
        self.need(backend, hook)
        if not self.verifies(backend, hook):
            pytest.skip(f"{self.name} does not verify webhooks: the token in the address does")

    def _unsigned(self, sample: Recorded) -> Recorded:
        left_out = [Place("header", name) for name in sample.headers]
        if self.signs():
            left_out += places(self.sign(sample), self.sign)
        return without(sample, left_out)

    def _proofs(self, factory: Any, options: Mapping[str, Any]) -> list[str]:
        """Return the options that prove webhooks."""
        if self.proofs is not None:
            for name in self.proofs:
                require(name in options, f"proofs names {name!r}, which the fixture options lacks.")
            return list(self.proofs)
        known = {*(self.secrets or ()), *hidden(factory)}
        return [n for n in options if n in known or is_telling(n) or PROVING.search(n)]


def _optional(factory: Any) -> list[str]:
    return [
        name
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.default is not parameter.empty
    ]


def _made(make: Make, changes: Mapping[str, Any]) -> Any | None:
    """Return the backend with other options, or None if it refuses them."""
    try:
        return make(**changes)
    except (TypeError, ValueError, ImproperlyConfigured):
        return None


def _nothing(value: Any) -> Any:
    return type(value)() if isinstance(value, str | bytes | list | tuple | dict) else ""


def _blank(value: Any) -> Any:
    """Return keys that are none, where several are taken: what an empty variable splits into."""
    if isinstance(value, Mapping):
        return dict.fromkeys(value, "")
    return type(value)([""]) if isinstance(value, list | tuple) else ""


def _text(error: Exception) -> str:
    return f"{''.join(traceback.format_exception(error))} {error!r} {vars(error)}"


EMPTY: Mapping[str, Callable[[Any], Any]] = {"empty": _nothing, "blank": _blank}
