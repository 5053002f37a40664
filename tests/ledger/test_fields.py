"""Model fields keep what they are given, to the letter, on every database."""

import io
import json
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from djsms import Status
from djsms.ledger.fields import ExactCharField, StatusField
from djsms.models import IncomingPart, TextMessage

pytestmark = pytest.mark.django_db(databases="__all__")

ON_DATABASES = hypothesis_settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Databases have taken each of these for the first one.
ALIKE = {
    "case": "ID-1",
    "a space at the end": "id-1 ",
    "a space at the beginning": " id-1",
    "an accent": "íd-1",
    "another script's letter": "іd-1",
    "a wide letter": "ｉd-1",
    "a character without width": "id-1\u200b",
    "another dash": "id\u20101",
    "a line break at the end": "id-1\n",
    "a combining accent": "i\u0301d-1",
}


def message(**fields: Any) -> TextMessage:
    return TextMessage.objects.create(frm="Example", to="+447700900001", **fields)


def part(**fields: Any) -> IncomingPart:
    numbers = {"frm": "+447700900001", "to": "+447700900000", "number": 1, "total": 2}
    return IncomingPart.objects.create(account="default", part_ref="1", **numbers, **fields)


class TestExactText:
    @pytest.mark.parametrize("other", ALIKE.values(), ids=ALIKE)
    def test_is_found_by_nothing_that_only_looks_like_it(self, database: str, other: str) -> None:
        message(provider_id="id-1")
        assert not TextMessage.objects.filter(provider_id=other).exists()

    def test_is_found_by_itself(self, database: str) -> None:
        assert message(provider_id="id-1 ") == TextMessage.objects.get(provider_id="id-1 ")

    @pytest.mark.parametrize("other", ALIKE.values(), ids=ALIKE)
    def test_is_unique_beside_what_looks_like_it(self, database: str, other: str) -> None:
        first, second = message(key="id-1"), message(key=other)
        assert TextMessage.objects.get(key="id-1") == first
        assert TextMessage.objects.get(key=other) == second

    def test_is_not_there_twice(self, database: str) -> None:
        message(key="id-1")
        with pytest.raises(IntegrityError), transaction.atomic(using=database):
            message(key="id-1")

    def test_is_none_as_often_as_need_be(self, database: str) -> None:
        message(key=None)
        message(key=None)
        assert TextMessage.objects.filter(key=None).count() == 2

    @ON_DATABASES
    @given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=64))
    @example("\U0010ffff" * 64)
    @example(" ")
    def test_comes_back_as_it_was(self, database: str, text: str) -> None:
        row = message(provider_id=text)
        row.refresh_from_db()
        assert row.provider_id == text

    def test_has_its_collation_in_the_table_that_migrations_make(self, database: str) -> None:
        connection = connections[database]
        with connection.cursor() as cursor:
            table = TextMessage._meta.db_table
            columns = connection.introspection.get_table_description(cursor, table)
        collation = next(column.collation for column in columns if column.name == "provider_id")
        assert collation == {"default": None, "postgresql": None}.get(database, "utf8mb4_nopad_bin")


class MySQL(DatabaseWrapper):
    """What a field asks of a connection to MySQL, for want of such a server."""

    vendor = "mysql"
    mysql_is_mariadb = False


@pytest.mark.parametrize(
    ("version", "collation"),
    [
        ((8, 0, 16), "utf8mb4_bin"),
        ((8, 0, 17), "utf8mb4_0900_bin"),
        ((8, 4, 0), "utf8mb4_0900_bin"),
    ],
    ids=["8.0.16", "8.0.17", "8.4.0"],
)
def test_exact_text_on_mysql_has_the_most_exact_collation_of_its_version(
    version: tuple[int, ...], collation: str
) -> None:
    server = MySQL(connections["default"].settings_dict)
    server.mysql_version = version
    assert ExactCharField(max_length=64).db_parameters(server)["collation"] == collation


class TestStatus:
    @pytest.mark.parametrize("status", Status)
    def test_comes_back_as_it_was(self, database: str, status: Status) -> None:
        row = message(status=status)
        row.refresh_from_db()
        assert row.status is status

    def test_is_found_by_itself_and_by_its_word(self, database: str) -> None:
        row = message(status=Status.SENT)
        assert TextMessage.objects.get(status=Status.SENT) == row
        assert TextMessage.objects.get(status="sent") == row

    def test_is_found_among_several(self, database: str) -> None:
        row = message(status=Status.SENT)
        found = TextMessage.objects.filter(status__in=[Status.SENT, "delivered"])
        assert list(found) == [row]

    def test_comes_out_of_values_too(self, database: str) -> None:
        message(status=Status.SENT)
        (value,) = TextMessage.objects.values_list("status", flat=True)
        assert value is Status.SENT

    def test_can_be_changed_in_place(self, database: str) -> None:
        row = message()
        TextMessage.objects.update(status=Status.SENT)
        row.refresh_from_db()
        assert row.status is Status.SENT

    def test_can_be_dumped_and_loaded(self, database: str) -> None:
        assert reloaded(message(status=Status.SENT)).status is Status.SENT

    def test_is_given_to_the_driver_as_plain_text(self) -> None:
        assert type(StatusField().get_prep_value(Status.SENT)) is str

    @pytest.mark.parametrize("value", ["sent", Status.SENT], ids=["text", "member"])
    def test_is_read_from_a_word(self, value: str) -> None:
        assert StatusField().to_python(value) is Status.SENT

    @pytest.mark.parametrize("value", ["SENT", "", "on its way", None, 5, []])
    def test_of_no_known_word_stays_what_it_is(self, value: Any) -> None:
        assert StatusField().to_python(value) == value

    def test_of_no_known_word_is_not_valid(self) -> None:
        row = TextMessage(frm="Example", to="+447700900001", text="Hi", status="on its way")
        with pytest.raises(ValidationError, match="on its way"):
            row.clean_fields()

    @pytest.mark.parametrize("status", Status)
    def test_is_valid_and_fits_its_column(self, status: Status) -> None:
        TextMessage(frm="Example", to="+447700900001", text="Hi", status=status).clean_fields()


def reloaded(row: TextMessage | IncomingPart) -> Any:
    """The row as it comes from a fixture that was dumped."""
    dumped = io.StringIO()
    serializers.serialize("json", [row], stream=dumped)
    assert json.loads(dumped.getvalue())
    row.delete()
    (loaded,) = serializers.deserialize("json", dumped.getvalue())
    loaded.save()
    return type(row)._default_manager.get()
