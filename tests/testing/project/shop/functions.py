"""Tests in the manner of pytest."""

import pytest

from djsms.models import TextMessage
from djsms.testing import outbox
from shop.texts import welcome

pytestmark = pytest.mark.django_db

THEM = "+447700900001"


@pytest.mark.parametrize("time", [1, 2])
def test_is_emptied(time):
    welcome(THEM)
    assert len(outbox) == 1


@pytest.fixture
def prepared():
    welcome(THEM)


def test_keeps_what_fixtures_send(prepared):
    assert outbox.sent_to(THEM)


def test_settings_get_what_they_ask_for(settings):
    settings.DJSMS_BACKEND = "dummy"
    settings.DJSMS_OPTIONS = {}
    welcome(THEM)
    assert TextMessage.objects.get().backend == "dummy"
    assert not outbox


def test_stands_in_again():
    welcome(THEM)
    assert outbox


def test_the_fixture_takes_its_place(sms_outbox, settings):
    settings.DJSMS_ACCOUNTS = {"other": {"BACKEND": "no-such-backend"}}
    welcome(THEM, using="other")
    assert sms_outbox.for_account("other")
    assert not outbox
