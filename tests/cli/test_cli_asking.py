"""``djsms refresh`` and ``djsms balance`` ask the providers."""

import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from djsms import Balance, SentText, Status, StatusReport, hookimpl, send_text
from djsms.accounts import gateways
from djsms.backends import LocalBackend
from djsms.exceptions import TemporarilyUnavailable
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db(transaction=True)


class Asked(LocalBackend):
    is_down = False

    @hookimpl
    def send(self, message: Any) -> Any:
        raise TimeoutError

    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        if self.is_down:
            raise TemporarilyUnavailable("down")
        return [StatusReport(status=Status.DELIVERED, ref=sent.ref) for sent in messages]

    @hookimpl
    def fetch_balance(self) -> Balance:
        if self.is_down:
            raise TemporarilyUnavailable("down")
        return Balance(amount=Decimal("12.50"), currency="EUR")


@pytest.fixture
def provider(settings: Any) -> Iterator[Asked]:
    settings.DJSMS_ACCOUNTS = {"local": {"BACKEND": "memory"}}
    provider = Asked()
    with gateways.replaced(lambda alias: provider if alias == "default" else None):
        yield provider


def asked(*arguments: str) -> str:
    out = io.StringIO()
    call_command("djsms", *arguments, stdout=out)
    return out.getvalue()


def unknown() -> TextMessage:
    return send_text("Hello", "Acme", "+447700900123")


class TestRefresh:
    def test_what_is_unknown_is_asked_about_at_once(self, provider: Asked) -> None:
        text = unknown()
        [_, line] = asked("refresh").splitlines()
        assert line.split() == ["default", "1", "1"]
        text.refresh_from_db()
        assert text.status == "delivered"

    def test_one_by_its_reference(self, provider: Asked) -> None:
        text = unknown()
        assert f"{text.ref}  delivered (" in asked("refresh", text.ref)

    def test_only_those_made_since(self, provider: Asked) -> None:
        unknown()
        TextMessage.objects.update(created_on="2026-01-01T00:00Z")
        assert asked("refresh", "--since=1d").split()[-2:] == ["0", "0"]
        assert asked("refresh", "--since=2025-12-31").split()[-2:] == ["1", "1"]

    def test_a_provider_that_does_not_answer(self, provider: Asked) -> None:
        unknown()
        provider.is_down = True
        out = io.StringIO()
        with pytest.raises(CommandError, match="Not all could be asked"):
            call_command("djsms", "refresh", stdout=out)
        assert "TemporarilyUnavailable: down" in out.getvalue()

    def test_one_that_was_never_called_for(self, provider: Asked) -> None:
        text = TextMessage.objects.create(frm="Acme", to="+447700900123")
        with pytest.raises(CommandError, match="was never called for it"):
            asked("refresh", text.ref)

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["0" * 32], "no such message"),
            (["abc", "--since=1d"], "either references"),
            (["--account=nope"], "There is no account 'nope'"),
        ],
    )
    def test_what_is_wrong_is_told(
        self, provider: Asked, arguments: list[str], reason: str
    ) -> None:
        with pytest.raises(CommandError, match=reason):
            asked("refresh", *arguments)

    def test_where_no_backend_can_ask(self) -> None:
        with pytest.raises(CommandError, match="no account whose backend can ask"):
            asked("refresh")


class TestBalance:
    def test_of_the_accounts_whose_backend_can_ask(self, provider: Asked) -> None:
        [_, line] = asked("balance").splitlines()
        assert line.split() == ["default", "12.50", "EUR"]

    def test_of_one_that_cannot(self, provider: Asked) -> None:
        out = io.StringIO()
        with pytest.raises(CommandError, match="Not all could be asked"):
            call_command("djsms", "balance", "local", "default", stdout=out)
        assert "NotSupported" in out.getvalue()
        assert "12.50" in out.getvalue()

    def test_of_one_that_does_not_answer(self, provider: Asked) -> None:
        provider.is_down = True
        out = io.StringIO()
        with pytest.raises(CommandError, match="Not all could be asked"):
            call_command("djsms", "balance", stdout=out)
        assert "TemporarilyUnavailable: down" in out.getvalue()

    def test_of_one_that_is_none(self) -> None:
        with pytest.raises(CommandError, match="There is no account 'nope'"):
            asked("balance", "nope")

    def test_where_no_backend_can_ask(self) -> None:
        with pytest.raises(CommandError, match="no account whose backend can ask"):
            asked("balance")
