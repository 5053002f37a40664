"""``djsms export``: CSV that a spreadsheet may open, whatever is in the messages."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from scripted import Provider

from djsms import send_text
from djsms.ledger import exported
from djsms.models import TextMessage

pytestmark = pytest.mark.django_db

FRM, TO = "+447700900001", "+447700900123"


def export(*arguments: str) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    call_command("djsms", "export", *arguments, stdout=out)
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def texts(count: int, **fields: Any) -> None:
    TextMessage.objects.bulk_create(
        [TextMessage(frm=FRM, to=TO, text=str(n), **fields) for n in range(count)]
    )


def test_a_line_says_what_became_of_a_message(provider: Provider) -> None:
    message = send_text("Hello", FRM, TO)
    provider.reports(ref=message.ref, status="delivered", price="0.0330", currency="EUR")
    [row] = export()
    wanted = {"ref": message.ref, "frm": FRM, "to": TO, "status": "delivered", "price": "0.033"}
    assert {name: row[name] for name in wanted} == wanted
    assert row["created_on"].endswith("+00:00")


def test_texts_are_left_out_unless_asked_for(provider: Provider) -> None:
    send_text("Hello", FRM, TO)
    assert "text" not in export()[0]
    assert export("--texts")[0]["text"] == "Hello"


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\tx", "\rx", "＝1", "+1 x", ' "=1']
)
def test_nothing_is_a_formula(text: str) -> None:
    TextMessage.objects.create(frm=FRM, to=TO, text=text)
    assert export("--texts")[0]["text"] == f"'{text}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hi;=1+1;Bye", "Hi;'=1+1;Bye"),
        ("Hi\t@SUM(1)", "Hi\t'@SUM(1)"),
        ("Hi\r\n=1", "Hi\r\n'=1"),
        ("Hi\n-2+3\n＝1", "Hi\n'-2+3\n'＝1"),
        ('Hi; "=1', "Hi; \"'=1"),
        ("Hi;+447700900123 x", "Hi;'+447700900123 x"),
        ("\t=1", "'\t'=1"),
    ],
)
def test_nor_does_one_begin_where_a_spreadsheet_may_divide_it(text: str, written: str) -> None:
    TextMessage.objects.create(frm=FRM, to=TO, text=text)
    assert export("--texts")[0]["text"] == written


@pytest.mark.parametrize(
    "text",
    [
        *("Hello", "a=b", "+447700900123", "-1.50", "", "1+1", "Hi, +1", "a; b=1"),
        "Call us;+447700900123\n+447700900199",
    ],
)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    TextMessage.objects.create(frm=FRM, to=TO, text=text)
    assert export("--texts")[0]["text"] == text


def test_it_comes_in_pages(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    monkeypatch.setattr(exported, "PAGE", 3)
    texts(7)
    with django_assert_num_queries(4):
        rows = export("--texts")
    assert [row["text"] for row in rows] == [str(number) for number in range(7)]


def test_some_of_them(provider: Provider) -> None:
    texts(1, status="failed")
    texts(1, account="alerts")
    provider.delivers(frm=TO, to=FRM, text="Hi")
    TextMessage.objects.filter(account="alerts").update(
        created_on=timezone.now() - timedelta(days=3)
    )
    assert len(export("--status", "failed")) == 1
    assert len(export("--account", "alerts")) == 1
    assert len(export("--direction", "incoming")) == 1
    assert len(export("--since", "2d")) == 2
    assert len(export("--before", "2d")) == 1


def test_into_a_file(tmp_path: Path) -> None:
    TextMessage.objects.create(frm=FRM, to=TO, text="Voilà 🎉")
    file = tmp_path / "texts.csv"
    assert export("--texts", "--output", str(file)) == []
    assert "Voilà 🎉" in file.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        export("--output", str(tmp_path))


def test_a_word_that_is_no_status_is_told() -> None:
    with pytest.raises(CommandError, match="'lost' is no status"):
        export("--status", "lost")
