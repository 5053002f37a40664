"""What the messages of an hour come to: how many, how they ended, how fast and for how much."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from djsms import Status
from djsms.ledger import clock, storable
from djsms.models import StatusEvent, TextMessage
from djsms.rollups.counting import CODES, count_hour
from djsms.rollups.figures import Failure, Figures

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]

HOUR = datetime(2026, 11, 20, 17, tzinfo=UTC)
INSIDE = HOUR + timedelta(minutes=20)


def made(moment: datetime = INSIDE, **fields: Any) -> TextMessage:
    values = {"frm": "Acme", "to": "+447700900123", "attempted_on": clock.stored(moment)} | fields
    return TextMessage.objects.create(created_on=clock.stored(moment), **values)


def reported(
    message: TextMessage, seconds: float, provider_id: str = "A", price: str = "1"
) -> None:
    assert message.attempted_on is not None
    StatusEvent.objects.create(
        message=message,
        source="report",
        account=message.account,
        status=Status.DELIVERED,
        provider_id=provider_id,
        price=Decimal(price),
        created_on=message.attempted_on + timedelta(seconds=seconds),
        fingerprint=storable.fingerprint(message.ref, provider_id, price),
    )


def counted() -> Figures:
    return count_hour(HOUR).get("default", Figures())


def test_how_many_stand_so() -> None:
    for status in (Status.DELIVERED, Status.DELIVERED, Status.SENT, Status.FAILED, Status.UNKNOWN):
        made(status=status)
    made(direction="incoming", status=Status.RECEIVED, attempted_on=None)
    figures = counted()
    assert (figures.delivered, figures.under_way, figures.failed, figures.unknown) == (2, 1, 1, 1)
    assert (figures.called, figures.received) == (5, 1)
    assert figures.share == pytest.approx(2 / 3)


def test_those_that_were_not_called_for_were_not_sent() -> None:
    made(status=Status.CREATED, attempted_on=None)
    made(status=Status.EXPIRED, attempted_on=None)
    figures = counted()
    assert (figures.called, figures.segments, figures.waiting, figures.failed) == (0, 0, 1, 1)


def test_those_called_for_are_the_sum_of_what_became_of_them() -> None:
    for status in (Status.DELIVERED, Status.SENT, Status.REFUSED, Status.FAILED, Status.UNKNOWN):
        made(status=status)
    for status in (Status.REFUSED, Status.EXPIRED, Status.CANCELLED, Status.CREATED):
        made(status=status, attempted_on=None)
    figures = counted()
    assert (figures.called, figures.failed, figures.never_called) == (5, 4, 2)
    known = figures.delivered + figures.under_way + figures.unknown
    assert figures.called == known + figures.failed - figures.never_called
    assert figures.share == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        (HOUR - timedelta(microseconds=1), 0),
        (HOUR, 1),
        (HOUR + timedelta(minutes=59, seconds=59.999), 1),
        (HOUR + timedelta(hours=1), 0),
    ],
)
def test_each_counts_in_the_hour_in_which_it_was_made(moment: datetime, count: int) -> None:
    made(moment, status=Status.SENT)
    assert counted().called == count


def test_each_account_by_itself() -> None:
    made(status=Status.SENT)
    made(status=Status.SENT, account="alerts")
    assert {name: figures.called for name, figures in count_hour(HOUR).items()} == {
        "default": 1,
        "alerts": 1,
    }


def test_what_was_spent_in_each_currency() -> None:
    for price, currency in (("0.0333", "EUR"), ("0.0666", "EUR"), ("0.0075", "USD")):
        made(status=Status.SENT, price=Decimal(price), currency=currency)
    made(status=Status.SENT)
    assert counted().spend == {"EUR": Decimal("0.0999"), "USD": Decimal("0.0075")}


def test_segments_are_those_that_were_sent() -> None:
    made(status=Status.SENT, segments=3)
    made(status=Status.CREATED, attempted_on=None, segments=2)
    assert counted().segments == 3


class TestFailures:
    def test_by_code_with_the_provider_s_words(self) -> None:
        for _ in range(2):
            made(status=Status.FAILED, error_code="6", error_text="Absent subscriber")
        made(status=Status.REJECTED, error_code="7")
        assert counted().failures == {
            Failure("failed", "6", "Absent subscriber"): 2,
            Failure("rejected", "7", ""): 1,
        }

    def test_by_our_kind_where_there_is_no_code(self) -> None:
        made(status=Status.REFUSED, error_kind="RecipientBlocked", error_text="opted out")
        assert counted().failures == {Failure("refused", "RecipientBlocked", "opted out"): 1}

    @pytest.mark.parametrize(
        "number",
        [
            *("+44 7700 900123", "07700-900123", "(07700) 900123", "+33639980001"),
            *("06.39.98.00.01", "06/39/98", "06\xa039\xa098\xa000\xa001", "0639\u2013980001"),
        ],
    )
    def test_without_the_numbers_that_are_in_the_words(self, number: str) -> None:
        made(status=Status.FAILED, error_code="9", error_text=f"No route to {number} now")
        [failure] = counted().failures
        assert failure.words == "No route to … now"

    def test_a_page_of_words_takes_no_longer_than_a_line(self) -> None:
        # Its length squared would be minutes, for which no test is let run.
        made(status=Status.FAILED, error_code="9", error_text="(" * 300_000)
        [failure] = counted().failures
        assert failure.words == "(" * 200

    def test_codes_without_end_become_one_line(self) -> None:
        for number in range(CODES + 5):
            made(status=Status.FAILED, error_code=f"c{number}")
        failures = counted().failures
        assert len(failures) == CODES + 1
        assert failures[Failure("failed", "…", "")] == 5


class TestDelays:
    def test_run_from_the_call_to_the_report(self) -> None:
        for seconds in (2, 10, 60):
            reported(made(status=Status.DELIVERED), seconds)
        delay = counted().median_delay
        assert delay is not None
        assert delay.total_seconds() == pytest.approx(10, rel=0.05)

    def test_a_part_that_is_told_of_again_counts_once(self) -> None:
        message = made(status=Status.DELIVERED)
        reported(message, 2, price="1")
        reported(message, 4000, price="2")
        assert list(counted().delays.values()) == [1]

    def test_a_report_before_the_call_took_no_time(self) -> None:
        reported(made(status=Status.DELIVERED), -3)
        assert counted().delays == {0: 1}


def test_stored_and_read_it_is_the_same() -> None:
    made(status=Status.FAILED, error_code="6", error_text="Absent", price=1, currency="EUR")
    reported(made(status=Status.DELIVERED, price=Decimal("0.1"), currency="EUR"), 5)
    figures = counted()
    read = Figures()
    read.add_stored(figures.as_json())
    assert read == figures


def test_sums_can_be_added() -> None:
    made(status=Status.DELIVERED, price=Decimal("0.1"), currency="EUR")
    total = Figures()
    for _ in range(2):
        total.add(counted())
    assert (total.called, total.delivered, total.spend) == (2, 2, {"EUR": Decimal("0.2")})
