"""What providers and callers say is made fit to be stored, and what was different stays so."""

import decimal
import json
import string
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from djsms import Status
from djsms.ledger.storable import (
    as_given,
    clean_text,
    escaped_unless_clean,
    fingerprint,
    fit,
    json_values,
    moment,
    money,
)
from djsms.models import CODE_LENGTH, CURRENCY_LENGTH, ID_LENGTH, StatusEvent, TextMessage

# also what Unicode knows, but no encoding has: halves of surrogate pairs
TEXTS = st.text(st.characters(codec=None) | st.sampled_from("\0\ud83d\ude00\\ 0:"))
WELL_FORMED = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
LENGTHS = st.sampled_from([CURRENCY_LENGTH, 32, CODE_LENGTH, ID_LENGTH])
AMOUNTS = st.decimals() | st.decimals(min_value=-100, max_value=100, places=12)
ZONES = st.timezones() | st.sampled_from(
    [UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=23, minutes=59))]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    # beyond, PostgreSQL makes whole numbers of them
    | st.floats(-(2.0**52), 2.0**52)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


class TestCleanText:
    def test_leaves_well_formed_text_alone(self) -> None:
        text = "".join(map(chr, [*range(1, 0x2000), 0xFFFD, 0xFFFF, 0x1F600, 0x10FFFF]))
        assert clean_text(text) == text

    def test_takes_nul_out(self) -> None:
        assert clean_text("a\0b\0") == "ab"

    def test_joins_the_halves_of_a_surrogate_pair(self) -> None:
        assert clean_text("\ud83d\ude00") == "😀"

    def test_joins_halves_that_nul_kept_apart(self) -> None:
        assert clean_text("\ud83d\0\ude00") == "😀"

    @pytest.mark.parametrize("half", [0xD83D, 0xDE00])
    def test_marks_a_half_without_the_other(self, half: int) -> None:
        assert clean_text(f"a{chr(half)}b") == "a\ufffdb"

    @given(TEXTS)
    def test_result_is_what_every_database_takes(self, text: str) -> None:
        clean = clean_text(text)
        assert "\0" not in clean
        assert clean.encode("utf-8").decode("utf-8") == clean

    @given(TEXTS)
    def test_done_twice_is_done_once(self, text: str) -> None:
        assert clean_text(clean_text(text)) == clean_text(text)

    @given(TEXTS)
    def test_loses_no_character_but_nul_and_halves(self, text: str) -> None:
        kept = [char for char in text if char != "\0" and not "\ud800" <= char <= "\udfff"]
        clean = iter(clean_text(text))
        assert all(char in clean for char in kept)


class TestEscapedText:
    @given(TEXTS)
    @example("\ude00a\ud83d")
    @example('"\\ud83d"')
    def test_keeps_what_cleaning_would_lose(self, text: str) -> None:
        escaped = escaped_unless_clean(text)
        assert escaped.isascii()
        kept = json.loads(escaped) if escaped else clean_text(text)
        assert kept == text.replace("\0", "")

    @given(WELL_FORMED)
    def test_is_empty_where_it_would_lose_nothing(self, text: str) -> None:
        assert escaped_unless_clean(text) == ""


class TestFit:
    @given(WELL_FORMED, LENGTHS)
    def test_leaves_alone_what_fits(self, text: str, length: int) -> None:
        assert fit(text[:length], length) == text[:length]

    @given(TEXTS, st.integers(0, 300), LENGTHS)
    def test_result_fits(self, text: str, times: int, length: int) -> None:
        assert len(fit(text * times, length)) <= length

    @given(TEXTS, st.integers(0, 300), LENGTHS)
    def test_done_twice_is_done_once(self, text: str, times: int, length: int) -> None:
        once = fit(text * times, length)
        assert fit(once, length) == once

    @pytest.mark.parametrize("length", [32, CODE_LENGTH, ID_LENGTH])
    def test_keeps_apart_what_begins_alike(self, length: int) -> None:
        fits = {fit("x" * 500 + str(number), length) for number in range(500)}
        assert len(fits) == 500

    def test_keeps_apart_what_ends_alike(self) -> None:
        fits = {fit(str(number) + "x" * 500, CODE_LENGTH) for number in range(500)}
        assert len(fits) == 500

    def test_keeps_as_much_of_the_beginning_as_can_be(self) -> None:
        beginning = string.ascii_letters
        assert fit(beginning + "x" * 500, 60).startswith(beginning[:27] + "~")

    def test_of_one_more_than_fits_is_cut(self) -> None:
        assert fit("x" * 65, 64) != "x" * 64
        assert len(fit("x" * 65, 64)) == 64

    def test_counts_characters_as_databases_do(self) -> None:
        assert fit("😀" * 64, 64) == "😀" * 64


