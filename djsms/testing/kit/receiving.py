"""Tests of reading webhooks: real ones, repeated ones, forged ones, and nonsense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest

from djsms.exceptions import Forged, InvalidWebhook
from djsms.testing.kit import hooks, local, network
from djsms.testing.kit.base import Kit
from djsms.testing.kit.forgeries import forgeries
from djsms.testing.kit.nonsense import ENCODINGS, nonsense
from djsms.testing.kit.words import fail, require
from djsms.testing.recorded import Recorded
from djsms.types import IncomingText, StatusReport

__all__ = ["Receiving", "alike", "each_hook", "invalid", "shown", "told"]

KINDS: Mapping[str, type[StatusReport] | type[IncomingText]] = {
    "parse_callback": StatusReport,
    "parse_incoming": IncomingText,
}
each_hook = pytest.mark.parametrize("hook", KINDS)


class Receiving(Kit):
    """The backend as a reader of what its provider sends."""

    @each_hook
    def test_samples_are_read_as_expected(self, backend: Any, hook: str) -> None:
        self.need(backend, hook)
        samples = self._samples(backend, hook)
        attribute = "callback_samples" if hook == "parse_callback" else "incoming_samples"
        require(
            samples,
            f"{attribute} is empty: record what the provider sends and say how it is to be read, "
            f"{attribute} = [Recorded.json({{…}}, [{KINDS[hook].__name__}(…)])].",
        )
        for number, sample in enumerate(samples):
            values = self._values(backend, hook, sample)
            expected = list(sample.expected)
            if not alike(values, expected):
                fail(
                    f"{attribute}[{number}] is read as\n  {shown(values)}\nbut expected is\n"
                    f"  {shown(expected)}"
                )

    @each_hook
    def test_repeats_are_read_alike(self, backend: Any, hook: str) -> None:
        for number, sample in enumerate(self._given(backend, hook)):
            first = self._values(backend, hook, sample)
            second = self._values(backend, hook, sample)
            require(
                first == second,
                f"Sample {number}, read twice, gives different values. Providers repeat their "
                "requests, and what comes twice counts once only if it looks the same: take "
                f"times and ids from the request alone.\n  {shown(first)}\n  {shown(second)}",
            )

    @each_hook
    def test_times_are_aware(self, backend: Any, hook: str) -> None:
        for sample in self._given(backend, hook):
            for value in self._values(backend, hook, sample):
                for name in _naive(value):
                    fail(
                        f"{type(value).__name__}.{name} is naive: say in which time zone the "
                        "provider's clock is, datetime(…, tzinfo=UTC)."
                    )

    @pytest.mark.parametrize("encoding", ENCODINGS)
    @each_hook
    def test_nonsense_is_refused(self, backend: Any, hook: str, encoding: str) -> None:
        self.need(backend, hook)
        requests = [*nonsense(encoding, self._samples(backend, hook))]
        if encoding == "other":
            # What came to the wrong address, as operators paste the two the wrong way round.
            [wrong] = KINDS.keys() - {hook}
            requests += self._samples(backend, wrong)
        for request in requests:
            signed = self.sign(request)
            try:
                values = self._read(backend, hook, signed)
            except InvalidWebhook:
                continue
            except Exception as error:
                fail(
                    f"{hook}() lets {type(error).__name__} out: {error}\nof {told(signed)}\n"
                    "Raise InvalidWebhook for what cannot be read; djsms.http has parameters() and "
                    "json_object(), which do."
                )
            if problem := invalid(values, KINDS[hook]):
                fail(f"{hook}() returned {problem}\nof {told(signed)}")

    @each_hook
    def test_forgeries_are_refused(self, backend: Any, hook: str) -> None:
        given = self.forged_callbacks if hook == "parse_callback" else self.forged_incoming
        self.need(backend, hook)
        verifies = self.verifies(backend, hook)
        if not (verifies or given):
            pytest.skip(f"{self.name} does not verify webhooks: the token in the address does")
        for number, request in enumerate(given):
            require(
                isinstance(self._refusal(backend, hook, request), Forged),
                f"Forged request {number} is not refused as Forged: {told(request)}",
            )
        if verifies:
            self._refuse_forgeries(backend, hook)

    def _refuse_forgeries(self, backend: Any, hook: str) -> None:
        refusals = []
        samples = self._samples(backend, hook)
        for sample in samples:
            expected = list(sample.expected)
            for done, request in forgeries(sample, self.unsigned):
                try:
                    values = self._read(backend, hook, request)
                except InvalidWebhook as error:
                    refusals.append(error)
                    continue
                # The same values again, or none, do no harm.
                require(
                    not values or alike(values, expected),
                    f"A forged request is believed ({done}): {told(request)}\nverifies_webhooks "
                    "says that the backend decides alone, so raise Forged unless the signature is "
                    "there and fits. If the provider's signature does not cover this parameter, "
                    "name it: unsigned = […].",
                )
        require(
            not samples or any(isinstance(error, Forged) for error in refusals),
            "Forged requests are refused, but none as Forged: raise it where the signature is "
            "missing or wrong, so that the answer is 403.",
        )

    def signs(self) -> bool:
        """Return whether the author has written how the provider signs."""
        return type(self).sign is not Kit.sign or type(self).sign_at is not Kit.sign_at

    def _refusal(self, backend: Any, hook: str, request: Recorded) -> Exception | None:
        try:
            self._read(backend, hook, request)
        except InvalidWebhook as error:
            return error
        except Exception:
            # The matter of test_nonsense_is_refused, of which this is none.
            return None
        return None

    def _given(self, backend: Any, hook: str) -> Sequence[Recorded]:
        self.need(backend, hook)
        samples = self._samples(backend, hook)
        if not samples:
            pytest.skip("there are no samples")
        return samples

    def _samples(self, backend: Any, hook: str) -> Sequence[Recorded]:
        own = self.callback_samples if hook == "parse_callback" else self.incoming_samples
        samples = own or local.samples(backend, hook)
        if not self.signs():
            return samples
        # As of now: a signature with a time in it does not outlive the run that recorded it.
        return [
            self.sign(sample)
            if isinstance(self._refusal(backend, hook, sample), Forged)
            else sample
            for sample in samples
        ]

    def _values(self, backend: Any, hook: str, sample: Recorded) -> list[Any]:
        try:
            values = self._read(backend, hook, sample)
        except InvalidWebhook as error:
            hint = "\nSamples must bear the provider's signature: see sign()."
            fail(
                f"A sample is refused, {type(error).__name__}: {error}\n{told(sample)}"
                + (hint if isinstance(error, Forged) else "")
            )
        if not isinstance(values, list):
            fail(f"{hook}() returned {type(values).__name__}, not a list.")
        return values

    def _read(self, backend: Any, hook: str, sample: Recorded) -> Any:
        with network.refused(loopback=True) as attempts:
            try:
                return hooks.call(backend, hook, request=sample.request())
            finally:
                require(
                    not attempts,
                    f"{hook}() reached for the network; reading a webhook must do without.",
                )


def alike(values: Any, expected: list[Any]) -> bool:
    """Return whether the values are those expected; ``raw`` counts where it is expected."""
    return len(values) == len(expected) and all(
        isinstance(value, type(wanted))
        and (value if wanted.raw else replace(value, raw={})) == wanted
        for value, wanted in zip(values, expected, strict=True)
    )


def _naive(value: Any) -> list[str]:
    times = {field.name: getattr(value, field.name) for field in fields(value)}
    return [
        name
        for name, time in times.items()
        if isinstance(time, datetime) and time.utcoffset() is None
    ]


def invalid(values: Any, kind: type) -> str:
    """Return what is wrong with what a hook returned; empty if nothing is."""
    if not isinstance(values, list):
        return f"{type(values).__name__}, not a list"
    for value in values:
        if not isinstance(value, kind):
            return f"a list with {type(value).__name__}, not {kind.__name__}"
        if _naive(value):
            return f"a naive time in {_naive(value)[0]}"
        if not isinstance(getattr(value, "raw", None), Mapping):
            return "a value whose raw is no mapping"
    return ""


def shown(values: list[Any]) -> str:
    # The text of a message is left out of its repr, but here it is what matters.
    return "\n  ".join(
        f"{value!r}" + (f" text={value.text!r}" if isinstance(value, IncomingText) else "")
        for value in values
    )


def told(request: Recorded, *, whole: bool = False) -> str:
    """Return what a request holds, for the author to find it again."""
    query, body = request.query, request.body
    if not whole:
        query, body = query[:200], body[:200]
    parts = [request.method, query, request.content_type, repr(body)]
    return " ".join(part for part in parts if part) + f" headers={dict(request.headers)}"
