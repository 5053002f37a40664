"""``djsms cancel``: takes back what waits, and says for what it was too late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from djsms.cli import SUBCOMMANDS, moments, streams
from djsms.cli.base import Subcommand
from djsms.cli.references import messages_of

if TYPE_CHECKING:
    from djsms.models import TextMessage

__all__ = ["Command"]

MANY = 500
# More than a person reads; the rest is counted.
SHOWN = 20


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['cancel']} Give references, or an account. Exits with 1 if it was too late "
        "for any, and says how these stand."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("refs", nargs="*", metavar="REF", help="Our reference of a message.")
        parser.add_argument("--account", help="All that wait of this account.")
        parser.add_argument(
            "--before",
            type=moments.moment,
            metavar="WHEN",
            help="Of these, those made before then: 30min, 2h, 3d, or a date and time.",
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask before.")

    def handle(
        self,
        *,
        refs: list[str],
        account: str | None,
        before: datetime | None,
        yes: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        if bool(refs) == bool(account) or (refs and before):
            raise CommandError(
                "Which ones? Give either their references, or an --account and perhaps --before.",
                returncode=2,
            )
        chosen = (
            [message.pk for message in messages_of(refs)]
            if account is None
            else _waiting(account, before)
        )
        if not chosen:
            raise CommandError("Nothing that waits fits.")
        if account is not None:
            self._tell(chosen)
            question = f"Cancel {len(chosen):,}?"
            self.confirm(question, yes=yes, otherwise="Nothing was cancelled.")
        late = self._cancel(chosen)
        if verbosity:
            self.say(f"{len(chosen) - len(late):>9,}  cancelled")
        if late:
            self._tell_late(late)
            raise CommandError("It was too late for some.")

    def _tell(self, chosen: Sequence[int]) -> None:
        plan = Counter((text.get_lane_display().lower(), text.frm) for text in _read(chosen))
        rows = [[f"{count:,}", *key] for key, count in plan.most_common(SHOWN)]
        self.say_table(["texts", "priority", "from"], rows)

    def _cancel(self, chosen: Sequence[int]) -> list[TextMessage]:
        from djsms.cli.progress import progress_bar
        from djsms.waiting.cancelling import cancel_texts

        with progress_bar(
            "cancelling",
            len(chosen),
            out=streams.standard_error(),
            colourful=self.is_colourful,
        ) as show:
            return cancel_texts(_read(chosen), progress=show)

    def _tell_late(self, late: Sequence[TextMessage]) -> None:
        for text in late[:SHOWN]:
            self.say(f"{text.ref}  too late: {_standing(text)}")
        if len(late) > SHOWN:
            for words, count in Counter(map(_standing, late[SHOWN:])).most_common():
                self.say(f"{count:>9,}  more too late: {words}")


def _standing(text: TextMessage) -> str:
    if text.attempted_on is not None and text.status == "created":
        return "the provider is being called just now"
    return f"{text.status} ({text.status.explanation})"


def _waiting(account: str, before: datetime | None) -> list[int]:
    from djsms.ledger import clock
    from djsms.waiting.queued import waiting

    # By the name alone: one that the settings lost can be cancelled as well.
    rows = waiting(account)
    if before is not None:
        rows = rows.filter(created_on__lt=clock.stored(before))
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _read(keys: Sequence[int]) -> Iterator[TextMessage]:
    from djsms.ledger.transactions import rows_of
    from djsms.models import TextMessage

    for start in range(0, len(keys), MANY):
        yield from rows_of(TextMessage).filter(pk__in=keys[start : start + MANY]).order_by("pk")