class TestFingerprint:
    def test_is_the_same_in_every_release(self) -> None:
        # or a report that is repeated after an upgrade would count again
        assert fingerprint("report", "default", "é") == (
            "125136335234f3e3508e80ac4c6480f501fe1b6561d7a60ebe2fef71d978fd1a"
        )

    @given(st.lists(TEXTS))
    def test_is_64_plain_characters(self, values: list[str]) -> None:
        assert len(fingerprint(*values)) == 64
        assert set(fingerprint(*values)) <= set(string.hexdigits.lower())

    @given(st.lists(TEXTS), st.lists(TEXTS))
    @example(["a", ""], ["a"])
    @example(["a", "b"], ["ab"])
    @example(["a\0", "b"], ["a", "\0b"])
    @example(["a\0b"], ["a\\0b"])
    @example(["a:1:b"], ["a", "b"])
    @example(["1:a1:b"], ["a", "b"])
    @example(["\ud83d\ude00"], ["😀"])
    @example(["a "], ["a"])
    @example(["A"], ["a"])
    def test_is_the_same_for_the_same_values_only(self, one: list[str], other: list[str]) -> None:
        assert (fingerprint(*one) == fingerprint(*other)) is (one == other)

    def test_takes_values_by_their_words(self) -> None:
        assert fingerprint(StatusEvent.Source.ANSWER, Status.SENT, 1) == fingerprint(
            "answer", "sent", "1"
        )


class TestMoney:
    @pytest.mark.parametrize(
        ("given_amount", "kept"),
        [
            ("0.033", "0.03300000"),
            ("-0.5", "-0.50000000"),
            ("0.000000014", "1E-8"),
            ("0.000000015", "2E-8"),
            ("1E-30", "0E-8"),
            ("9999999.99999999", "9999999.99999999"),
            ("1E+6", "1000000.00000000"),
        ],
    )
    def test_has_eight_decimals(self, given_amount: str, kept: str) -> None:
        assert str(money(Decimal(given_amount))) == kept

    @pytest.mark.parametrize(
        "amount",
        ["NaN", "sNaN", "Infinity", "-Infinity", "1E+7", "-1E+7", "1E+999999", "9999999.999999999"],
    )
    def test_no_sane_price_is_none(self, amount: str) -> None:
        assert money(Decimal(amount)) is None

    def test_none_stays_none(self) -> None:
        assert money(None) is None

    @given(AMOUNTS)
    def test_done_twice_is_done_once(self, amount: Decimal) -> None:
        assert money(money(amount)) == money(amount)

    @given(st.decimals(min_value=-9_999_999, max_value=9_999_999, places=8))
    def test_what_has_eight_decimals_stays_the_same(self, amount: Decimal) -> None:
        assert money(amount) == amount

    def test_does_not_depend_on_the_projects_precision(self) -> None:
        with decimal.localcontext(prec=4, traps=[decimal.Inexact, decimal.Rounded]):
            assert money(Decimal("1234567.123456789")) == Decimal("1234567.12345679")


class Vague(tzinfo):
    """A zone that does not know its own offset."""

    def utcoffset(self, time: datetime | None) -> None:
        return None


class TestMoment:
    def test_is_in_utc(self) -> None:
        time = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
        assert moment(time) == datetime(2026, 7, 1, 10, tzinfo=UTC)
        assert str(moment(time)) == "2026-07-01 10:00:00+00:00"

    @pytest.mark.parametrize(
        "time",
        [
            None,
            datetime(2026, 7, 1),  # noqa: DTZ001
            datetime(2026, 7, 1, tzinfo=Vague()),
            datetime(1969, 12, 31, tzinfo=UTC),
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
        ],
        ids=["none", "naive", "of no known offset", "before all phones", "first", "last"],
    )
    def test_that_nobody_can_mean_is_none(self, time: datetime | None) -> None:
        assert moment(time) is None

    @given(st.datetimes(timezones=ZONES))
    def test_never_fails(self, time: datetime) -> None:
        kept = moment(time)
        assert kept is None or kept.timestamp() == time.timestamp()

    @given(st.datetimes(datetime(1971, 1, 1), datetime(8999, 1, 1), timezones=ZONES))  # noqa: DTZ001
    def test_done_twice_is_done_once(self, time: datetime) -> None:
        assert moment(moment(time)) == moment(time)

    def test_is_naive_in_the_projects_zone_where_the_project_wants_naive_times(
        self, settings: Settings
    ) -> None:
        # as all other times of such a project
        settings.USE_TZ = False
        settings.TIME_ZONE = "Asia/Tokyo"
        assert str(moment(datetime(2026, 7, 1, 10, tzinfo=UTC))) == "2026-07-01 19:00:00"


