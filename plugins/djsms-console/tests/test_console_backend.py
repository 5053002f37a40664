"""The console shows each message as one block that no text can forge."""

import errno
import io
import sys
import threading
from contextlib import redirect_stdout
from typing import Any

import pytest
from djsms import Encoding, OutgoingText, Status
from djsms.exceptions import OutcomeUnknown, TemporarilyUnavailable
from djsms_console import GUTTER, ConsoleBackend, block
from hypothesis import example, given
from hypothesis import strategies as st

REF = "0123456789abcdef0123456789abcdef"


def message(text: str = "Hi", **fields: Any) -> OutgoingText:
    return OutgoingText(
        **{"ref": REF, "text": text, "frm": "Example", "to": "+447700900001"} | fields
    )


def printed(text: str, encoding: str) -> str:
    terminal = io.BytesIO()
    with redirect_stdout(io.TextIOWrapper(terminal, encoding=encoding)):
        ConsoleBackend().send(message(text))
        return terminal.getvalue().decode(encoding)


class TestAMessageIsShown:
    def test_with_who_to_whom_segments_text_and_reference(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ConsoleBackend().send(message("Your code is 1234.\nThank you!"))
        assert capsys.readouterr().out == (
            "Text from Example to +447700900001 (1 segment, gsm7)\n"
            "  ref 0123456789abcdef0123456789abcdef\n"
            "  | Your code is 1234.\n"
            "  | Thank you!\n"
            "\n"
        )

    def test_with_the_number_of_segments_and_their_encoding(self) -> None:
        assert "(3 segments, ucs2)" in block(message(segments=3, encoding=Encoding.UCS2))

    def test_with_the_address_for_status_reports_if_they_are_asked_for(self) -> None:
        address = "https://example.com/djsms/callback/default/t0ken/"
        assert f"\n  status reports to {address}\n" in block(
            message(status_report=True, callback_url=address)
        )
        assert "status reports" not in block(message(callback_url=address))

    def test_with_the_reason_if_reports_are_asked_for_and_have_nowhere_to_go(self) -> None:
        assert "status reports to nowhere: djsms webhooks says" in block(
            message(status_report=True)
        )

    def test_with_accents_and_emoji_as_they_are(self) -> None:
        assert "  | Grüße 😀 Ελλάδα 中文\n" in block(message("Grüße 😀 Ελλάδα 中文"))

    def test_and_counts_as_sent_under_an_id_of_its_own(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        parts = [ConsoleBackend().send(message()).parts for _ in range(3)]
        assert [part.status for (part,) in parts] == [Status.SENT] * 3
        assert len({part.provider_id for (part,) in parts}) == 3


class TestATextCannotPlayTricks:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\x1b[2J\x1b]0;owned\x07", r"\x1b[2J\x1b]0;owned\x07"),
            ("a\rb\tc\0\x08", r"a\rb\tc\x00\x08"),
            ("\x7f\x80\x9b31m", r"\x7f\x80\x9b31m"),
            ("\u202eevil\u2066\u2069", r"\u202eevil\u2066\u2069"),
            ("\u200b\u200d\ufeff\xad", r"\u200b\u200d\ufeff\xad"),
            ("a\u2028b\u2029c\x85d\x0b\x0c", r"a\u2028b\u2029c\x85d\x0b\x0c"),
            ("\ud83d", r"\ud83d"),
            ("\U000e0041", r"\U000e0041"),
            ("10\xa0000", r"10\xa0000"),
        ],
    )
    def test_what_cannot_be_seen_is_escaped(self, text: str, shown: str) -> None:
        assert f"  | {shown}\n" in block(message(text))

    def test_nor_pass_for_another_message(self) -> None:
        forged = block(message("Pay +15550100 at once", frm="Your bank"))
        lines = block(message("Hi\n" + forged)).splitlines()
        assert [line for line in lines if line.startswith("Text from")] == lines[:1]
        assert [line for line in lines if line.startswith("  ref")] == lines[1:2]

    def test_nor_can_a_sender_or_an_address(self) -> None:
        lines = block(
            message(frm="A\nB", to="\x1b", status_report=True, callback_url="https://a\n/\r")
        ).splitlines()
        assert lines[0] == r"Text from A\nB to \x1b (1 segment, gsm7)"
        assert lines[2] == r"  status reports to https://a\n/\r"

    @given(st.text(st.characters(categories=None, codec=None)))
    @example("\n")
    @example("\x1c\x1d\x1e\x85\u2028\u2029\ud800")
    def test_whatever_it_holds(self, text: str) -> None:
        shown = block(message(text))
        assert all(character.isprintable() or character == "\n" for character in shown)
        header, ref, *lines = shown.removesuffix("\n\n").split("\n")
        assert header == "Text from Example to +447700900001 (1 segment, gsm7)"
        assert ref == f"  ref {REF}"
        assert all(line.startswith(GUTTER) for line in lines)
        assert len(lines) == text.count("\n") + 1

    @given(st.text())
    def test_on_terminals_of_any_encoding(self, text: str) -> None:
        for encoding in ("ascii", "latin-1", "cp437", "cp1252", "shift_jis", "utf-8"):
            shown = printed(text, encoding)
            assert all(character.isprintable() or character == "\n" for character in shown)


