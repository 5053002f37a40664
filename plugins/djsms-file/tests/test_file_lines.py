"""Each message is one line of JSON, whole or not there, however many write at once."""

import errno
import io
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files import locks
from djsms import OutgoingText, Status
from djsms.exceptions import InvalidMessage, OutcomeUnknown, TemporarilyUnavailable
from djsms_file import FileBackend, lines
from hypothesis import given
from hypothesis import strategies as st

REF = "0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)


def message(text: str = "Hi", **fields: Any) -> OutgoingText:
    return OutgoingText(
        **{"ref": REF, "text": text, "frm": "Example", "to": "+447700900001"} | fields
    )


def line(text: str = "Hi", **fields: Any) -> str:
    return lines.line_of(message(text, **fields), at=NOW, provider_id="file-1")


def written(folder: Path) -> list[dict[str, Any]]:
    (file,) = folder.iterdir()
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


class TestALine:
    def test_holds_the_whole_message(self, tmp_path: Path) -> None:
        result = FileBackend(path=tmp_path).send(
            message("Grüße 😀", status_report=True, callback_url="https://example.com/token/")
        )
        (values,) = written(tmp_path)
        at = datetime.fromisoformat(values.pop("at"))
        assert abs((datetime.now(UTC) - at).total_seconds()) < 60
        assert values == {
            "provider_id": result.parts[0].provider_id,
            "ref": REF,
            "frm": "Example",
            "to": "+447700900001",
            "text": "Grüße 😀",
            "encoding": "gsm7",
            "segments": 1,
            "status_report": True,
            "extra": {},
        }

    def test_counts_as_sent_under_an_id_of_its_own(self, tmp_path: Path) -> None:
        backend = FileBackend(path=tmp_path)
        parts = [backend.send(message()).parts for _ in range(3)]
        assert [part.status for (part,) in parts] == [Status.SENT] * 3
        assert len({part.provider_id for (part,) in parts}) == 3

    def test_has_the_time_in_utc_to_the_millisecond(self) -> None:
        assert json.loads(line())["at"] == "2026-11-22T09:30:00.123+00:00"

    def test_shows_all_languages_as_they_are(self) -> None:
        assert "Grüße Ελλάδα 中文 😀" in line("Grüße Ελλάδα 中文 😀")

    @given(st.text(st.characters(categories=None, codec=None)))
    def test_is_one_line_of_printable_characters_whatever_the_text(self, text: str) -> None:
        shown = line(text)
        assert shown.removesuffix("\n").isprintable()
        shown.encode()
        read = json.loads(shown)["text"]
        # JSON has no lone surrogates: two that happen to meet are one character again.
        assert read == text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    def test_takes_extras_of_the_types_that_django_writes_as_json(self) -> None:
        extra = {"ttl": 60, "at": NOW, "price": Decimal("0.03"), "id": uuid.UUID(REF), "a": [None]}
        assert json.loads(line(extra=extra))["extra"] == {
            "ttl": 60,
            "at": "2026-11-22T09:30:00.123Z",
            "price": "0.03",
            "id": "01234567-89ab-cdef-0123-456789abcdef",
            "a": [None],
        }

    @pytest.mark.parametrize("value", [object(), b"bytes", float("nan"), {("a", "b"): 1}])
    def test_refuses_extras_that_are_no_json(self, value: Any, tmp_path: Path) -> None:
        with pytest.raises(InvalidMessage, match="extras cannot be written as JSON"):
            FileBackend(path=tmp_path).send(message(extra={"a": value}))
        assert list(tmp_path.iterdir()) == []

    def test_refuses_extras_that_hold_themselves(self) -> None:
        extra: dict[str, Any] = {}
        extra["again"] = extra
        with pytest.raises(InvalidMessage):
            line(extra=extra)


WRITER = """
import sys
from djsms import OutgoingText
from djsms_file import FileBackend

name, path, texts = sys.argv[1], sys.argv[2], int(sys.argv[3])
backend = FileBackend(path=path)
print("ready", flush=True)
sys.stdin.readline()
for n in range(texts):
    # Now and then longer than any buffer.
    text = f"{name}-{n} " + "x" * (200_000 if n % 25 == 0 else n)
    backend.send(OutgoingText(ref=f"{n:032x}", text=text, frm="Example", to="+447700900001"))
"""


