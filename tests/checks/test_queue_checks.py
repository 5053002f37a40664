"""manage.py check --database tells what is wrong with the queue, and with what it relies on."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections
from django.utils import timezone
from scripted import Provider

from djsms import enqueue_text, queue
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def found(id: str, alias: str = "default", *, deploy: bool = False) -> list[CheckMessage]:
    messages = checks.run_checks(
        tags=["djsms"], databases=[alias], include_deployment_checks=deploy
    )
    return [message for message in messages if message.id == id]


def due(**ago: float) -> None:
    enqueue_text("Hello", "Acme", "+447700900123")
    TextMessage.objects.update(due_on=timezone.now() - timedelta(**ago))


class TestWhatWaits:
    def test_texts_that_nobody_sends(self, provider: Provider) -> None:
        due(minutes=6)
        [warning] = found("djsms.W016")
        assert warning.msg.startswith("Texts are due, and nobody sends them: 1.")
        assert warning.obj == "account 'default'"

    def test_texts_that_became_due_just_now(self, provider: Provider) -> None:
        due(minutes=4)
        assert not found("djsms.W016")

    def test_texts_that_are_held_on_purpose(self, provider: Provider) -> None:
        due(minutes=6)
        queue.pause("default")
        assert not found("djsms.W016")

    def test_the_database_is_not_asked_unless_it_may_be(self, provider: Provider) -> None:
        due(minutes=6)
        assert not [
            m for m in checks.run_checks(tags=["djsms"], databases=[]) if m.id == "djsms.W016"
        ]

    def test_texts_of_an_account_that_the_settings_lost(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.DJSMS_ACCOUNTS = {"former": {"BACKEND": "memory"}}
        enqueue_text("Hello", "Acme", "+447700900123", using="former")
        assert not found("djsms.W015")
        settings.DJSMS_ACCOUNTS = {}
        [warning] = found("djsms.W015")
        assert warning.hint is not None
        assert "djsms cancel --account former" in warning.hint

    def test_a_database_without_our_tables(self, provider: Provider) -> None:
        due(minutes=6)
        with connections["default"].schema_editor() as editor:
            editor.alter_db_table(TextMessage, "djsms_textmessage", "elsewhere")
        try:
            assert not found("djsms.W016")
        finally:
            with connections["default"].schema_editor() as editor:
                editor.alter_db_table(TextMessage, "elsewhere", "djsms_textmessage")


class TestWhatItReliesOn:
    @pytest.mark.parametrize(
        ("database", "wrong", "right", "name"),
        [
            ("sqlite", "PRAGMA synchronous = OFF", "PRAGMA synchronous = FULL", "synchronous"),
            (
                "postgresql",
                "SET synchronous_commit TO off",
                "SET synchronous_commit TO on",
                "synchronous_commit",
            ),
        ],
        indirect=["database"],
    )
    def test_commits_that_may_be_lost(
        self, database: str, wrong: str, right: str, name: str
    ) -> None:
        def told() -> list[str]:
            # The server of a test may be set to forget in other ways as well.
            return [w.msg for w in found("djsms.W017", database, deploy=True) if name in w.msg]

        with connections[database].cursor() as cursor:
            try:
                cursor.execute(wrong)
                [warning] = told()
                assert "be sent twice" in warning
            finally:
                cursor.execute(right)
            assert not told()

    @pytest.mark.parametrize(
        ("database", "statement"),
        [
            (
                "postgresql",
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {}",
            ),
            ("mariadb", "SET SESSION TRANSACTION ISOLATION LEVEL {}"),
        ],
        indirect=["database"],
    )
    def test_transactions_that_are_stricter_than_need_be(
        self, database: str, statement: str
    ) -> None:
        with connections[database].cursor() as cursor:
            cursor.execute(statement.format("REPEATABLE READ"))
            try:
                [warning] = found("djsms.W018", database, deploy=True)
            finally:
                cursor.execute(statement.format("READ COMMITTED"))
        assert "REPEATABLE READ" in warning.msg

    def test_only_a_deployment_is_told(self) -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
            try:
                assert not found("djsms.W017")
            finally:
                cursor.execute("PRAGMA synchronous = FULL")
