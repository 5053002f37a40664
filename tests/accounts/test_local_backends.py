"""A project's own backend needs no distribution: a name and a dotted path in the settings."""

from __future__ import annotations

import io
import json
from typing import Any

import distributions
import pytest
from django.core.management import call_command

from djsms import SendResult, hookimpl, send_text
from djsms.accounts import gateways, plugins
from djsms.checks import check_accounts, check_settings
from djsms.exceptions import BackendBroken, BackendConflict, BackendNotFound


class OurBackend:
    @hookimpl
    def send(self, message: Any) -> SendResult:
        return SendResult.accepted("ours-1")


HERE = f"{__name__}.OurBackend"


@pytest.fixture(autouse=True)
def ours(settings: Any) -> None:
    settings.DJSMS_LOCAL_BACKENDS = {"ours": HERE}
    settings.DJSMS_BACKEND = "ours"


@pytest.mark.django_db
def test_it_sends() -> None:
    message = send_text("Hi", "Shop", "+447700900123")
    assert (message.backend, message.provider_id) == ("ours", "ours-1")


def test_it_stands_among_the_others() -> None:
    out = io.StringIO()
    call_command("djsms", "listbackends", "--json", stdout=out)
    rows = {row["name"]: row for row in json.loads(out.getvalue())["backends"]}
    assert rows["ours"]["accounts"] == ["default"]
    assert "dummy" in rows


def test_the_table_says_whose_it_is() -> None:
    out = io.StringIO()
    call_command("djsms", "listbackends", stdout=out)
    [line] = [line for line in out.getvalue().splitlines() if line.startswith("ours ")]
    assert "(this project)" in line


def test_one_that_cannot_be_imported_is_told(settings: Any) -> None:
    settings.DJSMS_LOCAL_BACKENDS = {"ours": f"{__name__}.Missing"}
    with pytest.raises(BackendBroken, match="has no attribute 'Missing'"):
        gateways.get()
    assert [message.id for message in check_accounts()] == ["djsms.E003"]


def test_a_name_that_is_installed_as_well_is_a_conflict(settings: Any, tmp_path: Any) -> None:
    with distributions.folder(tmp_path) as folder:
        folder.install({"ours": "acme_sms:Acme"}, {"acme_sms": "class Acme: pass"})
        with pytest.raises(BackendConflict, match="rename yours in DJSMS_LOCAL_BACKENDS"):
            plugins.find("ours")


@pytest.mark.parametrize(
    "wrong", ["shop.sms", ["ours"], {"ours": OurBackend}, {"ours": "OurBackend"}, {"": HERE}]
)
def test_a_malformed_setting_is_told(settings: Any, wrong: object) -> None:
    settings.DJSMS_LOCAL_BACKENDS = wrong
    ids = [(message.id, "DJSMS_LOCAL_BACKENDS" in message.msg) for message in check_settings()]
    assert ("djsms.E001", True) in ids


def test_a_dotted_path_for_a_backend_is_told_what_to_do() -> None:
    with pytest.raises(BackendNotFound) as told:
        plugins.find("shop.texts.GullBackend")
    assert "DJSMS_LOCAL_BACKENDS = {'gull': 'shop.texts.GullBackend'}" in str(told.value)


def test_the_path_of_a_local_one_is_told_its_name() -> None:
    with pytest.raises(BackendNotFound, match=r"Did you mean 'ours'\?"):
        plugins.find(HERE)
