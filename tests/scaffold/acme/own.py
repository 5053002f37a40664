"""A test of what is peculiar to the provider, beside those of the kit."""

from __future__ import annotations

from typing import Any

from acme_conformance import TestAcme as AcmeConformance

from djsms.testing import Provider


# own: begin
class TestAcmeApi(AcmeConformance):
    def test_text_arrives_unharmed(self, backend: Any, provider: Provider) -> None:
        message = self.message(text="12 € for [all] 👋")
        backend.send(message)
        [request] = provider.requests
        assert request.json()["text"] == message.text
        assert request.headers["authorization"] == "Bearer no-key-of-anybody"


# own: end
