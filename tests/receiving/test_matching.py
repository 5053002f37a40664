"""Which message a report is about: the same whether it comes alone or among many."""

from __future__ import annotations

from typing import Any

import pytest

from djsms.models import StatusEvent, TextMessage
from djsms.receiving import matching
from djsms.receiving.matching import match, message_of

pytestmark = [
    pytest.mark.django_db(databases="__all__"),
    pytest.mark.usefixtures("database"),
]


def message(**fields: Any) -> TextMessage:
    values = {"frm": "Bistro", "to": "+447700900123", "text": "Hi", "status": "sending"}
    return TextMessage.objects.create(**values | fields)


def report(**fields: Any) -> StatusEvent:
    return StatusEvent(source="report", account="default", **fields)


def found(*events: StatusEvent) -> list[TextMessage | None]:
    match(events)
    return [event.message for event in events]


def test_our_reference_finds_it() -> None:
    one, two = message(), message()
    assert found(report(ref=two.ref), report(ref=one.ref)) == [two, one]


def test_the_providers_id_finds_it_where_there_is_no_reference_of_ours() -> None:
    one, two = message(provider_id="a"), message(provider_id="b")
    events = report(provider_id="b"), report(provider_id="a", ref="theirs")
    assert found(*events) == [two, one]


def test_our_reference_counts_for_more_than_the_id() -> None:
    one, two = message(provider_id="a"), message(provider_id="b")
    assert found(report(ref=one.ref, provider_id="b"), report(provider_id="b")) == [one, two]


def test_the_id_of_a_part_finds_the_whole() -> None:
    whole = message()
    whole.events.create(source="answer", account="default", provider_id="second", fingerprint="1")
    assert found(report(provider_id="second"), report(provider_id="third")) == [whole, None]


def test_of_several_with_one_id_it_is_the_last() -> None:
    message(provider_id="a")
    last = message(provider_id="a")
    assert found(report(provider_id="a"), report(provider_id="b")) == [last, None]


def test_however_many_have_one_id_few_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MAX_NAMESAKES", 2)
    *_, last = [message(provider_id="0") for _ in range(9)]
    assert found(report(provider_id="0"), report(provider_id="1")) == [last, None]


@pytest.mark.parametrize(
    "fields", [{"account": "other"}, {"direction": "incoming", "status": "received"}]
)
@pytest.mark.parametrize("by", ["ref", "provider_id"])
def test_a_message_of_another_account_or_direction_is_not_meant(
    by: str, fields: dict[str, str]
) -> None:
    other = message(provider_id="a", **fields)
    key = {by: getattr(other, by)}
    assert found(report(**key), report(**key, error_code="1")) == [None, None]


def test_letters_of_another_case_are_another_reference_and_another_id() -> None:
    one = message(provider_id="abc")
    events = report(ref=one.ref.upper()), report(provider_id="ABC")
    assert found(*events) == [None, None]


def test_alone_or_among_many_it_is_the_same_one() -> None:
    for number in range(3):
        message(provider_id=f"id-{number}")
        message(provider_id="same")
    keys = [{"ref": one.ref, "provider_id": one.provider_id} for one in TextMessage.objects.all()]
    keys += [{"provider_id": key["provider_id"]} for key in keys] + [{"provider_id": "none"}]
    alone = [message_of(report(**key)) for key in keys]
    assert found(*(report(**key) for key in keys)) == alone
    assert alone.count(None) == 1


def test_many_are_found_by_one_question_for_all(
    database: str, django_assert_num_queries: Any
) -> None:
    messages = [message() for _ in range(5)]
    with django_assert_num_queries(1, using=database):
        assert found(*(report(ref=one.ref) for one in messages)) == messages
