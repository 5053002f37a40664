"""Providers are asked how messages stand of which no status report has told."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from djsms import SendResult, SentPart, SentText, Status, StatusReport, hookimpl, send_text
from djsms.accounts import gateways
from djsms.backends import LocalBackend
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable
from djsms.models import TextMessage
from djsms.receiving import refreshing
from djsms.receiving.refreshing import LOT, refresh, refresh_due, unsettled

pytestmark = pytest.mark.django_db(transaction=True)

TO = "+447700900123"
DELIVERED = {"status": Status.DELIVERED, "provider_status": "delivered"}


class Asked(LocalBackend):
    """A provider that can be asked, and is."""

    def __init__(self) -> None:
        self.lots: list[Sequence[SentText]] = []
        self.says: Callable[[SentText], list[StatusReport]] = lambda sent: []
        self.takes: Callable[[], SendResult] = lambda: SendResult.accepted("id-1")

    @property
    def texts(self) -> list[SentText]:
        return [sent for lot in self.lots for sent in lot]

    def reports(self, **fields: Any) -> None:
        self.says = lambda sent: [StatusReport(ref=sent.ref, **fields)]

    def fails(self, error: Exception) -> None:
        def fail(sent: SentText) -> list[StatusReport]:
            raise error

        self.says = fail

    @hookimpl
    def send(self, message: Any) -> SendResult:
        return self.takes()

    @hookimpl
    def fetch_reports(self, messages: Sequence[SentText]) -> list[StatusReport]:
        assert not connection.in_atomic_block
        self.lots.append(messages)
        return [report for sent in messages for report in self.says(sent)]


@pytest.fixture
def provider() -> Iterator[Asked]:
    provider = Asked()
    with gateways.replaced(lambda alias: provider):
        yield provider


def sent(provider: Asked, ago: timedelta = timedelta(0), **fields: Any) -> TextMessage:
    """Return a text that was handed over so long ago, and stands as the fields say."""
    text = send_text("Hello", "Acme", TO, status_report=True)
    moment = timezone.now() - ago
    values = {"created_on": moment, "attempted_on": moment, "updated_on": moment} | fields
    TextMessage.objects.filter(pk=text.pk).update(**values)
    text.refresh_from_db()
    return text


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


class TestAskingAboutSome:
    def test_a_provider_is_told_what_it_was_handed(self, provider: Asked) -> None:
        parts = tuple(SentPart(provider_id=name) for name in "aab")
        provider.takes = lambda: SendResult(parts=parts)
        text = sent(provider)
        refresh([text])
        [asked] = provider.texts
        assert asked.provider_ids == ("a", "b")
        assert (asked.ref, asked.to, asked.frm) == (text.ref, TO, "Acme")
        assert (asked.attempted_on, asked.status) == (text.attempted_on, Status.SENDING)

    def test_what_it_says_takes_effect(self, provider: Asked) -> None:
        provider.reports(**DELIVERED, price=Decimal("0.0075"), currency="USD")
        text = sent(provider)
        [result] = refresh([text])
        text.refresh_from_db()
        assert (text.status, text.price, text.currency) == ("delivered", Decimal("0.0075"), "USD")
        assert (result.asked, result.news, result.problem) == (1, 1, "")

    def test_what_is_known_is_no_news(self, provider: Asked) -> None:
        provider.reports(**DELIVERED)
        text = sent(provider)
        refresh([text])
        assert [result.news for result in refresh([text])] == [0]

    def test_many_are_asked_about_in_lots(self, provider: Asked) -> None:
        refresh([sent(provider) for _ in range(LOT + 1)])
        assert [len(lot) for lot in provider.lots] == [LOT, 1]

    def test_it_ends_between_lots_when_it_is_told_to(self, provider: Asked) -> None:
        texts = [sent(provider) for _ in range(LOT + 1)]
        refresh(texts, is_over=lambda: len(provider.lots) == 1)
        assert len(provider.lots) == 1

    @pytest.mark.parametrize("error", [TemporarilyUnavailable("down"), ZeroDivisionError("slip")])
    def test_a_failure_ends_the_account_s_turn_and_no_other_s(
        self, provider: Asked, settings: Any, error: Exception
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"alerts": {"BACKEND": "memory"}}
        sound = Asked()
        with gateways.replaced(lambda alias: sound if alias == "alerts" else provider):
            texts = [sent(provider) for _ in range(LOT + 1)]
            others = [send_text("Hello", "Acme", TO, using="alerts")]
            provider.fails(error)
            failed, went = refresh([*texts, *others])
        assert len(provider.lots) == 1
        assert type(error).__name__ in failed.problem
        assert (went.asked, went.problem) == (1, "")

    def test_an_account_that_cannot_ask_says_so(self, provider: Asked) -> None:
        text = sent(provider)
        with gateways.replaced(lambda alias: LocalBackend()):
            [result] = refresh([text])
        assert "has no fetch_reports()" in result.problem


@pytest.mark.parametrize(
    ("status", "ago", "is_asked"),
    [
        (Status.UNKNOWN, minutes(4), False),
        (Status.UNKNOWN, minutes(6), True),
        (Status.UNKNOWN, timedelta(hours=25), False),
        (Status.SENDING, minutes(59), False),
        (Status.SENDING, minutes(61), True),
        (Status.SENT, minutes(61), True),
        (Status.DELIVERED, minutes(14), False),
        (Status.DELIVERED, minutes(16), True),
        (Status.FAILED, minutes(16), True),
        (Status.CANCELLED, minutes(16), False),
    ],
)
def test_when_a_worker_asks(
    provider: Asked, status: Status, ago: timedelta, is_asked: bool
) -> None:
    sent(provider, ago, status=status)
    refresh_due()
    assert len(provider.texts) == is_asked


def test_what_was_never_handed_over_is_not_worth_asking_about(provider: Asked) -> None:
    text = sent(provider, minutes(61), status=Status.FAILED)
    assert unsettled("default").get() == text
    TextMessage.objects.update(attempted_on=None)
    assert not unsettled("default").exists()


class TestAWorkersMinute:
    def test_leaves_alone_whose_reports_nobody_wanted(self, provider: Asked) -> None:
        sent(provider, minutes(61), status_report=False)
        refresh_due()
        assert provider.texts == []

    def test_asks_about_unknown_ones_whose_reports_nobody_wanted(self, provider: Asked) -> None:
        sent(provider, minutes(6), status=Status.UNKNOWN, status_report=False)
        refresh_due()
        assert len(provider.texts) == 1

    def test_leaves_alone_what_has_its_price(self, provider: Asked) -> None:
        sent(provider, minutes(16), status=Status.DELIVERED, price=1)
        refresh_due()
        assert provider.texts == []

    def test_asks_for_a_price_once(self, provider: Asked) -> None:
        sent(provider, timedelta(hours=3), status=Status.DELIVERED)
        refresh_due()
        long_ago = timezone.now() - timedelta(hours=2)
        TextMessage.objects.update(asked_on=long_ago)
        refresh_due()
        assert len(provider.texts) == 1

    def test_asks_for_a_price_anew_if_the_status_has_changed_since(self, provider: Asked) -> None:
        sent(provider, timedelta(hours=3), status=Status.FAILED)
        refresh_due()
        long_ago = timezone.now() - timedelta(hours=2)
        TextMessage.objects.update(
            asked_on=long_ago, updated_on=long_ago + minutes(1), status=Status.DELIVERED
        )
        refresh_due()
        assert len(provider.texts) == 2

    def test_one_that_always_makes_the_provider_fail_keeps_it_from_no_other(
        self, provider: Asked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refreshing, "LOT", 1)
        poison, other = [sent(provider, minutes(age), status="unknown") for age in (9, 8)]

        def fail(asked: SentText) -> list[StatusReport]:
            if asked.ref == poison.ref:
                raise ZeroDivisionError
            return []

        provider.says = fail
        for _ in range(50):
            TextMessage.objects.update(asked_on=None)
            refresh_due()
        assert other.ref in {asked.ref for asked in provider.texts}

    @pytest.mark.parametrize(("asked", "times"), [(minutes(59), 1), (minutes(61), 2)])
    def test_asks_again_after_an_hour(self, provider: Asked, asked: timedelta, times: int) -> None:
        sent(provider, timedelta(hours=3), status=Status.UNKNOWN)
        refresh_due()
        TextMessage.objects.update(asked_on=timezone.now() - asked)
        refresh_due()
        assert len(provider.texts) == times

    def test_asks_again_at_once_where_the_provider_gave_no_answer(self, provider: Asked) -> None:
        sent(provider, timedelta(hours=3), status=Status.DELIVERED)
        provider.fails(TemporarilyUnavailable("down"))
        refresh_due()
        refresh_due()
        assert len(provider.texts) == 2

    def test_settles_an_unknown_one(self, provider: Asked) -> None:
        def breaks_off() -> SendResult:
            raise OutcomeUnknown("timed out")

        provider.takes = breaks_off
        text = sent(provider, minutes(6))
        assert text.status is Status.UNKNOWN
        provider.reports(**DELIVERED)
        refresh_due()
        text.refresh_from_db()
        assert text.status is Status.DELIVERED

    def test_passes_over_accounts_that_cannot_ask(self, provider: Asked) -> None:
        sent(provider, minutes(6), status=Status.UNKNOWN)
        with gateways.replaced(lambda alias: LocalBackend()):
            assert refresh_due() == []

    def test_asks_about_a_waiting_time_s_texts_by_the_database_s_time(
        self, provider: Asked, settings: Any
    ) -> None:
        settings.USE_TZ = False
        text = send_text("Hello", "Acme", TO, status_report=True)
        moment: datetime = timezone.now() - minutes(6)
        TextMessage.objects.filter(pk=text.pk).update(status="unknown", attempted_on=moment)
        refresh_due()
        [asked] = provider.texts
        assert timezone.is_aware(asked.attempted_on)
