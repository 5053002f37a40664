"""Where the files are, who may read them, and what ``manage.py check`` says of the folder."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import djsms_file
import pytest
from django.core.checks import ERROR, WARNING
from djsms import OutgoingText
from djsms.exceptions import InvalidOptions, TemporarilyUnavailable
from djsms_file import FileBackend

MESSAGE = OutgoingText(ref="0" * 32, text="Hi", frm="Example", to="+447700900001")
NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def send(folder: Path) -> Path:
    """Send a text and return its file."""
    FileBackend(path=folder).send(MESSAGE)
    return today(folder)


def today(folder: Path) -> Path:
    return folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0)
    os.umask(before)
    yield os.umask
    os.umask(before)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder, as seen by a user who is not root: what a mode forbids root may do anyway."""
    path = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(path, NOBODY, -1)
        os.seteuid(NOBODY)
    yield path
    if root:
        os.seteuid(0)
    shutil.rmtree(path)


class TestTheOptionPath:
    @pytest.mark.parametrize("kind", [str, Path])
    def test_is_a_folder(self, kind: Callable[[Path], Any], tmp_path: Path) -> None:
        FileBackend(path=kind(tmp_path)).send(MESSAGE)
        assert len(list(tmp_path.iterdir())) == 1

    @pytest.mark.parametrize("path", ["sms", "", ".", "../sms", "~/sms", Path("sms")])
    def test_must_be_absolute_since_processes_differ_in_where_they_run(self, path: Any) -> None:
        with pytest.raises(InvalidOptions, match="absolute"):
            FileBackend(path=path)

    @pytest.mark.parametrize("path", [None, 3, b"/var/sms", ["/var/sms"]])
    def test_must_be_a_path(self, path: Any) -> None:
        with pytest.raises(InvalidOptions, match="takes the path of a folder"):
            FileBackend(path=path)

    def test_must_be_one_that_can_exist(self) -> None:
        with pytest.raises(InvalidOptions):
            FileBackend(path="/var/\0sms")

    def test_cannot_be_left_out(self) -> None:
        with pytest.raises(TypeError, match="path"):
            FileBackend()  # type: ignore[call-arg]


class TestOneFileADay:
    def test_named_after_the_day_in_utc(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Clock:
            moment = datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)

            @classmethod
            def now(cls, zone: Any) -> datetime:
                return cls.moment.astimezone(zone)

        monkeypatch.setattr(djsms_file, "datetime", Clock)
        backend = FileBackend(path=tmp_path)
        backend.send(MESSAGE)
        backend.send(MESSAGE)
        Clock.moment += timedelta(microseconds=1)
        backend.send(MESSAGE)
        assert {file.name: file.read_text().count("\n") for file in tmp_path.iterdir()} == {
            "2026-11-22.jsonl": 2,
            "2026-11-23.jsonl": 1,
        }


class TestFilesAreTheirOwnersAlone:
    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277, 0o777])
    def test_under_any_umask(self, mask: int, folder: Path, umask: Callable[[int], int]) -> None:
        umask(mask)
        for _ in range(2):
            file = send(folder / "sms")
        assert mode(file) == 0o600
        assert mode(file.parent) == 0o700
        assert file.read_text().count("\n") == 2

    def test_even_if_somebody_opened_them(self, tmp_path: Path) -> None:
        send(tmp_path).chmod(0o644)
        assert mode(send(tmp_path)) == 0o600

    def test_a_folder_that_is_there_keeps_its_mode(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o750)
        send(tmp_path)
        assert mode(tmp_path) == 0o750

    def test_only_the_folder_itself_is_created(self, tmp_path: Path) -> None:
        with pytest.raises(TemporarilyUnavailable, match="No such file or directory"):
            send(tmp_path / "missing" / "sms")
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_another_process_creates_meanwhile_will_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mkdir = Path.mkdir

        def late(path: Path, *args: Any) -> None:
            mkdir(path)
            mkdir(path, *args)

        monkeypatch.setattr(Path, "mkdir", late)
        assert send(tmp_path / "sms").exists()

    def test_a_symbolic_link_in_the_place_of_a_file_is_not_followed(self, tmp_path: Path) -> None:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_text("precious")
        elsewhere.chmod(0o644)
        folder = tmp_path / "sms"
        folder.mkdir()
        today(folder).symlink_to(elsewhere)
        with pytest.raises(TemporarilyUnavailable, match="symbolic link"):
            send(folder)
        assert elsewhere.read_text() == "precious"
        assert mode(elsewhere) == 0o644

    def test_nor_one_that_leads_nowhere(self, tmp_path: Path) -> None:
        folder = tmp_path / "sms"
        folder.mkdir()
        today(folder).symlink_to(tmp_path / "elsewhere")
        with pytest.raises(TemporarilyUnavailable, match="symbolic link"):
            send(folder)
        assert not (tmp_path / "elsewhere").exists()

    def test_a_folder_may_be_a_symbolic_link(self, tmp_path: Path) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "sms").symlink_to(tmp_path / "disk")
        assert send(tmp_path / "sms").exists()

    def test_a_pipe_in_the_place_of_a_file_does_not_hold_us_up(self, tmp_path: Path) -> None:
        os.mkfifo(today(tmp_path))
        with pytest.raises(TemporarilyUnavailable, match="no regular file"):
            send(tmp_path)


