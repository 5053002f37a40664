"""``djsms resend``: send again what did not arrive, after showing what it would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from djsms import exceptions
from djsms.cli import SUBCOMMANDS, moments, streams
from djsms.cli.base import Subcommand
from djsms.cli.references import messages_of
from djsms.cli.tables import counted
from djsms.exceptions import InvalidMessage, NotSupported, SendError
from djsms.types import Status

if TYPE_CHECKING:
    from django.core.management.base import CommandParser
    from django.db.models import QuerySet

    from djsms.models import TextMessage
    from djsms.sending.plans import ResendPlan

__all__ = ["Command"]

# What is on its way or has arrived can be sent again too, but only by its reference.
STATUSES = [
    status.value
    for status in Status
    if status.is_failure or status in (Status.CREATED, Status.UNKNOWN)
]
KINDS = [
    name
    for name, kind in vars(exceptions).items()
    if isinstance(kind, type)
    and issubclass(kind, SendError | InvalidMessage | NotSupported)
    and kind is not SendError
]
MANY = 500


class Command(Subcommand):
    help = (
        f"{SUBCOMMANDS['resend']} Give references, or say which by --status and --kind. Shows "
        "first what it would send, and asks. Exits with 1 if not all were taken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("refs", nargs="*", metavar="REF", help="Our reference of a message.")
        parser.add_argument(
            "--status", action="append", choices=STATUSES, help="Those that stand so; repeatable."
        )
        parser.add_argument(
            "--kind",
            action="append",
            choices=KINDS,
            metavar="ERROR",
            help="Those whose call ended with this error, such as TemporarilyUnavailable; "
            "repeatable.",
        )
        parser.add_argument(
            "--since",
            type=moments.moment,
            metavar="WHEN",
            help="Those made since then: 30min, 2h, 3d, or a date and time.",
        )
        parser.add_argument("--account", help="Those of this account.")
        parser.add_argument(
            "--using", metavar="ACCOUNT", help="Send through this account instead of their own."
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask before sending.")

    def handle(
        self, *, refs: list[str], using: str | None, yes: bool, verbosity: int, **options: Any
    ) -> None:
        from djsms.sending.plans import ResendPlan

        chosen = _named(refs) if refs else _matching(**_chosen(options))
        if not chosen:
            raise CommandError("There is nothing to send again.")
        self._tell(ResendPlan(_read(chosen)))
        self.confirm(f"Send {len(chosen):,} again?", yes=yes)
        counts = self._resend(chosen, using)
        if verbosity:
            for words, count in counts.most_common():
                self.say(f"{count:>9,}  {words}")
        taken = counts[_told(Status.SENDING)] + counts[_told(Status.SENT)]
        if taken + counts[_told(Status.DELIVERED)] < len(chosen):
            raise CommandError("Not all were taken.")

    def _tell(self, plan: ResendPlan) -> None:
        rows = [[f"{n:,}", *key] for key, n in plan.kinds.most_common()]
        self.say_table(["messages", "account", "status", "error"], rows)
        self.say(f"{plan.count:,} to be sent again, in {counted(plan.segments, 'segment')}")
        if plan.unsure:
            self.say(
                f"{plan.unsure:,} of them may have arrived: nobody knows, so they may come twice."
            )

    def _resend(self, chosen: Sequence[int], using: str | None) -> Counter[str]:
        from djsms.cli.progress import progress_bar
        from djsms.sending.again import resend_text

        counts = Counter[str]()
        with progress_bar(
            "sending",
            len(chosen),
            out=streams.standard_error(),
            colourful=self.is_colourful,
        ) as show:
            for done, message in enumerate(_read(chosen)):
                show(done)
                try:
                    counts[_told(resend_text(message, using=using).status)] += 1
                except ValueError:
                    counts["left alone: somebody else has dealt with it meanwhile"] += 1
                except KeyboardInterrupt:
                    raise KeyboardInterrupt(
                        f"Interrupted after {done:,} of {len(chosen):,}. The same command goes on "
                        "with the others."
                    ) from None
        return counts


def _told(status: Status) -> str:
    return f"{status} ({status.explanation})"


def _chosen(options: dict[str, Any]) -> dict[str, Any]:
    if not (options["status"] or options["kind"]):
        raise CommandError(
            "Which ones? Give their references, or say which by --status or --kind.", returncode=2
        )
    return {name: options[name] for name in ("status", "kind", "since", "account")}


def _named(refs: Iterable[str]) -> list[int]:
    """Return the keys of the messages with these references, if all can be sent again."""
    from django.utils import translation

    from djsms.sending.again import obstacle

    found = []
    for message in messages_of(refs):
        with translation.override("en"):
            problem = obstacle(message)
        if problem:
            raise CommandError(f"{message.ref}: {problem}")
        found.append(message.pk)
    return found


def _matching(
    status: list[str] | None, kind: list[str] | None, since: datetime | None, account: str | None
) -> list[int]:
    """Return the keys of the messages that fit; without those that were sent again before."""
    from djsms.ledger import clock

    rows = _rows().filter(direction="outgoing", due_on=None, resends=None)
    # those under way are not to be had, and those whose turn never came are
    rows = rows.filter(status__in=status or STATUSES).exclude(
        status=Status.CREATED, attempted_on__isnull=False
    )
    if kind:
        rows = rows.filter(error_kind__in=kind)
    if since:
        rows = rows.filter(created_on__gte=clock.stored(since))
    if account:
        rows = rows.filter(account=account)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _read(keys: Sequence[int]) -> Iterable[TextMessage]:
    # By their keys, since what fails again would fit as well.
    for start in range(0, len(keys), MANY):
        yield from _rows().filter(pk__in=keys[start : start + MANY]).order_by("pk")


def _rows() -> QuerySet[TextMessage]:
    from djsms.ledger.transactions import rows_of
    from djsms.models import TextMessage

    return rows_of(TextMessage)
