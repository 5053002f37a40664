"""A CSV file of recipients is read as spreadsheets write it, and what is wrong is told by line."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from djsms.cli.recipients import Line, recipients

ANN, BOB = "+447700900123", "+447700900124"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "guests.csv"


def read(file: Path, content: str | bytes, **options: Any) -> list[Line]:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with recipients(file, **options) as found:
        return list(found)


def read_as_it_is(file: Path) -> list[Line]:
    with recipients(file) as found:
        return list(found)


def texts(lines: list[Line]) -> dict[str, str]:
    assert all(line.problem == "" for line in lines)
    return {line.to: line.text for line in lines}


class TestWhatSpreadsheetsWrite:
    @pytest.mark.parametrize(
        ("content", "options"),
        [
            (f"to,text\n{ANN},Hello\n{BOB},Bye\n", {}),
            (f"to,text\r\n{ANN},Hello\r\n{BOB},Bye", {}),
            (f"to,text\r{ANN},Hello\r{BOB},Bye\r", {}),
            (f"\ufeffto;text\n{ANN};Hello\n{BOB};Bye\n", {}),
            (f"text\tto\nHello\t{ANN}\nBye\t{BOB}\n", {}),
            (f"Text|To\nHello|{ANN}\nBye|{BOB}\n", {}),
            (f" To , Text \n{ANN}, Hello\n{BOB},Bye\n", {}),
            (f'"to","text"\n"{ANN}", "Hello"\n"{BOB}","Bye"\n', {}),
            (f"\n\nto,text\n\n{ANN},Hello\n , \n,,\n{BOB},Bye\n\n", {}),
            (f"name, surname;to;text\nx;{ANN};Hello\ny;{BOB};Bye\n", {}),
            (f"to:text\n{ANN}:Hello\n{BOB}:Bye\n", {"delimiter": ":"}),
            (f"to,text,,\n{ANN},Hello,,\n{BOB},Bye,,\n", {}),
            (f"\ufeffto,text\n{ANN},Hello\n{BOB},Bye\n".encode("utf-16-le"), {}),
        ],
    )
    def test_is_read(self, file: Path, content: str, options: Any) -> None:
        assert texts(read(file, content, **options)) == {ANN: "Hello", BOB: "Bye"}

    def test_may_hold_line_breaks_and_delimiters_in_quotation_marks(self, file: Path) -> None:
        lines = read(file, f'to,text\n{ANN},"Dear ""Ann"",\nhello"\n{BOB},Bye\n')
        assert texts(lines) == {ANN: 'Dear "Ann",\nhello', BOB: "Bye"}
        assert [line.number for line in lines] == [2, 4]

    def test_may_be_in_an_older_encoding_if_that_is_said(self, file: Path) -> None:
        content = f"to,text\n{ANN},Voilà\n".encode("latin-1")
        assert texts(read(file, content, encoding="latin-1")) == {ANN: "Voilà"}


class TestATemplate:
    def test_takes_the_columns_by_their_names(self, file: Path) -> None:
        content = f"to,First name,table\n{ANN},Ann,3\n"
        template = "Dear {first name}, {{table}} {Table}!"
        assert texts(read(file, content, template=template)) == {ANN: "Dear Ann, {table} 3!"}

    def test_may_use_the_text(self, file: Path) -> None:
        assert texts(read(file, f"to,text\n{ANN},Hi\n", template="{text}!")) == {ANN: "Hi!"}

    def test_needs_no_text(self, file: Path) -> None:
        assert texts(read(file, f"to\n{ANN}\n", template="Hi")) == {ANN: "Hi"}

    @pytest.mark.parametrize(
        ("template", "reason"),
        [
            ("Dear {nmae}", "no column 'nmae' .*it has: to, name. Did you mean 'name'"),
            ("Dear {name", "cannot be read"),
            ("Dear }", "cannot be read"),
            ("Dear {}", "the name of a column alone"),
            ("Dear {name!r}", "the name of a column alone"),
            ("Dear {name:>10}", "the name of a column alone"),
            ("{name.__class__}", "no column 'name.__class__'"),
        ],
    )
    def test_that_is_wrong_is_told_first(self, file: Path, template: str, reason: str) -> None:
        with pytest.raises(CommandError, match=reason):
            read(file, f"to,name\n{ANN},Ann\n", template=template)


class TestALine:
    @pytest.mark.parametrize(
        ("content", "number", "reason"),
        [
            (f"to,text\n{ANN},Hello, Ann\n", 2, "It has 3 cells, and the first line 2"),
            (f"to,text\n\n{ANN}\n", 3, "The column 'text' is empty."),
            (f"to,text\n{ANN},  \n", 2, "The column 'text' is empty."),
        ],
    )
    def test_that_is_wrong_has_its_number_and_reason(
        self, file: Path, content: str, number: int, reason: str
    ) -> None:
        [line] = read(file, content)
        assert line.number == number
        assert line.problem.startswith(reason)


class TestAFile:
    @pytest.mark.parametrize(
        ("content", "options", "reason"),
        [
            ("", {}, "is empty"),
            ("\n\n", {}, "is empty"),
            ("number,text\n1,x\n", {}, "no column 'to' .*it has: number, text"),
            ("To:text\n", {}, "no column 'to' .*another --delimiter"),
            (f"to,txt\n{ANN},x\n", {}, "no column 'text' .*Did you mean 'txt'"),
            (f"to\n{ANN}\n", {}, "no column 'text' .*--template"),
            ("to,text,To\n", {}, "two columns 'to'"),
            (b"to,text\n\nx,Voil\xe0\n", {}, "line 3, is not utf-8.*--encoding"),
            (b"to,text\nx,Voil\xc3", {}, "line 2, is not utf-8"),
            (b"x" * 70_000 + b"\n\n\xff", {}, "line 3, is not utf-8"),
            ("to,text\n", {"encoding": "nonsense"}, "no encoding 'nonsense'"),
            (f'to,text\nx,y\n{ANN},"Hello\n{BOB},Bye\n', {}, "line 3, cannot be read: unexpected"),
            (f'to,text\n{ANN},"He"llo"\n', {}, "line 2, cannot be read: .*quotation mark"),
        ],
    )
    def test_that_is_wrong_is_told_as_a_whole(
        self, file: Path, content: str | bytes, options: Any, reason: str
    ) -> None:
        with pytest.raises(CommandError, match=reason):
            read(file, content, **options)

    def test_that_is_not_there_is_told(self, file: Path) -> None:
        with pytest.raises(CommandError, match=r"guests\.csv cannot be read: No such file"):
            read_as_it_is(file)

    def test_may_change_meanwhile(self, file: Path) -> None:
        file.write_text(f"to,text\n{ANN},Hello\n")
        with recipients(file) as found:
            file.write_text("nothing of it")
            assert texts(list(found)) == texts(list(found)) == {ANN: "Hello"}


class TestTheKey:
    def keys(self, file: Path, content: str, **options: Any) -> list[str]:
        file.write_text(content)
        with recipients(file, **options) as found:
            return [found.key(line.number) for line in found]

    def test_is_the_same_for_the_same_line_of_the_same_file(self, file: Path) -> None:
        content = f"to,text\n{ANN},Hello\n{ANN},Hello\n"
        first = self.keys(file, content)
        assert len(set(first)) == 2
        assert self.keys(file.with_name("copy.csv"), content) == first

    def test_is_another_in_another_file_with_other_words_or_once_more(self, file: Path) -> None:
        content = f"to,text\n{ANN},Hello\n"
        others = [
            *self.keys(file, content),
            *self.keys(file, content + "\n"),
            *self.keys(file, content, template="Hello!"),
            *self.keys(file, content, key="once more"),
        ]
        assert len(set(others)) == 4
