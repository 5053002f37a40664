"""A provider that answers as a test wants it to, and that calls the webhooks when told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from djsms import OutgoingText, SendResult, hookimpl
from djsms.accounts import addresses, gateways
from djsms.backends import LocalBackend

Answer = Callable[[OutgoingText], SendResult]


class ScriptedBackend(LocalBackend):
    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    @property
    def splits_texts(self) -> bool:
        return self.provider.splits_texts

    @hookimpl
    def send(self, message: OutgoingText) -> SendResult:
        self.provider.sent.append(message)
        return self.provider.answer(message)


class Provider:
    """What it was sent, what it answers, and its own calls to the webhooks."""

    def __init__(self) -> None:
        self.sent: list[OutgoingText] = []
        self.splits_texts = False
        self.answer: Answer = lambda message: SendResult.accepted(f"id-{message.ref}")

    def accepts(self, provider_id: str = "id-1", **fields: Any) -> None:
        self.answer = lambda message: SendResult.accepted(provider_id, **fields)

    def answers(self, *parts: Any, **fields: Any) -> None:
        self.answer = lambda message: SendResult(parts=parts, **fields)

    def fails(self, error: BaseException) -> None:
        def answer(message: OutgoingText) -> SendResult:
            raise error

        self.answer = answer

    def reports(self, account: str = "default", **report: Any) -> HttpResponse:
        return self.calls("callback", report, account)

    def delivers(self, account: str = "default", **text: Any) -> HttpResponse:
        return self.calls("incoming", text, account)

    def calls(self, kind: str, data: Any, account: str = "default") -> HttpResponse:
        path = f"/djsms/{kind}/{account}/{addresses.token(account)}/"
        return Client().post(path, json.dumps(data), content_type="application/json")


@pytest.fixture
def provider() -> Iterator[Provider]:
    """Stands in for the backend of every account."""
    provider = Provider()
    with gateways.replaced(lambda alias: ScriptedBackend(provider)):
        yield provider
