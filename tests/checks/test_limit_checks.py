"""manage.py check tells what is wrong with windows, engine, region and fallbacks."""

from typing import Any

import pytest
from django.core import checks


def problems(id: str) -> list[str]:
    return [
        message.msg
        for message in checks.run_checks(tags=["djsms"], databases=[])
        if message.id == id
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DJSMS_WINDOWS", {"day": {}}),
        ("DJSMS_WINDOWS", ["day"]),
        ("DJSMS_ENGINE", 5),
        ("DJSMS_REGION", "UK"),
        ("DJSMS_RATE", "30"),
    ],
)
def test_setting_that_is_malformed(settings: Any, name: str, value: Any) -> None:
    setattr(settings, name, value)
    assert problems("djsms.E001")


def accounts(settings: Any, **fallbacks: str) -> None:
    settings.DJSMS_ACCOUNTS = {
        alias: {"BACKEND": "memory", "FALLBACK": fallback} for alias, fallback in fallbacks.items()
    }


def test_fallback_that_is_no_account(settings: Any) -> None:
    accounts(settings, alerts="lost")
    [problem] = problems("djsms.E007")
    assert "FALLBACK names 'lost', and there is no such account" in problem


def test_fallbacks_that_go_round(settings: Any) -> None:
    accounts(settings, a="b", b="a")
    assert "Its fallbacks go round: a → b → a." in problems("djsms.E007")


def test_fallback_to_itself(settings: Any) -> None:
    accounts(settings, a="a")
    assert problems("djsms.E007") == ["Its fallbacks go round: a → a."]


def test_fallback_to_another_account_is_right(settings: Any) -> None:
    accounts(settings, alerts="default")
    assert not problems("djsms.E007")
