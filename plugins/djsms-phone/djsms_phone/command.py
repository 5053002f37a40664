"""``djsms phone``: the phones in the browser, or the network of a project without a page."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIServer

import django
from django.apps import apps
from django.conf import ENVIRONMENT_VARIABLE, settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser, OutputWrapper

    from djsms_phone.models import Call

__all__ = ["Command"]

PORT = 8765
TRIES = 20


class Command(BaseCommand):
    help = (
        "Play the phones in the browser, with a project made for it that is gone afterwards. "
        "With --headless: play the network of your own project, without a page."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help=f"By default {PORT}, or the next free one.")
        parser.add_argument("--no-open", action="store_true", help="Open no browser.")
        parser.add_argument(
            "--headless",
            action="store_true",
            help="Make the calls of your project's phones until Ctrl-C; needs its settings.",
        )
        parser.add_argument(
            "--once", action="store_true", help="With --headless: end when no call waits."
        )
        parser.add_argument(
            "--url", help="With --headless: where the project is served; by default DJSMS_BASE_URL."
        )

    def handle(self, **options: Any) -> None:
        # Ctrl-C is how it ends.
        with contextlib.suppress(KeyboardInterrupt):
            if options["headless"]:
                self._play(options["url"], once=options["once"])
            elif settings.configured or apps.ready:
                self._serve_apart(options)
            else:
                self._serve(options["port"], opens=not options["no_open"])

    # ---- a project made for it

    def _serve(self, port: int | None, *, opens: bool) -> None:
        # Whoever ends it, nothing stays behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with (
            tempfile.TemporaryDirectory(prefix="djsms-phone-") as folder,
            _server(port) as server,
        ):
            address = f"http://127.0.0.1:{server.server_port}"
            from djsms_phone import project

            settings.configure(**project.settings(Path(folder), address))
            django.setup()
            call_command("migrate", verbosity=0, interactive=False)
            with _answering(server):
                self._tell_story(address)
                page = f"{address}/phone/"
                self.stdout.write(f"The phones are at {page} until Ctrl-C.")
                self.stdout.flush()
                if opens:
                    webbrowser.open(page)
                threading.Event().wait()

    def _tell_story(self, address: str) -> None:
        import logging

        from djsms_phone import player, story

        # One of the texts is refused on purpose, and need not be told of here.
        logging.getLogger("djsms").setLevel(logging.ERROR)
        story.tell(player.http(address))
        # From here on somebody else writes.
        story.answer_replies()

    def _serve_apart(self, options: dict[str, Any]) -> None:
        """Run in another process: this one belongs to a project, with a database of its own."""
        arguments = ["--no-open"] if options["no_open"] else []
        if options["port"] is not None:
            arguments.append(f"--port={options['port']}")
        environment = {k: v for k, v in os.environ.items() if k != ENVIRONMENT_VARIABLE}
        run = [sys.executable, "-m", "djsms.cli", "phone", *arguments]
        if code := subprocess.run(run, env=environment, check=False).returncode:
            raise CommandError("The phones ended with an error.", returncode=code)

    # ---- the network of a project

    def _play(self, url: str | None, *, once: bool) -> None:
        _set_up()
        from djsms_phone import player

        given = url or str(getattr(settings, "DJSMS_BASE_URL", "") or "")
        parts = urlsplit(given)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise CommandError("Say where the project is served: --url http://127.0.0.1:8000")
        base = f"{parts.scheme}://{parts.netloc}"
        self.stdout.write(f"Playing the network: the calls go to {base}, until Ctrl-C.")
        self.stdout.flush()
        player.keep_playing(player.http(base), once=once, failed=_Teller(self.stderr))


class _Teller:
    """Tells of calls that fail, of each kind once."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._told: set[tuple[str, str, str]] = set()

    def __call__(self, call: Call, answer: int, problem: str) -> None:
        how = f"was answered with {answer}" if answer else f"had no answer: {problem}"
        kind = (call.account, call.kind, how)
        if kind in self._told:
            return
        self._told.add(kind)
        what = "A reply" if call.kind == "incoming" else "A status report"
        end = "" if how.endswith((".", "?", "!")) else "."
        self._stream.write(
            f"{what} to the account {call.account!r} {how}{end}{_remedy(answer, problem)}"
        )


def _remedy(answer: int, problem: str) -> str:
    if problem.startswith("NoReverseMatch"):
        return ' Add path("djsms/", include("djsms.urls")) to the project\'s urls.py.'
    return "" if answer else " Is the project served there?"


def _set_up() -> None:
    if not apps.ready:
        if not (settings.configured or os.environ.get(ENVIRONMENT_VARIABLE)):
            raise CommandError(
                f"No Django project: set {ENVIRONMENT_VARIABLE} (or give --settings), or run "
                "manage.py djsms phone --headless in the project."
            )
        django.setup()
    if not apps.is_installed("djsms_phone"):
        raise CommandError('Add "djsms_phone" to INSTALLED_APPS, and migrate.')


@contextmanager
def _server(port: int | None) -> Iterator[WSGIServer]:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    wanted = range(PORT, PORT + TRIES) if port is None else [port]
    for number in wanted:
        try:
            server: WSGIServer = ThreadedWSGIServer(("127.0.0.1", number), Quiet)
            break
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    else:
        raise CommandError(f"No free port: {wanted[0]} to {wanted[-1]} are taken. Give --port 0.")
    try:
        yield server
    finally:
        server.server_close()


@contextmanager
def _answering(server: WSGIServer) -> Iterator[None]:
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.wsgi import get_wsgi_application

    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