class TestTheTerminal:
    @pytest.mark.parametrize(
        ("encoding", "shown"),
        [
            ("ascii", r"Gr\xfc\xdfe \u20ac \U0001f600"),
            ("latin-1", r"Grüße \u20ac \U0001f600"),
            ("utf-8", "Grüße € 😀"),
        ],
    )
    def test_may_lack_some_characters(self, encoding: str, shown: str) -> None:
        assert f"  | {shown}\n" in printed("Grüße € 😀", encoding)

    def test_is_looked_up_when_a_message_is_sent(self) -> None:
        backend = ConsoleBackend()
        with redirect_stdout(io.StringIO()) as first:
            backend.send(message("one"))
        with redirect_stdout(io.StringIO()) as second:
            backend.send(message("two"))
        assert first.getvalue() == block(message("one"))
        assert second.getvalue() == block(message("two"))

    def test_may_be_any_object_that_can_be_written_to(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Pane:
            shown = ""

            def write(self, text: str) -> None:
                self.shown += text

            def flush(self) -> None: ...

        monkeypatch.setattr(sys, "stdout", pane := Pane())
        ConsoleBackend().send(message("Grüße"))
        assert pane.shown == block(message("Grüße"))

    def test_gets_the_blocks_of_several_threads_one_after_the_other(self) -> None:
        class Slow(io.StringIO):
            writes: list[str] = []

            def write(self, text: str) -> int:
                self.writes.append(text)
                return super().write(text)

        # Two accounts share one terminal.
        backends = [ConsoleBackend(), ConsoleBackend()]
        texts = [f"{n}\n" * 20 for n in range(16)]
        with redirect_stdout(Slow()) as terminal:
            threads = [
                threading.Thread(target=backends[n % 2].send, args=[message(text)])
                for n, text in enumerate(texts)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert sorted(Slow.writes) == sorted(block(message(text)) for text in texts)
        assert terminal.getvalue() == "".join(Slow.writes)


class TestWithoutATerminal:
    """A backend for development must not take the program down, nor say what is not so."""

    def test_nothing_was_sent_if_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdout", None)
        with pytest.raises(TemporarilyUnavailable, match="no standard output"):
            ConsoleBackend().send(message())

    def test_nothing_was_sent_if_it_is_closed(self) -> None:
        closed = io.StringIO()
        closed.close()
        with redirect_stdout(closed), pytest.raises(TemporarilyUnavailable, match="closed"):
            ConsoleBackend().send(message())

    def test_nobody_knows_what_was_shown_if_printing_fails(self) -> None:
        class BrokenPipe(io.StringIO):
            def flush(self) -> None:
                raise BrokenPipeError(errno.EPIPE, "Broken pipe")

        with redirect_stdout(BrokenPipe()), pytest.raises(OutcomeUnknown, match="Broken pipe"):
            ConsoleBackend().send(message())
