"""``djsms tidy`` puts in order what only time can tell, and counts it."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from djsms.models import TextMessage

pytestmark = pytest.mark.django_db


def tidy(*arguments: str) -> str:
    out = io.StringIO()
    call_command("djsms", "tidy", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_how_much_there_was_to_do() -> None:
    long_ago = timezone.now() - timedelta(days=1)
    TextMessage.objects.create(frm="Acme", to="+447700900123", attempted_on=long_ago)
    assert [line.split()[0] for line in tidy().splitlines()] == ["1", *"000000", "1"]
    assert [line.split()[0] for line in tidy().splitlines()] == [*"00000000"]


def test_it_can_be_quiet_as_cron_wants_it() -> None:
    assert tidy("-v0") == ""


def test_a_malformed_setting_is_named(settings: Any) -> None:
    settings.DJSMS_PARTS_TIMEOUT = 30
    with pytest.raises(CommandError, match="DJSMS_PARTS_TIMEOUT must be a timedelta"):
        tidy()