class TestManyWriters:
    def test_of_several_processes_lose_and_tear_nothing(self, tmp_path: Path) -> None:
        names, texts = ["a", "b", "c", "d"], 100
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, name, str(tmp_path / "sms"), str(texts)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in names
        ]
        for writer in writers:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            writer.communicate("go\n", timeout=60)
        assert [writer.returncode for writer in writers] == [0] * len(names)
        heads = [
            json.loads(line)["text"].split()[0]
            for file in (tmp_path / "sms").iterdir()  # two, if it is midnight
            for line in file.read_text().splitlines()
        ]
        assert sorted(heads) == sorted(f"{name}-{n}" for name in names for n in range(texts))
        for name in names:
            own = [head for head in heads if head.startswith(name)]
            assert own == [f"{name}-{n}" for n in range(texts)]

    def test_of_several_threads_lose_and_tear_nothing(self, tmp_path: Path) -> None:
        backend = FileBackend(path=tmp_path)

        def write(name: str) -> None:
            for n in range(50):
                backend.send(message(f"{name}-{n}"))

        threads = [threading.Thread(target=write, args=[name]) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = sorted(values["text"] for values in written(tmp_path))
        assert texts == sorted(f"{name}-{n}" for name in "abcd" for n in range(50))


class TestAWriteThatFails:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "day.jsonl"
        lines.append(path, "before\n")
        return path

    @staticmethod
    def full_after(count: int) -> Callable[[io.FileIO, bytes], int]:
        room = [count]

        def write(file: io.FileIO, data: bytes) -> int:
            if not room[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            taken = io.FileIO.write(file, data[: room[0]])
            room[0] -= taken
            return taken

        return write

    def limit(self, monkeypatch: pytest.MonkeyPatch, **methods: Any) -> None:
        monkeypatch.setattr(lines, "FileIO", type("Limited", (io.FileIO,), methods))

    @pytest.mark.parametrize("room", [0, 1, 5])
    def test_leaves_nothing_of_the_line_behind(
        self, room: int, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.limit(monkeypatch, write=self.full_after(room))
        with pytest.raises(TemporarilyUnavailable, match="No space left on device"):
            lines.append(file, "a line\n")
        monkeypatch.undo()
        lines.append(file, "after\n")
        assert file.read_text() == "before\nafter\n"

    def test_is_not_a_failure_if_the_rest_can_be_written_after_all(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.limit(monkeypatch, write=lambda file, data: io.FileIO.write(file, data[:2]))
        lines.append(file, "a line\n")
        assert file.read_text() == "before\na line\n"

    def test_leaves_the_outcome_open_if_the_part_cannot_be_taken_back(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def truncate(file: io.FileIO, size: int) -> int:
            raise OSError(errno.EIO, "Input/output error")

        self.limit(monkeypatch, write=self.full_after(4), truncate=truncate)
        with pytest.raises(OutcomeUnknown, match="written in part: Input/output error"):
            lines.append(file, "a line\n")

    def test_costs_only_its_own_line_when_a_crash_cut_it_off(self, file: Path) -> None:
        with file.open("a") as torn:
            torn.write('{"at": "2026')
        lines.append(file, "after\n")
        assert file.read_text() == 'before\n{"at": "2026\nafter\n'

    def test_as_does_one_that_gets_no_lock(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lock(*_: object) -> bool:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(locks, "lock", lock)
        with pytest.raises(TemporarilyUnavailable, match="No locks available"):
            lines.append(file, "a line\n")
        assert file.read_text() == "before\n"

    def test_names_no_text_in_its_error(self, tmp_path: Path) -> None:
        (tmp_path / "sms").write_text("")
        with pytest.raises(TemporarilyUnavailable) as caught:
            FileBackend(path=tmp_path / "sms").send(message("a secret"))
        assert "secret" not in str(caught.value)


def test_a_system_without_modes_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fchmod")
    monkeypatch.delattr(os, "O_NOFOLLOW")
    file = tmp_path / "day.jsonl"
    file.touch(0o644)
    lines.append(file, "a line\n")
    assert file.read_text() == "a line\n"
