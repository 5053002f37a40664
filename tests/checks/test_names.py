"""manage.py check knows our settings by name, and tells of one that is nearly called so."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import checks

from djsms import conf

ROOT = Path(__file__).parents[2]


def told() -> list[str]:
    found = checks.run_checks(tags=["djsms"], databases=[])
    return [f"{message.msg} {message.hint}" for message in found if message.id == "djsms.W019"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("DJSMS_KEEP_TEXT", "DJSMS_KEEP_TEXTS"),
        ("DJSMS_ACOUNTS", "DJSMS_ACCOUNTS"),
        ("DJSMS_BACKENDS", "DJSMS_BACKEND"),
        ("DJSMS_BASEURL", "DJSMS_BASE_URL"),
        ("DJSMS_EXTENSION", "DJSMS_EXTENSIONS"),
        ("DJSMS_RATES", "DJSMS_RATE"),
    ],
)
def test_one_that_is_misspelt_is_told_with_the_one_that_was_meant(
    settings: Any, wrong: str, right: str
) -> None:
    setattr(settings, wrong, "anything")
    [words] = told()
    assert f"There is no setting {wrong}," in words
    assert f"Did you mean {right}?" in words


@pytest.mark.parametrize("name", sorted(conf.NAMES))
def test_ours_are_not_told(settings: Any, name: str) -> None:
    setattr(settings, name, None)
    assert told() == []


@pytest.mark.parametrize("name", ["DJSMS_PHONE", "DJSMS_STAGING_NUMBERS", "DJSMS_TIMEOUT"])
def test_those_of_plugins_and_of_the_project_are_not_told(settings: Any, name: str) -> None:
    setattr(settings, name, True)
    assert told() == []


def test_all_that_the_page_on_settings_has_are_known() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    own = set(re.findall(r"\bDJSMS_[A-Z_]+\b", page)) - {"DJSMS_PHONE"}
    assert own <= conf.NAMES


def test_all_that_the_code_reads_are_known() -> None:
    code = Path(conf.__file__).read_text()
    read = set(re.findall(r'(?:settings, |_mapping\()"(DJSMS_[A-Z_]+)"', code))
    assert read
    assert read <= conf.NAMES
