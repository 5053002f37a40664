"""The database servers that the suite uses when they are there.

Each is looked for at its usual port on 127.0.0.1. Environment variables point elsewhere:
DJSMS_TEST_POSTGRESQL_HOST, _PORT, _USER, _PASSWORD, _NAME, and the same with MARIADB.
The user must be allowed to create databases.
"""

import os
from typing import Any

import psycopg
import pymysql

# database alias -> why it cannot be used in this run
UNAVAILABLE: dict[str, str] = {}


def databases(run: str) -> dict[str, dict[str, Any]]:
    """The entries for Django's DATABASES; ``run`` names the databases that the tests create."""
    found = {}
    for alias, describe in {"postgresql": postgresql, "mariadb": mariadb}.items():
        try:
            found[alias] = {**describe(), "TEST": {"NAME": run, **TEST_OPTIONS[alias]}}
        except (psycopg.Error, pymysql.Error) as error:
            # PyMySQL puts a number before its words
            UNAVAILABLE[alias] = " ".join(str(error.args[-1]).split())
    return found


TEST_OPTIONS: dict[str, dict[str, str]] = {
    "postgresql": {},
    # the whole of Unicode, whatever the server's own default is
    "mariadb": {"CHARSET": "utf8mb4"},
}


def postgresql() -> dict[str, Any]:
    """Settings of the PostgreSQL server; logs in once to see that it is there."""
    where = address("POSTGRESQL", port=5432, user="postgres", name="postgres")
    psycopg.connect(
        host=where["HOST"],
        port=where["PORT"],
        user=where["USER"],
        password=where["PASSWORD"],
        dbname=where["NAME"],
        connect_timeout=2,
    ).close()
    # the test databases need not survive a power cut, and commits are many
    options = {"options": "-c synchronous_commit=off"}
    return {"ENGINE": "django.db.backends.postgresql", **where, "OPTIONS": options}


def mariadb() -> dict[str, Any]:
    """Settings of the MariaDB server; logs in once to see that it is there."""
    where = address("MARIADB", port=3306, user="root", name="")
    pymysql.connect(
        host=where["HOST"],
        port=where["PORT"],
        user=where["USER"],
        password=where["PASSWORD"],
        connect_timeout=2,
    ).close()
    # PyMySQL in the place of mysqlclient, which would need a compiler; Django asks for the version
    pymysql.version_info = (2, 2, 7, "final", 0)
    pymysql.install_as_MySQLdb()
    return {"ENGINE": "django.db.backends.mysql", **where, "OPTIONS": {"charset": "utf8mb4"}}


def address(server: str, *, port: int, user: str, name: str) -> dict[str, Any]:
    """Where the server is and who we are there, in Django's words."""
    variable = f"DJSMS_TEST_{server}_"
    return {
        "HOST": os.environ.get(f"{variable}HOST", "127.0.0.1"),
        "PORT": int(os.environ.get(f"{variable}PORT", port)),
        "USER": os.environ.get(f"{variable}USER", user),
        "PASSWORD": os.environ.get(f"{variable}PASSWORD", ""),
        "NAME": os.environ.get(f"{variable}NAME", name),
    }
