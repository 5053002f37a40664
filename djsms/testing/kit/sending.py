"""Tests of what comes back from a send that goes well, whatever is sent."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

import pytest

from djsms.exceptions import InvalidMessage
from djsms.testing.answers import NEW_ID, Answer, Received
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
# Of a number, so many of its last digits are there also where it is written as in its country.
MIN_DIGITS = 9


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
        messages = [
            self.message(text=f"Message {n:02}.", to=f"+4477009001{n:02}")
            for n in range(THREADS * MESSAGES)
        ]

        def send(message: Any) -> Any:
            return hooks.call(backend, "send", message=message)

        with ThreadPoolExecutor(THREADS) as pool:
            results = list(pool.map(send, messages))
        ids: list[str] = []
        for result in results:
            require_result(result)
            ids += [part.provider_id for part in result.parts if part.provider_id]
        if self.answers:
            self._require_each_sent(messages, [r for r in provider.requests if self.is_send(r)])
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

    def _require_each_sent(self, messages: list[Any], received: list[Received]) -> None:
        """Fail unless the provider received each message, and none in place of another."""
        told = (
            f"{THREADS} threads sent {len(messages)} messages, and the stubbed provider received "
            "{}: one instance serves all threads, so keep nothing of a message in it."
        )
        requests = {(r.method, r.path, r.query, r.body) for r in received}
        require(len(requests) >= len(messages), told.format(f"{len(requests)} different ones"))
        # How a number and a text are written is the provider's matter. What is written as usual in
        # any request is looked for in all.
        numbers = _carried(received, [message.to[-MIN_DIGITS:] for message in messages])
        texts = _carried(received, [message.text for message in messages])
        for carried, what in ((numbers, "recipients"), (texts, "texts")):
            seen = {index for indexes in carried for index in indexes}
            require(
                not seen or len(seen) == len(messages),
                told.format(f"only {len(seen)} of the {what}"),
            )
        pairs = [(a, b) for a, b in zip(numbers, texts, strict=True) if a and b]
        require(
            all(a == b for a, b in pairs), told.format("the text of one with the number of another")
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


def _carried(received: list[Received], words: list[str]) -> list[set[int]]:
    """Return which of the words each request holds; none if the author made them the same."""
    if len({*words}) < len(words):
        return [set() for _ in received]
    return [
        {index for index, word in enumerate(words) if word in content}
        for content in map(_readable, received)
    ]


def _readable(request: Received) -> str:
    body = request.body.decode("utf-8", "replace")
    return " ".join(unquote_plus(text) for text in (request.path, request.query, body))


def _has_new_id(answer: Answer) -> bool:
    return NEW_ID.encode() in answer.content or NEW_ID in str(answer.headers)
