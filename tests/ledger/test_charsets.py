"""Every text is stored, whatever character set the database was made for, or the checks say so.

The databases are made as careless projects make them, and used from a process of their own.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import servers
from django.conf import settings

NAME = f"djsms_test_{os.getpid()}_charset"

START = """if True:
    import sys
    import django
    from django.conf import settings
    from django.core.management import call_command

    alias = sys.argv[1]
    settings.DATABASES[alias]["OPTIONS"].update(eval(sys.argv[2]))
    django.setup()
    import routers
    routers.current = alias
"""

STORE = (
    START
    + """
    from django.apps import apps
    from django.db.models import CharField, DateTimeField, IntegerField, TextField
    from django.utils.timezone import now

    call_command("migrate", "djsms", database=alias, verbosity=0)
    for model in apps.get_app_config("djsms").get_models():
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        texts = {
            field.attname: "\N{PARTY POPPER}"
            for field in fields
            if isinstance(field, CharField | TextField) and not field.choices
        }
        wanted = [field for field in fields if not field.null and not field.has_default()]
        others = {field.attname: 1 for field in wanted if isinstance(field, IntegerField)}
        others |= {field.attname: now() for field in wanted if isinstance(field, DateTimeField)}
        others |= {field.attname: "sent" for field in wanted if field.name == "status"}
        row = model.objects.create(**texts, **others)
        again = model.objects.get(pk=row.pk)
        assert {name: getattr(again, name) for name in texts} == texts, model
        print(model.__name__, *sorted(texts))
"""
)

CHECK = (
    START
    + """
    call_command("check", databases=[alias])
"""
)


def run(script: str, alias: str, options: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    names = {"postgresql": "POSTGRESQL", "mariadb": "MARIADB"}
    return subprocess.run(
        [sys.executable, "-c", script, alias, repr(options)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(servers.__file__).parent),
            f"DJSMS_TEST_{names[alias]}_NAME": NAME,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def ready(alias: str) -> dict[str, Any]:
    if reason := servers.UNAVAILABLE.get(alias):
        if os.environ.get("DJSMS_TEST_REQUIRE_DATABASES"):
            pytest.fail(f"{alias} is required, but: {reason}", pytrace=False)
        pytest.skip(f"no {alias}: {reason}")
    return settings.DATABASES[alias]


@pytest.fixture
def mariadb(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database that was made for the character set of the parameter."""
    where = ready("mariadb")
    connection = pymysql.connect(
        host=where["HOST"], port=where["PORT"], user=where["USER"], password=where["PASSWORD"]
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME} CHARACTER SET {request.param}")
        try:
            yield
        finally:
            cursor.execute(f"DROP DATABASE {NAME}")


@pytest.fixture
def postgresql(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database that was made with the encoding of the parameter."""
    where = ready("postgresql")
    with psycopg.connect(
        host=where["HOST"],
        port=where["PORT"],
        user=where["USER"],
        password=where["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as connection:
        connection.execute(
            f"CREATE DATABASE {NAME} ENCODING '{request.param}' TEMPLATE template0 "
            "LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            yield
        finally:
            connection.execute(f"DROP DATABASE {NAME}")


class TestOnMariaDB:
    @pytest.mark.parametrize("mariadb", ["latin1", "utf8mb3", "utf8mb4"], indirect=True)
    def test_every_column_for_text_holds_every_character(self, mariadb: None) -> None:
        done = run(STORE, "mariadb", {})
        assert done.returncode == 0, done.stderr
        assert "TextMessage" in done.stdout

    @pytest.mark.parametrize("mariadb", ["latin1", "utf8mb4"], indirect=True)
    def test_a_connection_that_speaks_every_character_is_sound(self, mariadb: None) -> None:
        done = run(CHECK, "mariadb", {})
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("mariadb", ["utf8mb4"], indirect=True)
    @pytest.mark.parametrize(
        "options",
        [
            {"charset": "latin1"},
            {"charset": "utf8"},
            {"charset": "utf8mb4", "init_command": "SET NAMES utf8mb3"},
        ],
        ids=["latin1", "utf8", "init_command"],
    )
    def test_a_connection_that_does_not_is_an_error(
        self, mariadb: None, options: dict[str, str]
    ) -> None:
        done = run(CHECK, "mariadb", options)
        assert done.returncode != 0
        assert "(djsms.E005)" in done.stderr
        assert '"charset": "utf8mb4"' in done.stderr


class TestOnPostgreSQL:
    @pytest.mark.parametrize("postgresql", ["UTF8"], indirect=True)
    def test_every_column_for_text_holds_every_character(self, postgresql: None) -> None:
        done = run(STORE, "postgresql", {})
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize("postgresql", ["LATIN1", "SQL_ASCII"], indirect=True)
    def test_a_database_that_does_not_is_an_error_that_names_its_encoding(
        self, postgresql: None, request: pytest.FixtureRequest
    ) -> None:
        done = run(CHECK, "postgresql", {})
        assert done.returncode != 0
        encoding = request.node.callspec.params["postgresql"]
        assert f"'postgresql' speaks {encoding}" in done.stderr
        assert "ENCODING 'UTF8'" in done.stderr


def test_a_database_that_may_not_be_asked_is_not() -> None:
    from djsms.checks import check_databases

    assert check_databases(databases=None) == []
    assert check_databases(databases=["another"]) == []
