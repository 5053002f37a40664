"""``djsms work``: sends what waits, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
from collections import Counter
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import translation

from djsms.cli import SUBCOMMANDS, errors, moments
from djsms.cli.base import Subcommand
from djsms.cli.tables import counted

__all__ = ["Command"]

EVERY_MINUTE = 60.0


class Command(Subcommand):
    help = SUBCOMMANDS["work"]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "accounts", nargs="*", metavar="ACCOUNT", help="Only these accounts; default: all."
        )
        parser.add_argument(
            "--threads",
            type=_from_one,
            default=8,
            metavar="N",
            help="How many calls at the same time (default: %(default)s).",
        )
        parser.add_argument(
            "--once", action="store_true", help="Send what is due, and end; for cron."
        )
        parser.add_argument(
            "--max-texts",
            type=_from_one,
            metavar="N",
            help="End after so many texts, to be started anew.",
        )
        parser.add_argument(
            "--poll",
            type=_seconds,
            default=1.0,
            metavar="SECONDS",
            help="How often to look when there is nothing to do (default: %(default)s).",
        )

        parser.add_argument(
            "--metrics",
            type=_address,
            metavar="[HOST:]PORT",
            help="Where Prometheus may read this process's figures; host: 127.0.0.1.",
        )

    def handle(
        self,
        *,
        accounts: list[str],
        threads: int,
        once: bool,
        max_texts: int | None,
        poll: float,
        metrics: tuple[str, int] | None,
        verbosity: int,
        **options: Any,
    ) -> None:
        from djsms import conf
        from djsms.accounts import gateways
        from djsms.ledger.transactions import rows_of
        from djsms.models import Gate
        from djsms.receiving.refreshing import refresh_due
        from djsms.tidying import tidy
        from djsms.waiting.drains import sending_gateways
        from djsms.waiting.repeating import Repeated
        from djsms.waiting.workers import Work

        with errors.told():
            # What it does beside sending, every minute, would fail as often.
            for read in (conf.keep_texts, conf.parts_timeout, conf.windows):
                read()
            chosen = [gateways.get(alias) for alias in accounts] or list(sending_gateways())
            # Before it says that it sends: whether there are tables to read.
            rows_of(Gate).exists()
        if not chosen:
            raise CommandError("There is no account that can send.")
        if metrics is not None:
            _serve(*metrics)
        work = Work(chosen, threads=threads, poll=poll, once=once, max_texts=max_texts)

        def refresh() -> None:
            refresh_due(is_over=lambda: chores[1].is_stopping)

        # Each in a thread of its own: a provider that answers slowly holds up no tidying.
        chores = [Repeated(chore, seconds=EVERY_MINUTE) for chore in (tidy, refresh)]
        for number in (signal.SIGTERM, signal.SIGINT):
            # Nothing but a flag: an exception in the middle of a COMMIT would strand what it took.
            signal.signal(number, lambda *args: work.stop())
        if verbosity:
            names = ", ".join(gateway.alias for gateway in chosen)
            self.say(f"Sending what waits of {names}, with {threads} threads. Ctrl-C ends it.")
        for chore in chores:
            chore.start()
        try:
            with errors.told():
                went_well = work.run()
        finally:
            for chore in chores:
                chore.stop()
        if verbosity:
            self.say(_summary(work.crew.outcomes))
            if once:
                self._tell_what_keeps_the_rest({gateway.alias for gateway in chosen})
        if not went_well:
            raise CommandError("It did not end well; see the log.")

    def _tell_what_keeps_the_rest(self, chosen: set[str]) -> None:
        from djsms import queue
        from djsms.waiting.verdicts import told

        with errors.told(), translation.override("en"):
            state = queue.state()
            for account in state.accounts:
                if account.account in chosen and account.waiting and not account.is_open:
                    how = errors.one_line(told(account, state.moment))
                    self.say(f"{how} {counted(account.waiting, 'text')} waiting.")


def _summary(outcomes: Counter[str]) -> str:
    """Return how many calls there were, and how they ended where that is worth a word."""
    words = [f"{outcomes[word]:,} {word}" for word in ("taken", "not taken", "unknown")]
    calls = counted(outcomes.total(), "call")
    return f"{calls}: {', '.join(words)}." if outcomes.total() else f"{calls}."


def _serve(host: str, port: int) -> None:
    from djsms import conf
    from djsms.monitoring import starting

    if not conf.prometheus() or starting.missing("DJSMS_PROMETHEUS"):
        raise CommandError(
            "--metrics needs DJSMS_PROMETHEUS = True, and prometheus-client: "
            "pip install 'django-simple-sms[prometheus]'."
        )
    from djsms.monitoring import exposition

    try:
        exposition.serve(host, port)
    except OSError as error:
        raise CommandError(f"No figures at {host}:{port}: {error.strerror}.") from error


def _address(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise argparse.ArgumentTypeError(f"say a port, or HOST:PORT, not {value!r}")
    return host.strip("[]") or "127.0.0.1", int(port)


def _from_one(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value) > 0):
        raise argparse.ArgumentTypeError(f"say a whole number from 1, not {value!r}")
    return int(value)


def _seconds(value: str) -> float:
    seconds = moments.seconds(value)
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"say more than 0 seconds and at most 3600, not {value!r}")
    return seconds