class TestJsonValues:
    @given(JSON)
    def test_leaves_clean_json_alone(self, value: Any) -> None:
        clean = json_values(value)
        assert json_values(clean) == clean

    @given(JSON)
    def test_result_is_json(self, value: Any) -> None:
        clean = json_values(value)
        assert json.loads(json.dumps(clean, allow_nan=False)) == clean

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            (None, None),
            (True, True),
            (5, 5),
            (2**64, 2**64),
            (0.5, 0.5),
            ("a\0b", "ab"),
            ({"a\0": ["\ud83d"]}, {"a": ["\ufffd"]}),
            ({1: 2, None: 3}, {"1": 2, "None": 3}),
            ((1, 2), [1, 2]),
            ({1}, [1]),
            (b"\x00\xff", "00ff"),
            (float("inf"), "inf"),
            (float("nan"), "nan"),
            (Decimal("0.10"), "0.10"),
            (Status.SENT, "sent"),
            (HTTPStatus.OK, 200),
            (datetime(2026, 7, 1, tzinfo=UTC), "2026-07-01 00:00:00+00:00"),
        ],
        ids=repr,
    )
    def test_keeps_what_it_can(self, value: Any, kept: Any) -> None:
        assert json_values(value) == kept

    def test_of_a_number_too_large_to_be_written_names_its_type(self) -> None:
        assert json_values({"id": 10**5000}) == {"id": "(int)"}

    def test_of_a_large_number_keeps_its_digits(self) -> None:
        assert json_values(10**1000) == "1" + "0" * 1000

    def test_of_what_cannot_be_shown_names_its_type(self) -> None:
        class Mute:
            def __str__(self) -> str:
                raise RuntimeError

        assert json_values({"a": Mute(), "b": 1}) == {"a": "(Mute)", "b": 1}

    def test_ends_where_a_value_holds_itself(self) -> None:
        value: list[Any] = []
        value.append(value)
        assert "…" in json.dumps(json_values(value), ensure_ascii=False)


# Each example is a row of its own, and none disturbs another.
ON_DATABASES = hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.django_db(databases="__all__")
class TestOnDatabases:
    """What was made storable comes back from each database as it was stored."""

    def stored(self, **fields: Any) -> TextMessage:
        row = TextMessage.objects.create(frm="Example", to="+447700900001", **fields)
        return TextMessage.objects.get(pk=row.pk)

    @ON_DATABASES
    @given(TEXTS)
    @example("".join(map(chr, range(0x500))))
    @example("\ud83d\ude00 \ude00\ud83d \uffff \U0010ffff")
    def test_texts(self, database: str, text: str) -> None:
        assert self.stored(text=clean_text(text)).text == clean_text(text)

    @ON_DATABASES
    @given(TEXTS, st.integers(0, 200))
    @example("😀", 200)
    @example("😀", 201)
    def test_ids(self, database: str, text: str, times: int) -> None:
        provider_id = fit(text * times, ID_LENGTH)
        row = self.stored(provider_id=provider_id)
        assert row.provider_id == provider_id
        assert TextMessage.objects.filter(pk=row.pk, provider_id=provider_id).exists()

    @ON_DATABASES
    @given(st.dictionaries(TEXTS, JSON, max_size=4))
    @example({"a\0\ud83d": 1.5, "b": 2**63, "c": -0.1, "d": 10**600, "e": 10**700, "f": 2.0**52})
    def test_json(self, database: str, value: dict[str, Any]) -> None:
        assert self.stored(extra=json_values(value)).extra == json_values(value)

    @ON_DATABASES
    @given(AMOUNTS)
    @example(Decimal("9999999.99999999"))
    @example(Decimal("-9999999.99999999"))
    @example(Decimal("0.00000001"))
    def test_prices(self, database: str, amount: Decimal) -> None:
        assert self.stored(price=money(amount)).price == money(amount)

    @ON_DATABASES
    @given(st.datetimes(timezones=ZONES))
    @example(datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=14))))
    @example(datetime(9000, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(-timedelta(hours=23))))
    def test_times(self, database: str, time: datetime) -> None:
        assert self.stored(received_on=moment(time)).received_on == moment(time)


def test_nothing_said_is_kept_as_an_empty_object() -> None:
    assert as_given(None) == {}