class TestNothingIsSentWithoutAFile:
    def test_in_a_folder_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "sms").write_text("")
        with pytest.raises(TemporarilyUnavailable, match="Not a directory"):
            send(tmp_path / "sms")

    def test_in_a_folder_that_is_not_ours(self, folder: Path) -> None:
        folder.chmod(0o500)
        with pytest.raises(TemporarilyUnavailable, match="Permission denied"):
            send(folder)
        with pytest.raises(TemporarilyUnavailable, match="Permission denied"):
            send(folder / "sms")


class TestManagePyCheck:
    def problem(self, path: Path) -> str:
        (message,) = FileBackend(path=path).check()
        assert message.level == ERROR
        assert message.id == "djsms_file.E001"
        assert "option path" in (message.hint or "")
        return str(message.msg)

    def test_is_content_with_a_folder_that_can_be_written(self, tmp_path: Path) -> None:
        assert FileBackend(path=tmp_path).check() == []
        assert list(tmp_path.iterdir()) == []

    def test_is_content_with_a_folder_that_can_be_created_and_leaves_that_to_the_first_send(
        self, tmp_path: Path
    ) -> None:
        assert FileBackend(path=tmp_path / "sms").check() == []
        assert list(tmp_path.iterdir()) == []

    def test_is_content_after_the_first_send(self, folder: Path) -> None:
        send(folder)
        assert FileBackend(path=folder).check() == []

    def test_refuses_a_folder_with_nothing_above_it(self, tmp_path: Path) -> None:
        path = tmp_path / "missing" / "sms"
        assert self.problem(path) == (
            f"The file backend cannot write: {path.parent} does not exist."
        )

    def test_refuses_what_is_no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "sms").write_text("")
        assert "sms is not a folder" in self.problem(tmp_path / "sms")
        assert "sms is not a folder" in self.problem(tmp_path / "sms" / "below")

    def test_refuses_a_link_that_leads_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "sms").symlink_to(tmp_path / "missing")
        assert "sms does not exist" in self.problem(tmp_path / "sms")

    def test_refuses_a_link_that_leads_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "sms").symlink_to(tmp_path / "sms")
        assert "The file backend cannot write" in self.problem(tmp_path / "sms")

    def test_refuses_a_folder_that_is_not_ours(self, folder: Path) -> None:
        folder.chmod(0o500)
        assert f"{folder} is not writable" in self.problem(folder)
        assert f"{folder} is not writable" in self.problem(folder / "sms")

    def test_refuses_a_folder_that_we_cannot_even_look_into(self, folder: Path) -> None:
        (folder / "closed").mkdir(0o000)
        path = folder / "closed" / "sms"
        (message,) = FileBackend(path=path).check()
        assert message.id == "djsms_file.E001"
        assert "closed" in message.msg

    def test_refuses_a_file_of_the_day_that_is_not_ours(self, folder: Path) -> None:
        send(folder).chmod(0o400)
        assert f"{today(folder)} is not writable" in self.problem(folder)

    def test_refuses_a_symbolic_link_in_the_place_of_the_file(self, tmp_path: Path) -> None:
        today(tmp_path).symlink_to(tmp_path / "elsewhere")
        assert "is a symbolic link" in self.problem(tmp_path)

    def test_refuses_anything_else_in_the_place_of_the_file(self, tmp_path: Path) -> None:
        today(tmp_path).mkdir()
        assert "is no regular file" in self.problem(tmp_path)

    @pytest.mark.parametrize("permissions", [0o777, 0o770, 0o1777])
    def test_warns_of_a_folder_that_others_can_write(
        self, permissions: int, tmp_path: Path
    ) -> None:
        tmp_path.chmod(permissions)
        (message,) = FileBackend(path=tmp_path).check()
        assert message.level == WARNING
        assert message.id == "djsms_file.W001"
