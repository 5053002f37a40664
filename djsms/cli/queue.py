"""``djsms queue``: how the texts stand that wait, for people and for monitoring."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser
from django.utils import translation

from djsms.cli import SUBCOMMANDS, errors, moments, streams, tables
from djsms.cli.base import Subcommand
from djsms.cli.tables import Styled, counted

if TYPE_CHECKING:
    from djsms.waiting.states import AccountState, QueueState, WorkerState

__all__ = ["Command"]

EVERY = 2.0  # seconds


class Command(Subcommand):
    help = f"{SUBCOMMANDS['queue']} Writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--json", action="store_true", help="For programs.")
        shape.add_argument(
            "--watch", action="store_true", help="Stay, and show how it changes, until Ctrl-C."
        )
        parser.add_argument(
            "--max-age",
            type=_seconds,
            metavar="SECONDS",
            help="Exit with 1 if a text has been due for longer; for monitoring.",
        )

    def handle(
        self,
        *,
        json: bool,
        watch: bool,
        max_age: float | None,
        **options: Any,
    ) -> None:
        # The words around are English, too.
        with translation.override("en"):
            self._show(as_json=json, watch=watch, max_age=max_age)

    def _show(self, *, as_json: bool, watch: bool, max_age: float | None) -> None:
        from djsms import queue

        if watch:
            if max_age is not None:
                raise CommandError("--max-age ends at once, and --watch does not.", returncode=2)
            self._watch()
            return
        with errors.told():
            state = queue.state()
        if as_json:
            self.say(_as_json(state))
        else:
            self.say(self._shown(state))
        if max_age is not None:
            _require_young(state, timedelta(seconds=max_age))

    def _watch(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        from djsms import queue

        if not self.stdout.isatty():
            raise CommandError("--watch is for a terminal; --json and --max-age are for programs.")
        console = Console(file=streams.standard_output(), no_color=not self.is_colourful)
        try:
            with Live(console=console, auto_refresh=False, screen=True) as live:
                while True:
                    with errors.told():
                        shown = self._shown(queue.state())
                    live.update(Text.from_ansi(shown), refresh=True)
                    time.sleep(EVERY)
        except KeyboardInterrupt:
            # The way to end it.
            return

    def _shown(self, state: QueueState) -> str:
        from djsms.waiting.recent import unknown_of_last_hour
        from djsms.waiting.verdicts import clock_time, verdict

        with errors.told():
            lost = unknown_of_last_hour(state.moment)
        blocks = ["\n".join(map(errors.one_line, verdict(state)))]
        if lost:
            blocks.append(
                f"Whether {counted(lost, 'text')} of the last hour went out, nobody knows. "
                "djsms refresh asks the provider; djsms resend --status unknown sends again."
            )
        if state.accounts:
            rows = [_row(account, state.moment) for account in state.accounts]
            blocks.append(self._table(HEADERS, rows))
        workers = [_worker(worker, state.moment) for worker in state.workers]
        if workers:
            blocks.append(self._table(WORKER_HEADERS, workers))
        else:
            blocks.append("No worker was seen in the last minute.")
        blocks.append(f"As of {clock_time(state.moment, state.moment)}.")
        return "\n\n".join(blocks)

    def _table(self, headers: list[str], rows: list[list[str]]) -> str:
        return tables.render(
            headers,
            rows,
            colourful=self.is_colourful,
            ascii_only="utf" not in self.encoding.lower(),
        )


HEADERS = ["account", "state", "waiting", "oldest", "in flight", "rate"]
WORKER_HEADERS = ["worker", "started", "last seen", "state"]


def _row(account: AccountState, moment: datetime) -> list[str]:
    from djsms.waiting.verdicts import goes, span, word

    style = "green" if goes(account) else "yellow" if account.paused_on else "red"
    lanes = [f"{count:,} {name}" for name, count in account.by_priority.items() if count]
    most = "" if account.concurrency is None else f" of {account.concurrency}"
    return [
        account.account,
        Styled(word(account, moment), style),
        ", ".join(lanes) or "0",
        span(moment - account.oldest_due) if account.oldest_due else "",
        f"{account.in_flight}{most}",
        account.rate,
    ]


def _worker(worker: WorkerState, moment: datetime) -> list[str]:
    from djsms.waiting.verdicts import clock_time, span

    return [
        f"{worker.host}:{worker.pid}",
        clock_time(worker.started_on, moment),
        f"{span(moment - worker.seen_on)} ago",
        "stopping" if worker.is_stopping else "working",
    ]


def _as_json(state: QueueState) -> str:
    from djsms.waiting.verdicts import verdict, word

    values = dataclasses.asdict(state) | {"verdict": verdict(state)}
    for account, value in zip(state.accounts, values["accounts"], strict=True):
        value["state"] = word(account, state.moment)
        value["is_open"] = account.is_open
    return json.dumps(values, indent=2, default=datetime.isoformat)


def _require_young(state: QueueState, most: timedelta) -> None:
    from djsms.waiting.verdicts import span

    for account in state.accounts:
        if account.oldest_due is not None and state.moment - account.oldest_due > most:
            age = span(state.moment - account.oldest_due)
            raise CommandError(f"{account.account}: a text has been due for {age}.")


def _seconds(value: str) -> float:
    seconds = moments.seconds(value)
    if not 0 <= seconds <= 10**9:
        raise argparse.ArgumentTypeError(f"say from 0 to a billion seconds, not {value!r}")
    return seconds
