"""Tests of what comes back from a send that goes well, whatever is sent."""

from __future__ import annotations

import contextlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote_plus

import pytest

from djsms.exceptions import InvalidMessage, SendError
from djsms.testing.answers import NEW_ID, Answer, Received
from djsms.testing.kit.base import Kit
from djsms.testing.kit.nonsense import at, leaves
from djsms.testing.kit.words import fail, require, told
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
PROBE = {"kit_probe": "of the conformance kit"}
CALLBACK = "https://example.com/djsms/callback/default/AbCdEf0123456789AbCdEf/"
LIFETIMES = {
    "a minute": timedelta(minutes=1),
    "an hour": timedelta(hours=1),
    "a hundred days": timedelta(days=100),
    "past": timedelta(minutes=-1),
}
MOMENT = 5
MILLISECONDS = 10_000
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
            result = self.send(backend, message)
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
            return self.send(backend, message)

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
        accepted = next(iter(self.scripted("accepted")), None)
        if isinstance(accepted, Answer) and not _has_new_id(accepted):
            fail(
                'The stubbed provider gives each message the same id: in answers["accepted"], put '
                "NEW_ID where the id stands."
            )
        fail(
            f"{THREADS} threads sent {len(messages)} messages and got {len(set(ids))} different "
            "ids: one instance serves all threads, so keep nothing of a message in it."
        )

    def test_nothing_of_a_text_is_left_in_the_next(self, backend: Any, provider: Provider) -> None:
        self.need_provider(backend)
        plain = self.message()
        own = dict(plain.extra)
        before, again = self._sent(backend, provider, plain), self._sent(backend, provider, plain)
        differing: tuple[tuple[str, dict[str, Any]], ...] = (
            ("extra", {"extra": {**own, **(self.extra or PROBE)}}),
            ("callback_url", {"callback_url": CALLBACK, "status_report": True}),
            ("expires_on", {"expires_on": datetime.now(UTC) + timedelta(hours=1)}),
        )
        for what, fields in differing:
            message = self.message(text="Another text", **fields)
            with contextlib.suppress(InvalidMessage):
                self.send(backend, message)
            require(
                dict(plain.extra) == own,
                "send() changes the message's extra, which is the caller's: copy it.",
            )
            after = self._sent(backend, provider, plain)
            for name in sorted(before.keys() | after.keys()):
                # What differs from one send to the next by itself is a time or a nonce.
                is_steady = before.get(name) == again.get(name)
                require(
                    not is_steady or before.get(name) == after.get(name),
                    f"After a text with {what}, the next one without it is sent with "
                    f"{name}={after.get(name)!r} in place of {before.get(name)!r}. Make the fields "
                    "anew for each text; no default and no attribute may keep them.",
                )

    @pytest.mark.parametrize("lifetime", LIFETIMES)
    def test_expiry(self, backend: Any, provider: Provider, lifetime: str) -> None:
        self.need_provider(backend)
        moment = datetime.now(UTC).replace(microsecond=0) + LIFETIMES[lifetime]
        sent = []
        for zone in (UTC, timezone(timedelta(hours=5, minutes=45))):
            message = self.message(ref="0" * 32, expires_on=moment.astimezone(zone))
            try:
                sent.append(self._sent(backend, provider, message))
            except InvalidMessage as error:
                pytest.skip(f"{self.name} cannot express it: {error}")
        first, second = sent
        for name in sorted(first.keys() & second.keys()):
            require(
                first[name] == second[name] or _is_close(first[name], second[name]),
                f"expires_on in another time zone is sent as {name}={second[name]!r} and not as "
                f"{first[name]!r}, although it is the same moment: use .astimezone(UTC), or "
                "subtract from it an aware now.",
            )

    def _sent(self, backend: Any, provider: Provider, message: Any) -> dict[str, Any]:
        """Send a message, and return what was sent, by name."""
        provider.requests.clear()
        try:
            require_result(self.send(backend, message))
        except SendError as error:
            fail(f"A message that the provider accepts is not sent: {told(error)}")
        requests = [request for request in provider.requests if self.is_send(request)]
        return _fields(requests[0]) if requests else {}

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


def _fields(request: Received) -> dict[str, Any]:
    """Return what a request carries, by name; without its frame, which tells nothing."""
    found: dict[str, Any] = {"path": request.path, **request.parameters}
    with contextlib.suppress(ValueError):
        value = request.json()
        found = {"path": request.path}
        for path in leaves(value):
            found[".".join(map(str, path))] = at(value, path)
    return {name: value for name, value in found.items() if not isinstance(value, dict | list)}


def _is_close(first: Any, second: Any) -> bool:
    """Return whether two numbers differ by no more than a moment that has passed in between."""
    try:
        apart, most = abs(float(first) - float(second)), max(float(first), float(second))
    except (TypeError, ValueError):
        return _without_digits(first) == _without_digits(second) and _is_random(first, second)
    # What is so large may well be milliseconds.
    return apart <= (MOMENT * 1000 if most >= MILLISECONDS else MOMENT)


def _is_random(first: Any, second: Any) -> bool:
    # A reference or a nonce of the backend's own, and no time: these have few other letters.
    return len(re.sub(r"[^A-Za-z]", "", str(first))) > 4 and len(str(first)) > 30


def _without_digits(value: Any) -> str:
    return re.sub(r"[0-9a-f]", "", str(value))


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
