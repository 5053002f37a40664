"""``djsms send --csv``: what it would be, a question, the sending, and what came of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from djsms.cli import streams
from djsms.cli.batch import Batch, Plan
from djsms.cli.progress import progress_bar
from djsms.cli.recipients import Line, recipients
from djsms.cli.results import Results, results
from djsms.cli.tables import counted, visible
from djsms.types import Status

if TYPE_CHECKING:
    from djsms.cli.base import Subcommand

__all__ = ["SendFile"]

# More would scroll away what matters; the results have them all.
SHOWN = 100


class SendFile:
    def __init__(self, command: Subcommand, file: Path, options: dict[str, Any]) -> None:
        self.command = command
        self.file = file
        self.options = options
        self.results: Path = options["results"] or file.with_name(f"{file.stem}.results.csv")
        self._wrong = 0

    def run(self) -> None:
        kinds = ("encoding", "delimiter", "template", "key")
        with recipients(self.file, **{kind: self.options[kind] for kind in kinds}) as found:
            arguments = {name: self.options[name] for name in ("frm", "using", "status_report")}
            batch = Batch(found, arguments)
            plan = batch.plan(self._tell_wrong)
            self._tell(plan)
            if not (plan.texts or plan.done):
                raise CommandError("Nothing can be sent.")
            if plan.texts:
                self._ask(plan)
            with results(self.results, of=self.file) as written:
                counts = self._send(batch, plan, written)
        self._tell_counts(counts)
        self._complain(plan, counts)

    def _send(self, batch: Batch, plan: Plan, written: Results) -> Counter[Status]:
        total = plan.texts + plan.done
        done = 0

        def count(number: int) -> None:
            nonlocal done
            done = number
            show(number)

        with progress_bar(
            "sending",
            total,
            out=streams.standard_error(),
            colourful=self.command.is_colourful,
        ) as show:
            try:
                return batch.send(
                    plan, written, concurrency=self.options["concurrency"], progress=count
                )
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"Interrupted after {done:,} of {total:,} lines. The same command goes on from "
                    "there, and sends nothing twice."
                ) from None

    def _tell_wrong(self, line: Line, reason: str) -> None:
        self._wrong += 1
        if self._wrong <= SHOWN or self.options["verbosity"] > 1:
            self.command.say(f"line {line.number}: {visible(line.to)}: {visible(reason)}")

    def _tell(self, plan: Plan) -> None:
        if self._wrong > SHOWN and self.options["verbosity"] < 2:
            self.command.say(f"… and {self._wrong - SHOWN:,} more (--verbosity 2 shows all)")
        counts = {
            "cannot be sent": len(plan.wrong),
            "went out in an earlier run, and are not sent again": plan.done,
            f"to be sent, in {counted(plan.segments, 'segment')}": plan.texts,
        }
        for words, count in counts.items():
            if count or words.startswith("to be sent"):
                self.command.say(f"{count:>9,}  {words}")

    def _ask(self, plan: Plan) -> None:
        sender = f" from {self.options['frm']}" if self.options["frm"] else ""
        question = f"Send {counted(plan.texts, 'text')}{sender} through {self.options['using']!r}?"
        self.command.confirm(question, yes=self.options["yes"])

    def _tell_counts(self, counts: Counter[Status]) -> None:
        if self.options["verbosity"]:
            for status, count in counts.most_common():
                self.command.say(f"{count:>9,}  {status} ({status.explanation})")
            self.command.say(f"Line by line: {self.results}")

    def _complain(self, plan: Plan, counts: Counter[Status]) -> None:
        lost = sum(
            count
            for status, count in counts.items()
            if status.is_failure or status in (Status.UNKNOWN, Status.CREATED)
        )
        if plan.wrong or lost:
            raise CommandError(
                f"Not sent, or not surely: {len(plan.wrong) + lost:,}. Put the lines that you "
                "correct into a file of their own: a changed file is another one, and goes to all."
            )
