"""Tests of what comes back from a send that goes well, whatever is sent."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from djsms.exceptions import InvalidMessage
from djsms.testing.answers import NEW_ID, Answer
from djsms.testing.kit import hooks
from djsms.testing.kit.base import Kit, fail, require
from djsms.testing.provider import Provider
from djsms.types import SendResult, SentPart

__all__ = ["Sending", "require_result"]

TEXTS = {
    "ascii": "Your code is 4711.",
    "accents": "Où est la crème brûlée? Größe, façade, ¿qué?",
    "extension characters": "12 € for [all] of {them} ~ a^b \\ c|d",
    "mixed scripts and emoji": "Привет, 世界! שלום 😀👩‍👩‍👧‍👦 🇬🇧",
    "1600 characters": "0123456789" * 160,
    "line breaks": "one\ntwo\r\nthree\n",
    "zero-width characters": "a\u200bb\u200dc\u2060d\ufeff",
}
SENDERS = {"number": "+447700900000", "short code": "60777", "name": "Acme Ltd"}
THREADS = 8
MESSAGES = 4


class Sending(Kit):
    """The backend as something that sends."""

    @pytest.mark.parametrize("sender", SENDERS)
    @pytest.mark.parametrize("text", TEXTS)
    def test_sends(self, backend: Any, provider: Provider, text: str, sender: str) -> None:
        self.need(backend, "send")
        self._need_answers(backend)
        message = self.message(text=TEXTS[text], frm=SENDERS[sender])
        try:
            result = hooks.call(backend, "send", message=message)
        except InvalidMessage as error:
            require(
                (text, sender) != ("ascii", "number"),
                f"The simplest of messages is refused: {error}",
            )
            require(
                not provider.requests,
                "InvalidMessage means that nothing was called, but a request was sent. Raise it "
                "before, or Refused after it.",
            )
            pytest.skip(f"{self.name} cannot express this message: {error}")
        require_result(result)

    def test_ids_are_distinct_across_threads(self, backend: Any, provider: Provider) -> None:
        self.need(backend, "send")
        self._need_answers(backend)
        messages = [self.message(text=f"Message {n}") for n in range(THREADS * MESSAGES)]

        def send(message: Any) -> Any:
            return hooks.call(backend, "send", message=message)

        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(send, messages))
        ids: list[str] = []
        for result in results:
            require_result(result)
            ids += [part.provider_id for part in result.parts if part.provider_id]
        if len(set(ids)) == len(ids):
            return
        accepted = self.answers.get("accepted")
        if isinstance(accepted, Answer) and not _has_new_id(accepted):
            fail(
                'The stubbed provider gives each message the same id: in answers["accepted"], put '
                "NEW_ID where the id stands."
            )
        fail(
            f"{THREADS} threads sent {len(messages)} messages and got {len(set(ids))} different "
            "ids: one instance serves all threads, so keep nothing of a message in it."
        )

    def _need_answers(self, backend: Any) -> None:
        """Fail, and do not skip, where a backend for a provider has no answers."""
        try:
            self.need_provider(backend)
        except pytest.skip.Exception:
            return


def require_result(result: Any) -> None:
    """Fail the test unless this is a result that the core can store."""
    require(
        isinstance(result, SendResult),
        f"send() returned {type(result).__name__}, not a SendResult: "
        "return SendResult.accepted(provider_id).",
    )
    require(
        isinstance(result.parts, tuple)
        and result.parts
        and all(isinstance(part, SentPart) for part in result.parts),
        "SendResult.parts must be a tuple of SentPart, and not empty. If the provider accepted "
        "nothing, raise Refused.",
    )
    require(isinstance(result.currency, str), "SendResult.currency must be a text, such as 'EUR'.")
    try:
        json.dumps(dict(result.raw))
    except (TypeError, ValueError) as error:
        fail(f"SendResult.raw must hold plain JSON values: {error}")


def _has_new_id(answer: Answer) -> bool:
    return NEW_ID.encode() in answer.content or NEW_ID in str(answer.headers)
