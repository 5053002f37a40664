"""Tests of what a backend says to operators: system checks and addresses to paste."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.checks import CheckMessage

from djsms.testing.kit import hooks, network
from djsms.testing.kit.secrecy import Secrecy, found
from djsms.testing.kit.words import fail, require

__all__ = ["Checks"]

ADDRESSES = {
    "https": "https://example.com/djsms/{}/default/AbCdEf0123456789AbCdEf/",
    "http": "http://example.com/djsms/{}/default/AbCdEf0123456789AbCdEf/",
    "loopback": "http://localhost:8000/djsms/{}/default/AbCdEf0123456789AbCdEf/",
    "none": "",
}


class Checks(Secrecy):
    """The backend as something that an operator configures."""

    @pytest.mark.parametrize("frm", ["", "+447700900000"], ids=["without FROM", "FROM"])
    @pytest.mark.parametrize("base", ADDRESSES)
    def test_check(
        self, backend: Any, factory: Any, options: Mapping[str, Any], base: str, frm: str
    ) -> None:
        self.need(backend, "check")
        with network.refused(loopback=True) as attempts:
            try:
                messages = hooks.call(backend, "check", **_urls(base), frm=frm)
            except Exception as error:
                require(attempts, f"check() must report problems, not raise: {error!r}")
                messages = []
        require(
            not attempts,
            f"check() reached for {hooks.joined(attempts)}; manage.py check runs where there is no "
            "network, and often: look at the options alone.",
        )
        require(
            isinstance(messages, list)
            and all(isinstance(message, CheckMessage) for message in messages),
            "check() must return a list of django.core.checks messages.",
        )
        module = type(backend).__module__.partition(".")[0]
        for message in messages:
            require(
                re.fullmatch(rf"{module}\.[A-Z]\d{{3}}", str(message.id)),
                f"The id of a check message is {message.id!r}; make it {module}.E001 or the like, "
                "so that SILENCED_SYSTEM_CHECKS can name it.",
            )
            words = f"{message.msg} {message.hint} {message.obj!r}"
            for name in found(self.secrets_among(factory, options), words):
                fail(f"The option {name!r} stands in a check message: leave it out.")

    @pytest.mark.parametrize("base", ADDRESSES)
    def test_webhook_addresses(self, backend: Any, base: str) -> None:
        self.need(backend, "webhook_addresses")
        addresses = hooks.call(backend, "webhook_addresses", **_urls(base))
        require(
            isinstance(addresses, Mapping)
            and all(isinstance(text, str) for pair in addresses.items() for text in pair)
            and all(addresses),
            "webhook_addresses() must return a dictionary of texts: what the provider calls the "
            "setting, and what to paste there.",
        )


def _urls(base: str) -> dict[str, str]:
    return {f"{kind}_url": ADDRESSES[base].format(kind) for kind in ("callback", "incoming")}
