"""``djsms send --csv`` sends to all in a file, exactly once each, however often it is begun.

The provider is a real HTTP server, as Kannel's; the command runs in processes of its own.
"""

import csv
import os
import pty
import signal
import subprocess
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from shop import Shop

from djsms.cli.recipients import recipients

SEND = "djsms send --csv guests.csv --from Acme"


class Gateway(ThreadingHTTPServer):
    """Accepts texts as Kannel does; ``refused`` are numbers that it does not like."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.texts: list[tuple[str, str]] = []
        self.refused: set[str] = set()
        self.on_request: Callable[[int], object] = lambda count: None
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        to = self.headers["X-Kannel-To"]
        with self.server.lock:
            self.server.texts.append((to, text))
            self.server.on_request(len(self.server.texts))
        is_refused = to in self.server.refused
        self.send_response(403 if is_refused else 202)
        self.end_headers()
        self.wfile.write(b"Not routable" if is_refused else b"0: Accepted for delivery")

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def shop(tmp_path: Path, gateway: Gateway) -> Shop:
    shop = Shop(tmp_path)
    url = f"http://127.0.0.1:{gateway.server_port}/cgi-bin/sendsms"
    options = {"url": url, "username": "shop", "password": "an-example"}
    # the disk has no part in this
    fast = {"init_command": "PRAGMA synchronous=OFF"}
    shop.configure(
        DJSMS_BACKEND="kannel",
        DJSMS_OPTIONS=options,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": "shop.sqlite3",
                # Django 5.1 and newer
                "OPTIONS": fast,
            }
        },
    )
    shop.migrate()
    return shop


def guests(shop: Shop, count: int) -> set[str]:
    """Write a file of so many guests; return their numbers."""
    numbers = [f"+447700900{number:03}" for number in range(count)]
    lines = [f"{number};Guest {i}\r\n" for i, number in enumerate(numbers)]
    (shop.folder / "guests.csv").write_text("".join(["\ufeffto;name\r\n", *lines]), newline="")
    return set(numbers)


def results(shop: Shop) -> dict[str, dict[str, str]]:
    """The rows of the result file, by the number of the line."""
    with (shop.folder / "guests.results.csv").open(newline="") as file:
        return {row["line"]: row for row in csv.DictReader(file)}


class TestTheSending:
    def test_reaches_each_line_with_its_own_words(self, shop: Shop, gateway: Gateway) -> None:
        numbers = guests(shop, 30)
        run = shop.shell(f"{SEND} --yes --template 'Dear {{name}}, voilà!' --concurrency 4")
        assert run.returncode == 0, run.stderr
        assert len(gateway.texts) == 30
        assert dict(gateway.texts) == {
            number: f"Dear Guest {i}, voilà!" for i, number in enumerate(sorted(numbers))
        }

    def test_says_what_became_of_each_line(self, shop: Shop, gateway: Gateway) -> None:
        guests(shop, 3)
        gateway.refused = {"+447700900001"}
        run = shop.shell(f"{SEND} --yes --template Hello")
        assert run.returncode == 1
        assert "2  sending" in run.stdout
        rows = results(shop)
        assert [rows[line]["to"] for line in "234"] == [
            "+447700900000",
            "+447700900001",
            "+447700900002",
        ]
        assert [rows[line]["status"] == "sending" for line in "234"] == [True, False, True]
        assert len(rows["2"]["ref"]) == 32
        assert rows["3"]["error"]

    def test_again_sends_nothing(self, shop: Shop, gateway: Gateway) -> None:
        guests(shop, 5)
        runs = [shop.shell(f"{SEND} --yes --template Hello") for _ in range(2)]
        assert [run.returncode for run in runs] == [0, 0]
        assert len(gateway.texts) == 5
        assert "5  went out in an earlier run" in runs[1].stdout
        assert len(results(shop)) == 5

    @pytest.mark.parametrize("change", ["--template Bye", "--template Hello --key june"])
    def test_with_other_words_or_another_key_is_another_one(
        self, shop: Shop, gateway: Gateway, change: str
    ) -> None:
        guests(shop, 2)
        shop.shell(f"{SEND} --yes --template Hello")
        assert shop.shell(f"{SEND} --yes {change}").returncode == 0
        assert len(gateway.texts) == 4

    def test_from_another_sender_is_refused_and_leaves_the_results(
        self, shop: Shop, gateway: Gateway
    ) -> None:
        guests(shop, 2)
        shop.shell(f"{SEND} --yes --template Hello")
        run = shop.shell(f"{SEND} --yes --template Hello --from Other")
        assert run.returncode == 1
        assert "give a --key" in run.stdout
        assert len(gateway.texts) == 2
        assert results(shop)["2"]["status"] == "sending"

    def test_broken_off_goes_on_where_it_was(self, shop: Shop, gateway: Gateway) -> None:
        numbers = guests(shop, 200)
        command = f"{SEND} --yes --template Hello --concurrency 4"
        process = shop.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def interrupt(count: int) -> None:
            if count == 60:
                process.send_signal(signal.SIGINT)

        gateway.on_request = interrupt
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert errors.startswith("Interrupted after ")
        assert "Traceback" not in errors
        assert 60 <= len(gateway.texts) < 200
        assert {row["status"] for row in results(shop).values()} <= {"sending", "created"}

        run = shop.shell(command)
        assert run.returncode == 0, run.stderr
        assert Counter(number for number, _ in gateway.texts) == Counter(numbers)
        assert {row["status"] for row in results(shop).values()} == {"sending"}

    def test_killed_goes_on_where_it_was(self, shop: Shop, gateway: Gateway) -> None:
        """What was in the air at that moment is unknown, and not sent a second time."""
        numbers = guests(shop, 100)
        command = f"{SEND} --yes --template Hello --concurrency 4"
        process = shop.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def kill(count: int) -> None:
            if count == 40:
                process.kill()

        gateway.on_request = kill
        process.communicate(timeout=60)
        shop.shell(command)
        assert set(Counter(number for number, _ in gateway.texts).values()) == {1}
        assert len(gateway.texts) > len(numbers) - 10


class TestBeforeTheSending:
    def test_it_shows_what_it_would_be(self, shop: Shop, gateway: Gateway) -> None:
        guests(shop, 3)
        run = shop.shell(f"{SEND} --template '{{name}} {'x' * 200}'", text="n\n")
        assert run.returncode == 1
        assert "3  to be sent, in 6 segments" in run.stdout
        assert "Send 3 texts from Acme through 'default'? [y/N]" in run.stderr
        assert "Nothing was sent" in run.stderr
        assert gateway.texts == []

    def test_each_wrong_line_is_shown_with_its_reason(self, shop: Shop, gateway: Gateway) -> None:
        lines = ["to,text", "+447700900123,Hello", "0123,Hello", "+447700900124,", "+447700900125"]
        (shop.folder / "guests.csv").write_text("\n".join(lines))
        run = shop.shell(f"{SEND} --yes")
        assert run.returncode == 1
        assert "line 3: 0123: The recipient" in run.stdout
        assert "line 4: +447700900124: The column 'text' is empty." in run.stdout
        assert "line 5: +447700900125: The column 'text' is empty." in run.stdout
        assert "3  cannot be sent" in run.stdout
        assert len(gateway.texts) == 1
        assert [row["status"] for row in results(shop).values()] == ["sending", *3 * ["not sent"]]

    def test_no_line_of_the_results_is_a_formula(self, shop: Shop, gateway: Gateway) -> None:
        (shop.folder / "guests.csv").write_text("to,text\n=1+1,Hello\n+447700900123,Hello")
        shop.shell(f"{SEND} --yes")
        assert [row["to"] for row in results(shop).values()] == ["'=1+1", "+447700900123"]

    @pytest.mark.parametrize("answer", ["<&-", "<<< ''"])
    def test_without_a_yes_nothing_is_sent(self, shop: Shop, gateway: Gateway, answer: str) -> None:
        guests(shop, 1)
        run = shop.shell(f"{SEND} --template Hello {answer}")
        assert run.returncode == 1
        assert "--yes" in run.stderr
        assert gateway.texts == []

    def test_a_yes_is_enough(self, shop: Shop, gateway: Gateway) -> None:
        guests(shop, 1)
        assert shop.shell(f"{SEND} --template Hello <<< y").returncode == 0
        assert len(gateway.texts) == 1

    def test_a_file_of_somebody_else_is_not_written_over(
        self, shop: Shop, gateway: Gateway
    ) -> None:
        guests(shop, 1)
        run = shop.shell(f"{SEND} --yes --template Hello --results guests.csv")
        assert run.returncode == 1
        assert "guests.csv is there already" in run.stderr
        assert gateway.texts == []

    def test_results_that_cannot_be_written_are_told(self, shop: Shop, gateway: Gateway) -> None:
        guests(shop, 1)
        run = shop.shell(f"{SEND} --yes --template Hello --results no/such.csv")
        assert run.returncode == 1
        assert "no/such.csv" in run.stderr
        assert gateway.texts == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["+447700900123"], "Give both"),
        (["+447700900123", "Hi", "--yes"], "--yes goes with --csv"),
        (["+447700900123", "--csv=guests.csv"], "there is no to"),
        (["--csv=guests.csv", "--delimiter=ab"], "one character"),
        (["--csv=guests.csv", "--concurrency=0"], "say a whole number from 1"),
    ],
)
def test_arguments_that_do_not_fit_are_told(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        call_command("djsms", "send", *arguments)


def test_a_person_sees_how_far_it_is(shop: Shop) -> None:
    guests(shop, 20)
    ours, theirs = pty.openpty()
    process = shop.start(f"{SEND} --yes --template Hello", stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    process.communicate(timeout=60)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "sending" in shown
    assert "/20" in shown


def test_a_large_file_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "guests.csv"
    with file.open("w") as written:
        written.write("to,text\n")
        written.writelines(f"+447700900{n % 1000:03},Hello {n}\n" for n in range(100_000))
    tracemalloc.start()
    try:
        with recipients(file) as found:
            assert sum(1 for _ in found) == 100_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # the file has 2.5 MB, as objects it would have some thirty
    assert peak < 2_000_000
