"""Tests of what a backend says of itself beside its hooks, against what it does."""

from __future__ import annotations

from typing import Any

import pytest

from djsms.exceptions import TextMessageError
from djsms.testing.answers import Answer
from djsms.testing.kit.sending import Sending, require_result
from djsms.testing.kit.words import fail, require, told
from djsms.testing.provider import Provider
from djsms.types import StatusReport

__all__ = ["Features"]

LONG = "0123456789" * 20
"""Two segments in any alphabet but the widest."""


class Features(Sending):
    """The backend as the core takes its word for."""

    @pytest.mark.parametrize("feature", ["chooses_originator", "shares_address", "splits_texts"])
    def test_features_are_yes_or_no(self, backend: Any, feature: str) -> None:
        value = getattr(backend, feature, False)
        require(
            isinstance(value, bool),
            f"{feature} is {type(value).__name__}; it takes True or False, and anything else "
            "counts as False. Is @property missing?",
        )

    def test_splits_texts(self, backend: Any, provider: Provider) -> None:
        self.need(backend, "send")
        self._need_answers(backend)
        most = 0
        # One without a provider behind it is asked as it is.
        for answer in self.scripted("accepted") or [Answer()]:
            provider.respond(answer)
            most = max(most, self._ids_of_a_long_text(backend))
        splits = getattr(backend, "splits_texts", False) is True
        require(
            splits or most < 2,
            f"The provider gives a text {most} ids, and splits_texts is False. If it reports on "
            "each part by itself, return True: else the first report is taken for all of the text.",
        )
        require(
            not splits or most > 1 or self._reports_on_parts(),
            "splits_texts is True, and neither an answer nor a report shows it: a long text whose "
            "answer never came would wait for reports on parts that nobody sends. Return False, or "
            'give answers["accepted"] the answer to a long text, with the id of each part, as a '
            "list beside the other.",
        )

    def test_sends_without_originator(self, backend: Any, provider: Provider) -> None:
        if getattr(backend, "chooses_originator", False) is not True:
            pytest.skip(f"{self.name} has no provider that chooses the originator")
        self.need_provider(backend)
        named = self._sent(backend, provider, self.message())
        try:
            unnamed = self._sent(backend, provider, self.message(frm=""))
        except Exception as error:
            fail(
                "chooses_originator is True, and a text without originator is not sent: "
                f"{told(error)}"
            )
        for name, value in unnamed.items():
            require(
                value not in ("", None) or value == named.get(name),
                f"A text without originator is sent with {name}={value!r}: leave it out, so that "
                "the provider chooses.",
            )

    def _ids_of_a_long_text(self, backend: Any) -> int:
        try:
            result = self.send(backend, self.message(text=LONG))
        except TextMessageError as error:
            pytest.skip(f"{self.name} does not send a text of two segments: {told(error)}")
        require_result(result)
        return len({part.provider_id for part in result.parts} - {""})

    def _reports_on_parts(self) -> bool:
        """Return whether the samples hold reports on one text by several ids."""
        expected = [value for sample in self.callback_samples for value in sample.expected]
        reports = [value for value in expected if isinstance(value, StatusReport) and value.ref]
        pairs = {(report.ref, report.provider_id) for report in reports}
        return len(pairs) > len({ref for ref, _ in pairs})
